//! `wprof top` prints, byte for byte, what `go tool pprof -top` printed.
#![expect(clippy::print_stdout, reason = "says what is left out")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::machine::{shared, workspace};
use support::wprof::{Run, Wprof};

/// pprof's options that `wprof top` is yet to learn. Whoever adds one takes it off, and its goldens count.
const NOT_YET: [&str; 12] = [
    "base",
    "diff_base",
    "focus",
    "hide",
    "ignore",
    "normalize",
    "prune_from",
    "relative_percentages",
    "show",
    "show_from",
    "tagleaf",
    "tagroot",
];

/// One line of a `commands.tsv`.
struct Golden {
    output: String,
    args: Vec<String>,
    status: i32,
}

impl Golden {
    /// Those of `pprof -top`, with the `-top` left out.
    fn read_all(dir: &Path) -> Vec<Self> {
        let text = fs::read_to_string(dir.join("commands.tsv")).unwrap_or_default();
        let goldens = text.lines().filter_map(|line| {
            let (output, rest) = line.split_once('\t')?;
            let (command, status) = rest.split_once('\t')?;
            let args = command.strip_prefix("go tool pprof -top ")?;
            let args = args.split(' ').map(str::to_owned).collect();
            Some(Self { output: output.to_owned(), args, status: status.parse().ok()? })
        });
        goldens.collect()
    }

    fn options(&self) -> impl Iterator<Item = &str> {
        self.args
            .iter()
            .filter_map(|arg| arg.strip_prefix('-'))
            .map(|option| option.split_once('=').map_or(option, |it| it.0))
    }

    fn run(&self, dir: &Path) -> Run {
        Wprof::new("top").args(&self.args).cd(dir).finish()
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
                "wprof top {}\nexpected:\n{}\n\nbut it was:\n{}\n",
                self.args.join(" "),
                shown(&expected),
                shown(&actual)
            )
        })
    }
}

/// Checks all goldens of a folder, and says which are for later.
fn check(dir: &Path, at_least: usize) {
    let is_for_later = |golden: &Golden| golden.options().any(|option| NOT_YET.contains(&option));
    let (later, now): (Vec<_>, Vec<_>) = Golden::read_all(dir).into_iter().partition(is_for_later);
    println!(
        "{} goldens of pprof -top; {} are for options that wprof top has not yet:",
        now.len() + later.len(),
        later.len()
    );
    for golden in &later {
        println!("  {}", golden.args.join(" "));
    }
    assert!(now.len() >= at_least, "only {} goldens were found", now.len());
    let differences: Vec<_> = now.iter().filter_map(|golden| golden.difference(dir)).collect();
    assert!(differences.is_empty(), "{} of {} differ:\n\n{}", differences.len(), now.len(), differences.join("\n"));
}

#[test]
fn top_equals_pprofs_on_our_profiles() {
    check(&workspace().join("tests/profiles"), 19);
}

#[test]
fn top_equals_pprofs_on_every_golden() {
    if let Some(dir) = shared("spec/golden") {
        check(&dir, 58);
    }
}

#[test]
fn options_for_later_are_refused() {
    let profile = workspace().join("tests/profiles/synth/wasm_cpu.pb.gz");
    for option in NOT_YET {
        let run = Wprof::new("top").arg(format!("-{option}=x")).arg(&profile).finish();
        assert_ne!(run.code(), 0, "wprof top knows -{option} now: take it off NOT_YET");
        assert!(run.stderr().contains("unexpected argument"), "-{option}: {}", run.stderr());
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

/// Foreign profiles: what pprof made of them, or at least a clear refusal.
#[test]
fn top_reads_profiles_from_elsewhere() {
    let Some(dir) = shared("corpus/pprof") else { return };
    let mut n_equal = 0;
    let mut differences = Vec::new();
    for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(profile) = name.strip_suffix(".top.txt") else { continue };
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let (report, status) = golden.trim_end().rsplit_once('\n').unwrap_or(("", &golden));
        let run = Wprof::new("top").args(["-symbolize=none", "-nodecount=20", profile]).cd(&dir).finish();
        assert!(!run.stderr().contains("panicked"), "{profile}: {}", run.stderr());
        if run.code() != 0 {
            assert!(!run.stderr().trim().is_empty(), "{profile} is refused without a word");
            // Legacy formats are for later: pprof reads them, we may refuse.
            if status.ends_with('0') && ends_in_proto(profile) {
                differences.push(format!("{profile} is refused: {}", run.stderr()));
            }
            continue;
        }
        let without_file = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with("File: ")).map(str::to_owned).collect()
        };
        if without_file(&run.stdout()) == without_file(report) {
            n_equal += 1;
        } else {
            differences.push(format!("{profile}: expected\n{golden}\nbut it was\n{}", run.stdout()));
        }
    }
    assert!(differences.is_empty(), "{n_equal} are equal, but:\n{}", differences.join("\n\n"));
    assert!(n_equal >= 10, "only {n_equal} were compared");
}

fn ends_in_proto(name: &str) -> bool {
    [".pb.gz", ".pb", ".pgo", ".pprof"].iter().any(|suffix| name.ends_with(suffix))
}
