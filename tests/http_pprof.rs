//! `go tool pprof` on the address of `wprof run --http`.
#![expect(clippy::unwrap_used, reason = "what a test cannot read may stop it")]

use std::process::Output;

use support::http::Server;
use support::machine::{pprof, skip, workspace};
use support::wprof::{RunningWprof, Wprof};

fn busy() -> (RunningWprof, Server) {
    let options = ["--http=:0", "--memprofilerate=1"];
    let mut running = Wprof::run(&options, workspace().join("tests/http/busy.wat"), &[]).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    (running, server)
}

/// `pprof -top OPTIONS URL`; `None` without pprof.
fn top(running: &RunningWprof, options: &[&str], url: &str) -> Option<Output> {
    let mut command = pprof("what is served, read")?;
    command.arg("-top").args(options).arg(url).env("PPROF_TMPDIR", running.dir()).current_dir(running.dir());
    Some(command.output().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn pprof_reads_what_is_served() {
    let (running, server) = busy();
    for (path, kind, function) in [
        ("heap", "Type: inuse_space", "keep"),
        ("allocs", "Type: alloc_space", "serve"),
        ("delta_heap?client=pprof", "Type: inuse_space", "keep"),
        ("heap?debug=1", "Type: inuse_space", "keep"),
        ("example.com%2F%3Cconns%3E%26", "Type: example.com/<conns>&", "serve"),
    ] {
        let url = format!("{}/debug/pprof/{path}", server.url());
        let Some(output) = top(&running, &[], &url) else { return skip("it is about pprof alone") };
        let (said, printed) = (text(&output.stderr), text(&output.stdout));
        assert!(
            output.status.success() && printed.contains(kind) && printed.contains(function),
            "{path}: {said}{printed}"
        );
        assert!(!said.contains("error") && !said.contains("symboliz"), "{path}: {said}");
    }
}

#[test]
fn pprof_takes_cpu_profiles() {
    let (running, server) = busy();
    let Some(output) = top(&running, &["-seconds=1"], server.url()) else { return skip("it is about pprof alone") };
    let printed = text(&output.stdout);
    assert!(output.status.success() && printed.contains("Type: cpu"), "{}{printed}", text(&output.stderr));
    assert!(printed.contains("Duration: 1") && printed.contains(" work\n"), "{printed}");
    // What keeps it from taking one it shows.
    let url = format!("{}/debug/pprof/profile?seconds=5", server.url());
    let _taken = server.take_cpu();
    let Some(refused) = top(&running, &[], &url) else { return };
    let said = "500 Internal Server Error - Could not enable CPU profiling: cpu profiling already in use";
    assert!(!refused.status.success() && text(&refused.stderr).contains(said), "{}", text(&refused.stderr));
}
