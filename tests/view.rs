//! `wprof view` serves the viewer and the profiles it was given, to this machine's own browser only.

use std::path::PathBuf;

use serde_json::json;
use support::http::Server;
use support::machine::workspace;
use support::running::Signal;
use support::wprof::{RunningWprof, Wprof};

fn profile(name: &str) -> PathBuf {
    workspace().join("tests/profiles/synth").join(name)
}

/// `wprof view --no-open` on these, and where it listens.
fn view(files: &[PathBuf]) -> (RunningWprof, Server) {
    let mut running = Wprof::new("view").arg("--no-open").args(files).start();
    let line = running.process.wait_for_message("the viewer is at http://127.0.0.1:");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default();
    (running, Server::at(url))
}

#[test]
fn serves_the_bundle() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    let index = server.get("/");
    assert_eq!((index.status, index.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(index.text().contains("<title>wprof</title>"), "{}", index.text());
    for (path, mime) in [
        ("/index.html", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/wprof_viewer.js", "text/javascript; charset=utf-8"),
        ("/wprof_viewer_bg.wasm", "application/wasm"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, mime), "{path}");
        assert!(!answer.body.is_empty(), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    assert!(server.get("/wprof_viewer_bg.wasm").body.starts_with(b"\0asm"));
}

#[test]
fn lists_and_serves_the_profiles_it_was_given() {
    let files = [profile("wasm_cpu.pb.gz"), profile("wasm_heap.pb.gz")];
    let (_running, server) = view(&files);
    let list = server.get("/api/profiles");
    assert_eq!(list.header("content-type"), "application/json");
    assert_eq!(
        list.json(),
        json!([
            { "name": "wasm_cpu.pb.gz", "url": "/api/profiles/0" },
            { "name": "wasm_heap.pb.gz", "url": "/api/profiles/1" },
        ])
    );
    for (idx, file) in files.iter().enumerate() {
        let answer = server.get(&format!("/api/profiles/{idx}"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, std::fs::read(file).expect("a committed file"));
    }
}

#[test]
fn a_profile_is_read_anew_each_time() {
    let wprof = Wprof::new("view").args(["--no-open", "cpu.prof"]).file("cpu.prof", "first");
    let mut running = wprof.start();
    let line = running.process.wait_for_message("the viewer is at ");
    let server = Server::at(line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default());
    assert_eq!(server.get("/api/profiles/0").text(), "first");
    std::fs::write(running.dir().join("cpu.prof"), "second").expect("a writable folder");
    assert_eq!(server.get("/api/profiles/0").text(), "second");
    std::fs::remove_file(running.dir().join("cpu.prof")).expect("it is there");
    let gone = server.get("/api/profiles/0");
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("cpu.prof"), "{}", gone.text());
}

#[test]
fn unknown_paths_are_not_found() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    for path in
        ["/nope", "/api/profiles/1", "/api/profiles/99999", "/..%2f..%2fetc/passwd", "/api/nope", "//etc/passwd"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let odd = server.get("/api/profiles/one").status;
    assert!((400..500).contains(&odd), "{odd}");
}

/// DNS rebinding: a page elsewhere gives its own name our address.
#[test]
fn another_hosts_name_is_refused() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    let port = server.url().rsplit(':').next().unwrap_or_default();
    for host in ["evil.example", "evil.example:80", &format!("evil.example:{port}"), "127.0.0.1:1", "localhost"] {
        for path in ["/", "/api/profiles", "/api/profiles/0"] {
            let answer = server.get_with(path, &[("host", host)]);
            assert_eq!(answer.status, 403, "{host} {path}");
            assert!(!answer.text().contains("wasm_cpu"), "{host} {path}");
        }
    }
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LOCALHOST:{port}")] {
        assert_eq!(server.get_with("/api/profiles", &[("host", &host)]).status, 200, "{host}");
    }
    let open = server.get_with("/api/profiles", &[("origin", "http://evil.example")]);
    assert_eq!(open.header("access-control-allow-origin"), "", "no other page may read the answer");
}

#[test]
fn a_port_can_be_chosen_and_ctrl_c_ends_it() {
    let (running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    let port = server.url().rsplit(':').next().unwrap_or_default().to_owned();
    let taken = Wprof::new("view").args(["--no-open", "--port", &port]).arg(profile("wasm_cpu.pb.gz")).finish();
    let taken = taken.expect_code(1);
    assert!(taken.stderr().contains(&format!("failed to listen on 127.0.0.1:{port}")), "{}", taken.stderr());
    running.process.signal(Signal::INT);
    assert_eq!(running.finish().code(), 130);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    for (file, message) in [("no-such.prof", "failed to read no-such.prof"), (".", ". is a folder")] {
        let run = Wprof::new("view").args(["--no-open", file]).finish().expect_code(1);
        assert!(run.stderr().starts_with("wprof: error: ") && run.stderr().contains(message), "{}", run.stderr());
    }
    let run = Wprof::new("view").finish().expect_code(2);
    assert!(run.stderr().contains("<FILE>"), "{}", run.stderr());
}
