//! The example of the library: a service that runs an instance a request serves one profile of them all.
#![expect(clippy::unwrap_used, reason = "what a test cannot read may stop it")]

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use proto::{Limits, Profile, decode};
use support::http::Server;
use support::machine::{service_bin, workspace};
use support::running::{Running, Signal};
use support::stacks::{cum, flat, total};

/// The service, running a guest that takes 3 MB a request.
fn service() -> (Running, Server) {
    let mut command = Command::new(service_bin());
    command.arg(workspace().join("tests/service/handler.wat")).arg("127.0.0.1:0");
    let mut running = Running::start(&mut command);
    let line = running.wait_for_line("serving ");
    (running, Server::at(line.trim().trim_start_matches("serving ")))
}

fn profile(server: &Server, path: &str) -> Profile {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    decode(&answer.body, &Limits::default()).unwrap()
}

fn request(server: &Server) {
    let answer = server.get("/any/path");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello\n"));
}

#[test]
fn cpu_and_heap_of_all_requests_are_one_profile() {
    const N: usize = 100;
    let (running, server) = service();
    (0..N).for_each(|_| request(&server));
    let heap = profile(&server, "/debug/pprof/heap");
    let (n_allocated, bytes) = (total(&heap, 0), total(&heap, 1));
    // Of blocks of that size nearly each is sampled, and those stand for the others.
    let expected = i64::try_from(3 * N).unwrap();
    assert!((expected * 8 / 10..expected * 12 / 10).contains(&n_allocated), "{n_allocated} blocks for {expected}");
    assert_eq!(bytes, cum(&heap, 1, "handle"), "all of it by one function");
    // Estimates of counts are rounded down.
    assert!((bytes / n_allocated - 1_000_000).abs() < 10_000, "{bytes} bytes in {n_allocated} blocks");
    assert_eq!((total(&heap, 2), total(&heap, 3)), (0, 0), "nothing outlives its request");
    let memory = profile(&server, "/debug/pprof/memory");
    assert_eq!(total(&memory, 0), i64::try_from(N).unwrap(), "each instance has a memory");

    let is_over = AtomicBool::new(false);
    let cpu = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                request(&server);
            }
        });
        let cpu = profile(&server, "/debug/pprof/profile?seconds=3");
        is_over.store(true, Ordering::Relaxed);
        cpu
    });
    // Each request is shorter than the period of 10 ms.
    let all = total(&cpu, 1);
    assert!(all > 200_000_000, "{all} ns");
    assert!(
        flat(&cpu, 1, "work") > all * 6 / 10 && cum(&cpu, 1, "handle") > all * 7 / 10,
        "{:?}",
        support::stacks::lines(&cpu, 1)
    );
    let goroutines = server.get("/debug/pprof/goroutine?debug=1").text();
    assert!(goroutines.starts_with("goroutine profile: total 0"), "no request is under way: {goroutines}");
    running.signal(Signal::TERM);
    drop(running.finish());
}
