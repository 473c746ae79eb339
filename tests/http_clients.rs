//! Clients of `wprof run --http` that are slow, many, gone or others', and guests that end meanwhile.
#![expect(clippy::unwrap_used, reason = "what a test cannot read may stop it")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use proto::{Limits, Profile, decode};
use support::http::Server;
use support::machine::workspace;
use support::on_both_samplers;
use support::running::Signal;
use support::sampler::Sampler;
use support::wprof::{RunningWprof, Wprof};

on_both_samplers!(a_guest_that_ends_ends_its_profiles);

/// Ends at once, with 7.
const SHORT: &str = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
    (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const 7))))";

fn busy_with(options: &[&str]) -> (RunningWprof, Server) {
    let mut running = Wprof::run(options, workspace().join("tests/http/busy.wat"), &[]).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    (running, server)
}

fn busy() -> (RunningWprof, Server) {
    busy_with(&["--http=:0", "--memprofilerate=1"])
}

fn decoded(body: &[u8]) -> Profile {
    decode(body, &Limits::default()).unwrap()
}

#[test]
fn one_at_a_time_takes_cpu_profiles() {
    let (_running, server) = busy();
    let answers = thread::scope(|scope| {
        let ask = || server.get("/debug/pprof/profile?seconds=2");
        let both = [scope.spawn(ask), scope.spawn(ask)];
        both.map(|it| it.join().unwrap())
    });
    let mut statuses = answers.each_ref().map(|it| it.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 500]);
    let refused = answers.iter().find(|it| it.status == 500).unwrap();
    assert_eq!(refused.text(), "Could not enable CPU profiling: cpu profiling already in use\n");
    assert_eq!(server.get("/debug/pprof/profile?seconds=1").status, 200);
}

/// Nobody would take it otherwise for the next minutes.
#[test]
fn a_client_that_leaves_ends_its_cpu_profile() {
    let (_running, server) = busy();
    let stream = server.take_cpu();
    assert_eq!(server.get("/debug/pprof/profile?seconds=1").status, 500);
    drop(stream);
    assert!(!server.get_until("/debug/pprof/profile?seconds=1", 200).body.is_empty());
}

#[test]
fn a_profile_of_the_whole_run_keeps_clients_from_theirs() {
    let (running, server) = busy_with(&["--http=:0", "--cpuprofile=mine.prof"]);
    let refused = server.get("/debug/pprof/profile?seconds=1");
    let said = "Could not enable CPU profiling: cpu profiling already in use\n";
    assert_eq!((refused.status, refused.text().as_str()), (500, said));
    running.process.signal(Signal::INT);
    let run = running.finish().expect_code(130);
    assert!(run.path("mine.prof").is_file() && !run.path("cpu.prof").exists());
}

