//! wprof's reports are, byte for byte, what `go tool pprof` printed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::machine::{shared, workspace};
use support::wprof::{Run, Wprof};

/// What wprof prints otherwise on purpose: the output file, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// How many commands there are in the specification, and how many more beside our profiles.
const N_COMMANDS: usize = 136;
const N_OURS: usize = 2;

/// One line of a `commands.tsv`.
struct Golden {
    output: String,
    /// As wprof takes them, the subcommand first.
    args: Vec<String>,
    status: i32,
}

impl Golden {
    fn read_all(dir: &Path) -> Vec<Self> {
        let text = fs::read_to_string(dir.join("commands.tsv")).unwrap_or_default();
        text.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let (output, rest) = line.split_once('\t')?;
        let (command, status) = rest.split_once('\t')?;
        let (report, options) = command.strip_prefix("go tool pprof -")?.split_once(' ')?;
        // `-peek=REGEX` is `peek REGEX`.
        let (report, pattern) = report.split_once('=').map_or((report, None), |(report, it)| (report, Some(it)));
        let args = [report].into_iter().chain(pattern).chain(options.split(' ')).map(str::to_owned).collect();
        Some(Self { output: output.to_owned(), args, status: status.parse().ok()? })
    }

    fn run(&self, dir: &Path) -> Run {
        Wprof::new(&self.args[0]).args(&self.args[1..]).cd(dir).finish()
    }

    /// What differs; `None` where nothing does.
    fn difference(&self, dir: &Path) -> Option<String> {
        let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
        let run = self.run(dir);
        let mut expected = (self.status, read(&self.output), String::new());
        let mut actual = (run.code(), run.stdout(), String::new());
        // When it prints a report, what it says beside is its own affair; why it prints none is part of the answer.
        if self.status != 0 {
            expected.2 = read(&format!("{}.err", self.output));
            run.stderr().clone_into(&mut actual.2);
        }
        let shown =
            |(status, stdout, stderr): &(i32, String, String)| format!("{stdout}{stderr}[exit status {status}]");
        (expected != actual).then(|| {
            format!(
                "wprof {}\nexpected ({}):\n{}\n\nbut it was:\n{}\n",
                self.args.join(" "),
                self.output,
                shown(&expected),
                shown(&actual)
            )
        })
    }
}

fn check(dir: &Path, n_expected: usize) {
    let goldens = Golden::read_all(dir);
    assert_eq!(goldens.len(), n_expected, "commands of {}", dir.display());
    let is_exception = |golden: &Golden| EXCEPTIONS.iter().any(|(output, _)| *output == golden.output);
    let (exceptions, goldens): (Vec<Golden>, Vec<Golden>) = goldens.into_iter().partition(is_exception);
    assert_eq!(exceptions.len(), EXCEPTIONS.len(), "an exception is of no command");
    for exception in &exceptions {
        assert!(exception.difference(dir).is_some(), "{} is no exception any more", exception.output);
    }
    let differences: Vec<_> = goldens.iter().filter_map(|golden| golden.difference(dir)).collect();
    assert!(differences.is_empty(), "{} of {} differ:\n\n{}", differences.len(), goldens.len(), differences.join("\n"));
}

#[test]
fn reports_equal_pprofs() {
    check(&workspace().join("tests/profiles"), N_COMMANDS + N_OURS);
}

#[test]
fn reports_equal_pprofs_on_the_specification() {
    if let Some(dir) = shared("spec/golden") {
        check(&dir, N_COMMANDS);
    }
}

/// One dash or two, `_` or `-`, flags with a value or without.
#[test]
fn options_are_spelled_in_pprofs_ways() {
    let dir = workspace().join("tests/profiles");
    for spellings in [
        ["-sample_index=samples", "--sample-index=samples"],
        ["-sample_index=0", "--sample_index=samples"],
        ["-cum", "--cum=true"],
        ["-nodecount=3", "--nodecount=3"],
        ["-trim=false", "--trim=0"],
    ] {
        let outputs: BTreeSet<String> = spellings
            .iter()
            .map(|option| {
                Wprof::new("top").arg(option).arg("synth/wasm_cpu.pb.gz").cd(&dir).finish().expect_code(0).stdout()
            })
            .collect();
        assert_eq!(outputs.len(), 1, "{spellings:?}: {outputs:#?}");
    }
}
