//! `wprof top` reads what other programs write, and prints of it what pprof prints; or says what is wrong with it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what a test cannot do without")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use support::machine::{shared, workspace};
use support::wprof::{Run, Wprof};

/// Files that pprof refuses and wprof reads, with what wprof prints of them.
///
/// jemalloc's text is no format of pprof's; its users have a program of their own, jeprof. The one sample here is of a
/// block of 82,659 bytes, sampled once in 131,072: such a block is seen with probability 1 − e^(−82659/131072), so it
/// stands for 2.138 blocks and 176,717 bytes, as jeprof has it too.
const READ_ALL_THE_SAME: [(&str, &str); 1] = [(
    "jemalloc_python.heap",
    "Type: space
Showing nodes accounting for 172.57kB, 100% of 172.57kB total
      flat  flat%   sum%        cum   cum%
  172.57kB   100%   100%   172.57kB   100%  [libjemalloc.so.2]
         0     0%   100%   172.57kB   100%  [ld-linux-x86-64.so.2]
         0     0%   100%   172.57kB   100%  [libstdc++.so.6.0.30]",
)];

/// Files that both refuse, and how wprof's reason begins.
const REFUSED: [(&str, &str); 6] = [
    ("odd_corrupt_bytes.pb.gz", "parsing profile: not a profile: "),
    ("odd_empty_file.pb.gz", "parsing profile: empty input file"),
    ("odd_gz_of_nothing.pb.gz", "parsing profile: empty input file"),
    ("odd_trailing_garbage.pb.gz", "parsing profile: damaged gzip: found 30 bytes after it, \"garbage after th\"…"),
    ("odd_truncated_inner.pb.gz", "parsing profile: not a profile: string_table of 48 bytes, with only 18 left"),
    // pprof calls it a text with too long a line.
    ("odd_zipbomb_3GiB.pb.gz", "profile is larger than the limit of 2147483648 bytes, which --max_inflated raises"),
];

fn top(dir: &Path, name: &str) -> Run {
    Wprof::new("top").args(["-symbolize=none", "-nodecount=20", name]).env("TZ", "UTC").cd(dir).finish()
}

/// The lines of a report but for the one that names the binary, whose folder may differ.
fn table(report: &str) -> Vec<&str> {
    report.lines().filter(|line| !line.starts_with("File: ")).collect()
}

/// What differs between what wprof makes of a file and `expected`, pprof's report; `None` where nothing does.
fn differs(run: &Run, name: &str, expected: &str) -> Option<String> {
    let is_equal = run.code() == 0 && table(&run.stdout()) == table(expected);
    (!is_equal).then(|| format!("{name}: expected\n{expected}\nbut it was\n{}{}", run.stdout(), run.stderr()))
}

/// What is wrong with the refusal of a file; `None` where nothing is.
fn is_badly_refused(run: &Run, name: &str, reason: &str) -> Option<String> {
    let said = run.stderr();
    let is_well = run.code() == 2
        && run.stdout().is_empty()
        && said.starts_with(&format!("{name}: {reason}"))
        && said.ends_with("\nfailed to fetch any source profiles\n")
        && said.lines().count() == 2;
    (!is_well).then(|| format!("{name}: expected {reason:?}\nbut it was {}\n{}{said}", run.code(), run.stdout()))
}

/// What is wrong with what wprof makes of a file, by its `.top.txt`: pprof's report, whose last line is how it ended.
fn check(dir: &Path, name: &str, golden: &str) -> Option<String> {
    let run = top(dir, name);
    let (report, status) = golden.trim_end().rsplit_once('\n').expect("a report and a status");
    if status == "[exit 0]" {
        return differs(&run, name, report);
    }
    if let Some((_, expected)) = READ_ALL_THE_SAME.iter().find(|it| it.0 == name) {
        return differs(&run, name, expected);
    }
    let (_, reason) = REFUSED.iter().find(|it| it.0 == name).unwrap_or_else(|| panic!("{name} is not in REFUSED"));
    is_badly_refused(&run, name, reason)
}

/// Checks every file of a folder that has a `.top.txt`.
fn check_all(dir: &Path, n_files: usize) {
    let mut n_checked = 0;
    let mut faults = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let golden_name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = golden_name.strip_suffix(".top.txt") else { continue };
        faults.extend(check(dir, name, &fs::read_to_string(&path).unwrap()));
        n_checked += 1;
    }
    assert!(faults.is_empty(), "{} of {n_checked} differ:\n{}", faults.len(), faults.join("\n\n"));
    assert!(n_files <= n_checked, "only {n_checked} files were found");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_of_other_programs_print_as_pprof_prints_them() {
    check_all(&workspace().join("tests/profiles/corpus"), 30);
}

#[test]
fn all_files_of_the_corpus_print_as_pprof_prints_them() {
    if let Some(dir) = shared("corpus/pprof") {
        check_all(&dir, 33);
    }
}

/// The corpus has these as `odd_ungzipped_gocompile.pb` and `odd_multimember.pb.gz`; they are too large to keep twice.
#[test]
fn wrapped_otherwise_a_profile_is_the_same() {
    let corpus = workspace().join("tests/profiles/corpus");
    let mut message = Vec::new();
    let name = "go_cmd_compile_default.pgo";
    GzDecoder::new(fs::read(corpus.join(name)).unwrap().as_slice()).read_to_end(&mut message).unwrap();
    let (head, tail) = message.split_at(message.len() / 2);
    let golden = fs::read_to_string(corpus.join(format!("{name}.top.txt"))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("ungzipped.pb", message.clone()),
        ("multimember.pb.gz", [gzip(head), gzip(tail)].concat()),
        ("emptymember.pb.gz", [gzip(b""), gzip(&message), gzip(b"")].concat()),
    ] {
        fs::write(dir.path().join(name), bytes).unwrap();
        assert_eq!(check(dir.path(), name, &golden), None);
    }
}

/// All old formats may come gzipped, as the new one does.
#[test]
fn old_formats_are_read_from_gzip() {
    let corpus = workspace().join("tests/profiles/corpus");
    let dir = tempfile::tempdir().unwrap();
    for name in ["gpprof_cppbench.cpu", "gpprof_cppbench.growth", "gpprof_cppbench.thread", "gpprof_java.heap"] {
        fs::write(dir.path().join(name), gzip(&fs::read(corpus.join(name)).unwrap())).unwrap();
        let golden = fs::read_to_string(corpus.join(format!("{name}.top.txt"))).unwrap();
        assert_eq!(check(dir.path(), name, &golden), None);
    }
}

/// 3 GiB in 3 MB, as `odd_zipbomb_3GiB.pb.gz` of the corpus.
#[test]
fn a_bomb_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (name, reason) = REFUSED[5];
    fs::write(dir.path().join(name), gzip(&vec![0; 16 << 20]).repeat(192)).unwrap();
    assert_eq!(is_badly_refused(&top(dir.path(), name), name, reason), None);
}

#[test]
fn a_bad_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let name = "bad.heap";
    let rows = "1: 8 [1: 8] @ 0x1\n".repeat(10);
    fs::write(dir.path().join(name), format!("heap profile: 1: 8 [1: 8] @ heap/2\n{rows}1: 8 [1:\n")).unwrap();
    let reason = "parsing profile: heap profile text: found \"1: 8 [1:\", expected COUNT: BYTES [COUNT: BYTES] @ \
                  0xADDRESS 0xADDRESS … (at line 12)";
    assert_eq!(is_badly_refused(&top(dir.path(), name), name, reason), None);
}