#[test]
fn many_are_answered_while_others_stall() {
    let (_running, server) = busy();
    let mut stalled = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(server.authority()).unwrap();
        write!(stream, "GET /debug/pprof/heap HTTP/1.1\r\nHo").unwrap();
        stalled.push(stream);
    }
    thread::scope(|scope| {
        let ask = || {
            let own = Server::at(server.url());
            (0..4).map(|_| own.get("/debug/pprof/heap").status).collect::<Vec<_>>()
        };
        let mut all = Vec::new();
        for _ in 0..64 {
            all.push(scope.spawn(ask));
        }
        all.into_iter().for_each(|it| assert_eq!(it.join().unwrap(), [200; 4]));
    });
    // Those who took their time are answered in the end.
    let mut stream = stalled.pop().unwrap();
    write!(stream, "st: {}\r\nConnection: close\r\n\r\n", server.authority()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn another_hosts_name_is_refused() {
    let (_running, server) = busy_with(&["--http=:0", "--http-host", "box.lan"]);
    let (_, port) = server.authority().rsplit_once(':').unwrap();
    let paths = ["/", "/api/profiles", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof"];
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1:1", "localhost"] {
        for path in paths {
            let answer = server.get_with(path, &[("host", host)]);
            assert_eq!(answer.status, 403, "{host} {path}");
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "box.lan".into(), "BOX.lan:80".into()] {
        for path in paths {
            assert!([200, 307].contains(&server.get_with(path, &[("host", &host)]).status), "{host} {path}");
        }
    }
}

/// Whoever reaches the machine then reaches the profiles, which the user is told.
#[test]
fn other_addresses_can_be_served() {
    let mut running = Wprof::run(&["--http=0.0.0.0:0"], workspace().join("tests/http/busy.wat"), &[]).start();
    let line = running.process.wait_for_message("serving http://0.0.0.0:");
    running.process.wait_for_message("can read the guest's profiles");
    let port = line.trim().trim_end_matches("/debug/pprof/").rsplit(':').next().unwrap().to_owned();
    running.process.wait_for_line("ready");
    let server = Server::at(&format!("http://127.0.0.1:{port}"));
    assert_eq!(server.get("/debug/pprof/heap").status, 200);
    assert_eq!(server.get_with("/debug/pprof/heap", &[("host", "evil.example")]).status, 403);
}

#[test]
fn a_port_that_is_taken_is_an_error_before_the_guest_runs() {
    let (_running, server) = busy();
    let option = format!("--http={}", server.authority());
    let run = Wprof::run(&[&option], workspace().join("tests/http/busy.wat"), &[]).finish().expect_code(1);
    let said = format!("failed to listen on {} for --http: ", server.authority());
    assert!(run.stderr().contains(&said) && run.stdout().is_empty(), "{}", run.stderr());
    let run = Wprof::run(&["--http=nonsense"], workspace().join("tests/http/busy.wat"), &[]).finish().expect_code(1);
    assert!(run.stderr().contains("--http=nonsense: expected HOST:PORT or :PORT"), "{}", run.stderr());
}

/// The guest ends long before the profile would; who waits gets what there is, and the process does not stay for the rest.
fn a_guest_that_ends_ends_its_profiles(sampler: Sampler) {
    let options = ["--sampler", sampler.name(), "--http=:0", "--timeout=2s"];
    let (running, server) = busy_with(&options);
    let (cpu, delta) = thread::scope(|scope| {
        let cpu = scope.spawn(|| server.get("/debug/pprof/profile?seconds=600"));
        let delta = scope.spawn(|| server.get("/debug/pprof/allocs?seconds=600"));
        (cpu.join().unwrap(), delta.join().unwrap())
    });
    assert_eq!((cpu.status, delta.status), (200, 200), "{sampler:?}");
    let cpu = decoded(&cpu.body);
    assert!(cpu.n_samples() > 0 && cpu.duration_nanos() < 60_000_000_000, "{sampler:?}");
    assert!(cpu.functions().iter().any(|it| cpu.string(it.name) == "work"), "{sampler:?}");
    assert_eq!(delta.header("content-disposition"), "attachment; filename=\"allocs-delta\"");
    let run = running.finish().expect_code(124);
    assert!(run.path("heap.prof").is_file() && !run.path("cpu.prof").exists());
}

#[test]
fn it_goes_on_serving_if_asked_to() {
    let mut running = Wprof::run(&["--http=:0", "--http-wait"], "short.wat", &[]).file("short.wat", SHORT).start();
    let server = running.http();
    running.process.wait_for_message("the guest has ended; still serving http://127.0.0.1:");
    assert!(running.dir().join("memory.prof").is_file(), "files are written as soon as it has ended");
    assert_eq!(server.get("/debug/pprof/memory").status, 200);
    let cpu = server.get("/debug/pprof/profile?seconds=600");
    assert_eq!((cpu.status, decoded(&cpu.body).n_samples()), (200, 0), "there is nothing to wait for");
    assert!(!running.process.has_ended());
    running.process.signal(Signal::INT);
    assert_eq!(running.finish().code(), 7);
}

#[test]
fn it_ends_with_the_guest_otherwise() {
    let (running, server) = busy();
    // A connection that stays open keeps nobody.
    assert_eq!(server.get("/debug/pprof/cmdline").status, 200);
    running.process.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 143);
    let run = Wprof::run(&["--http=:0"], "short.wat", &[]).file("short.wat", SHORT).finish();
    assert_eq!(run.code(), 7);
    assert!(!run.path("cpu.prof").exists(), "CPU time is for clients to ask for");
    let without = Wprof::run(&["--http-wait"], "short.wat", &[]).finish().expect_code(2);
    assert!(without.stderr().contains("--http"), "{}", without.stderr());
}
