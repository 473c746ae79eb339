//! wprof beside `go tool pprof`: many options on many files, each with another report.

use std::path::Path;

use support::machine::{pprof, workspace};
use support::wprof::Wprof;

const FILES: [&str; 9] = [
    "synth/wasm_cpu.pb.gz",
    "synth/wasm_heap.pb.gz",
    "cpu/cpu_labels.pb.gz",
    "heap_rate64k/heap.pb.gz",
    "sync_rate1/mutex.debug1.txt",
    "corpus/gofmt_cpu.pb.gz",
    "corpus/ddnode_heap.pb.gz",
    "corpus/gpprof_java.heap",
    "corpus/gperftools_python.cpu",
];

/// Not `dot -call_tree`, where pprof orders what weighs the same by chance.
const REPORTS: [&str; 8] = ["top", "tree", "traces", "tags", "raw", "dot", "callgrind", "peek=."];

const OPTIONS: [&str; 34] = [
    "",
    "-cum",
    "-lines",
    "-filefunctions",
    "-addresses",
    "-noinlines",
    "-noinlines -addresses",
    "-showcolumns -lines",
    "-focus=a",
    "-focus=a -relative_percentages",
    "-ignore=main",
    "-hide=runtime",
    "-show=main|runtime",
    "-show_from=main",
    "-prune_from=run",
    "-tagfocus=1kb:",
    "-tagfocus=tenant=a",
    "-tagignore=stage",
    "-tagshow=t",
    "-taghide=b",
    "-tagroot=tenant,bytes",
    "-tagleaf=bytes -unit=kB",
    "-nodecount=7",
    "-trim=false",
    "-nodefraction=0.05",
    "-edgefraction=0.05",
    "-mean",
    "-divide_by=3",
    "-unit=auto",
    "-unit=ms",
    "-sample_index=0",
    "-drop_negative",
    "-compact_labels",
    "-all_frames",
];

#[test]
fn any_option_of_any_report_does_what_pprofs_does() {
    if pprof("comparing with it").is_none() {
        return;
    }
    let dir = workspace().join("tests/profiles");
    let mut differences = Vec::new();
    for (file_idx, file) in FILES.iter().enumerate() {
        for (option_idx, options) in OPTIONS.iter().enumerate() {
            // Every option meets every report on some file.
            let report = REPORTS[(file_idx * 5 + option_idx) % REPORTS.len()];
            differences.extend(difference(&dir, file, report, options));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n\n{}", differences.len(), differences.join("\n\n"));
}

fn difference(dir: &Path, file: &str, report: &str, options: &str) -> Option<String> {
    let options: Vec<&str> = options.split_whitespace().chain(["-symbolize=none"]).collect();
    let mut pprof = pprof("comparing with it")?;
    let output = if report == "callgrind" { &["-output=/dev/stdout"][..] } else { &[] };
    let theirs = pprof.arg(format!("-{report}")).args(&options).args(output).arg(file).current_dir(dir);
    let theirs = theirs.env("TZ", "UTC").output().expect("pprof starts");
    let (name, pattern) = report.split_once('=').map_or((report, None), |(name, it)| (name, Some(it)));
    let ours = Wprof::new(name).args(pattern).args(&options).arg(dir.join(file)).cd(dir).finish();
    let text = String::from_utf8_lossy(&theirs.stdout).into_owned();
    let is_same = (theirs.status.code(), &text) == (Some(ours.code()), &ours.stdout());
    (!is_same).then(|| {
        let line = text.lines().zip(ours.stdout().lines().map(str::to_owned)).find(|(one, other)| one != other);
        format!("{report} {} {file}: exit {} here, {:?} there; first line that differs: {line:?}", options.join(" "), ours.code(), theirs.status.code())
    })
}
