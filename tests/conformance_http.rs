//! The rows of the same table that are about `wprof run --http`.

use proto::{Limits, Profile, decode};
use support::http::Server;
use support::machine::workspace;
use support::pprof::pprof;
use support::proxy::Proxy;
use support::wprof::{RunningWprof, Wprof};

fn busy(options: &[&str]) -> (RunningWprof, Server, Proxy) {
    let options = [&["--http=:0", "--http-host=127.0.0.1", "--memprofilerate=1"], options].concat();
    let mut running = Wprof::run(&options, workspace().join("tests/http/busy.wat"), &[]).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    let proxy = Proxy::before(server.authority());
    (running, server, proxy)
}

#[test]
fn top_heap_is_one_get() {
    let (running, _server, proxy) = busy(&[]);
    let url = format!("http://{}/debug/pprof/heap", proxy.address());
    let Some(said) = pprof(running.dir(), &["-top", &url]) else { return };
    assert!(said.clean().contains("  keep\n"));
    assert_eq!(proxy.asked(), ["GET /debug/pprof/heap"]);
}

#[test]
fn top_heap_without_names_is_one_get_and_one_post() {
    let (running, _server, proxy) = busy(&["--strip-symbols"]);
    let url = format!("http://{}/debug/pprof/heap", proxy.address());
    let Some(said) = pprof(running.dir(), &["-top", &url]) else { return };
    // It has tried the file first, which is none of a processor's.
    assert!(said.code == Some(0) && said.stdout.contains("  keep\n"), "{said:#?}");
    assert_eq!(proxy.asked(), ["GET /debug/pprof/heap", "POST /debug/pprof/symbol"]);
    // And so does wprof's own.
    let run = Wprof::new("top").arg(&url).finish().expect_code(0);
    assert!(run.stdout().contains("  keep\n"), "{}", run.stdout());
}

#[test]
fn top_seconds_2_takes_a_profile_of_2_seconds() {
    let (running, _server, proxy) = busy(&[]);
    let url = format!("http://{}", proxy.address());
    let Some(said) = pprof(running.dir(), &["-top", "-seconds=2", &url]) else { return };
    let printed = said.clean();
    assert!(printed.contains("\nDuration: 2"), "{printed}");
    assert_eq!(proxy.asked(), ["GET /debug/pprof/profile?seconds=2"]);
}

#[test]
fn two_profiles_at_once_are_one_too_many() {
    let (running, server, proxy) = busy(&[]);
    let _taken = server.take_cpu();
    let url = format!("http://{}/debug/pprof/profile?seconds=1", proxy.address());
    let Some(said) = pprof(running.dir(), &["-top", &url]) else { return };
    assert_ne!(said.code, Some(0));
    let body =
        "server response: 500 Internal Server Error - Could not enable CPU profiling: cpu profiling already in use";
    assert!(said.stderr.contains(body), "{}", said.stderr);
}

#[test]
fn errors_have_their_status_and_mark() {
    let (_running, server, _proxy) = busy(&[]);
    for (path, status) in [("heap?seconds=0", 400), ("nope", 404), ("heap?seconds=1&debug=1", 400)] {
        let answer = server.get(&format!("/debug/pprof/{path}"));
        assert_eq!((answer.status, answer.header("x-go-pprof")), (status, "1"), "{path}");
    }
}

/// A guest that has done its work and sleeps.
const IDLE: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00ready\n")
  (global $top (mut i32) (i32.const 4096))
  (func $malloc (export "malloc") (param i32) (result i32)
    (global.set $top (i32.add (global.get $top) (local.get 0))) (global.get $top))
  (func $free (export "free") (param i32))
  (func $keep (drop (call $malloc (i32.const 100))))
  (func $drop_one (call $free (call $malloc (i32.const 200))))
  (func (export "_start")
    (call $keep) (call $keep) (call $drop_one)
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 640)))
    (i32.store (i32.const 520) (i32.const 1)) (i64.store (i32.const 528) (i64.const 100000000000))
    (drop (call $poll (i32.const 504) (i32.const 640) (i32.const 1) (i32.const 720)))))"#;

#[test]
fn delta_heap_has_what_is_in_use_each_time_and_what_was_allocated_once() {
    let options = ["--http=:0", "--memprofilerate=1", "guest.wat"];
    let mut running = Wprof::new("run").file("guest.wat", IDLE).args(options).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    let sums = || {
        let profile: Profile = decode(&server.get("/debug/pprof/delta_heap").body, &Limits::default()).unwrap();
        let sum = |column: usize| profile.samples().map(|it| it.values[column]).sum::<i64>();
        [sum(0), sum(1), sum(2), sum(3)]
    };
    assert_eq!([sums(), sums(), sums()], [[3, 400, 2, 200], [0, 0, 2, 200], [0, 0, 2, 200]]);
}
