//! `wprof view` serves the viewer and the profiles it was given, to this machine's own browser only.
#![expect(clippy::expect_used, reason = "what a test cannot read may stop it")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::Server;
use support::machine::{profile, workspace};
use support::running::{HANG, Signal};
use support::wprof::{RunningWprof, Wprof};

/// `wprof view --no-open` with these arguments, and where it listens.
fn view(args: &[impl AsRef<OsStr>]) -> (RunningWprof, Server) {
    Wprof::new("view").arg("--no-open").args(args).start_viewer()
}

/// Expects `wprof view` to end with an error that says these.
fn expect_error(wprof: Wprof, said: &[&str]) {
    let run = wprof.arg("--no-open").finish().expect_code(1);
    assert!(run.stderr().contains("wprof: error: "), "{}", run.stderr());
    said.iter().for_each(|it| assert!(run.stderr().contains(it), "{it:?} is not said: {}", run.stderr()));
}

/// A profile's entry in the list.
fn entry(name: &str, url: &str, file: &Path) -> Value {
    json!({ "name": name, "url": url, "size": fs::metadata(file).expect("it is there").len() })
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|it| it["name"].as_str().expect("a name")).collect()
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

/// A browser asks each time, and loads only what is another build's.
#[test]
fn the_bundle_is_loaded_once() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    let first = server.get("/style.css");
    let (tag, cache) = (first.header("etag"), first.header("cache-control"));
    assert_eq!((tag.len(), cache), (34, "no-cache"), "{tag}");
    assert_ne!(tag, server.get("/worker.js").header("etag"));
    for (known, status) in [(tag, 304), (&*format!("\"x\", W/{tag}"), 304), ("\"x\"", 200)] {
        let again = server.get_with("/style.css", &[("if-none-match", known)]);
        assert_eq!((again.status, again.header("etag")), (status, tag), "{known}");
        assert_eq!(again.body.is_empty(), status == 304, "{known}");
    }
}

#[test]
fn every_answer_has_the_headers_that_keep_others_out() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    let page = server.get("/").text();
    let in_page = page.split("content=\"default-src").nth(1).and_then(|it| it.split('"').next());
    let policy = format!("default-src{}; frame-ancestors 'none'", in_page.expect("the page has a policy"));
    for part in ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'", "base-uri 'none'"]
    {
        assert!(policy.split("; ").any(|it| it == part), "{part}: {policy}");
    }
    let elsewhere = [("host", "evil.example")];
    for (what, answer, status, cache) in [
        ("the page", server.get("/"), 200, "no-cache"),
        ("the worker", server.get("/worker.js"), 200, "no-cache"),
        ("the list", server.get("/api/profiles"), 200, "no-store"),
        ("a profile", server.get("/api/profiles/0"), 200, "no-store"),
        ("its head", server.head("/api/profiles/0"), 200, "no-store"),
        ("nothing", server.get("/api/profiles/7"), 404, "no-store"),
        ("a change", server.ask("POST", "/api/profiles"), 405, "no-store"),
        ("another's", server.get_with("/", &elsewhere), 403, "no-cache"),
    ] {
        assert_eq!(answer.status, status, "{what}");
        for (name, value) in [
            ("content-security-policy", policy.as_str()),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", cache),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {what}");
        }
    }
}

#[test]
fn it_only_reads() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    for path in ["/", "/api/profiles", "/api/profiles/0", "/api/source", "/api/open", "/nope"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let answer = server.ask(method, path);
            assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method} {path}");
            assert!(answer.text().contains("GET and HEAD only"), "{method} {path}");
        }
        let (got, head) = (server.get(path), server.head(path));
        assert_eq!((head.status, head.header("content-length")), (got.status, got.header("content-length")), "{path}");
        assert!(head.body.is_empty() && !got.body.is_empty(), "{path}");
    }
}

/// So that the page can tell how far it is.
#[test]
fn a_profile_is_streamed_with_its_length() {
    let bytes: Vec<u8> = (0..3_000_005_u32).map(|it| it.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
    let (_running, server) = Wprof::new("view").args(["--no-open", "big.prof"]).file("big.prof", &bytes).start_viewer();
    for answer in [server.get("/api/profiles/0"), server.head("/api/profiles/0")] {
        let mime = "application/octet-stream";
        assert_eq!((answer.header("content-length"), answer.header("content-type")), ("3000005", mime));
        assert_eq!(answer.header("transfer-encoding"), "");
    }
    assert!(server.get("/api/profiles/0").body == bytes, "other bytes");
}

#[test]
fn lists_and_serves_the_profiles_it_was_given() {
    let files = [profile("wasm_cpu.pb.gz"), profile("wasm_heap.pb.gz")];
    let (_running, server) = view(&files);
    let list = server.get("/api/profiles");
    assert_eq!(list.header("content-type"), "application/json");
    assert_eq!(
        list.json(),
        json!({
            "profiles": [
                entry("wasm_cpu.pb.gz", "/api/profiles/0", &files[0]),
                entry("wasm_heap.pb.gz", "/api/profiles/1", &files[1]),
            ],
            "base": null,
            "modules": [],
            "sources": true,
        })
    );
    for (idx, file) in files.iter().enumerate() {
        let answer = server.get(&format!("/api/profiles/{idx}"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, fs::read(file).expect("a committed file"));
    }
}

#[test]
fn a_profile_is_read_anew_each_time() {
    let (running, server) = Wprof::new("view").args(["--no-open", "cpu.prof"]).file("cpu.prof", "first").start_viewer();
    assert_eq!(server.get("/api/profiles/0").text(), "first");
    fs::write(running.dir().join("cpu.prof"), "second").expect("a writable folder");
    assert_eq!(server.get("/api/profiles/0").text(), "second");
    fs::remove_file(running.dir().join("cpu.prof")).expect("it is there");
    let gone = server.get("/api/profiles/0");
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("failed to read cpu.prof: No such file"), "{}", gone.text());
    assert_eq!(server.get("/api/profiles").json()["profiles"][0]["size"], Value::Null);
}

#[test]
fn unknown_paths_are_not_found() {
    let (_running, server) = view(&[profile("wasm_cpu.pb.gz")]);
    for path in [
        "/nope",
        "/api/profiles/1",
        "/api/profiles/99999",
        "/api/profiles/one",
        "/api/profiles/-1",
        "/api/profiles/0/",
        "/api/base",
        "/api/modules/0",
        "/api/source",
        "/api/source?path",
        "/..%2f..%2fetc/passwd",
        "/api/nope",
        "//etc/passwd",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().ends_with('\n'), "{path}: {}", answer.text());
    }
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
    expect_error(Wprof::new("view").arg("no-such.prof"), &["failed to read no-such.prof: No such file"]);
    expect_error(
        Wprof::new("view").args(["no.prof", "none.prof"]),
        &["no.prof", "none.prof", "none of 2 could be opened"],
    );
    let run = Wprof::new("view").finish().expect_code(2);
    assert!(run.stderr().contains("<FILE>"), "{}", run.stderr());
}

#[test]
fn what_can_be_opened_is_shown() {
    let mut running = Wprof::new("view").args(["--no-open", "no.prof"]).arg(profile("wasm_cpu.pb.gz")).start();
    running.process.wait_for_message("wprof: error: failed to read no.prof: No such file");
    assert_eq!(names(&running.viewer().get("/api/profiles").json()["profiles"]), ["wasm_cpu.pb.gz"]);
}

/// The server that is asked is another `wprof view`.
#[test]
fn urls_are_fetched_and_served_as_they_are() {
    let heap = profile("wasm_heap.pb.gz");
    let (_other, other) = view(std::slice::from_ref(&heap));
    let [good, bad] = ["0", "9"].map(|it| format!("{}/api/profiles/{it}", other.url()));
    let host = other.url().trim_start_matches("http://");
    let with_user = format!("me:secret@{host}/api/profiles/0?x=1");
    let cpu = profile("wasm_cpu.pb.gz");
    let mut running = Wprof::new("view").args(["--no-open", &bad, &good, &with_user]).arg(&cpu).start();
    running.process.wait_for_message(&format!("failed to fetch {bad}: server response: 404 Not Found"));
    let server = running.viewer();
    let expected = [
        entry(&good, "/api/profiles/0", &heap),
        entry(&format!("{good}?x=1"), "/api/profiles/1", &heap),
        entry("wasm_cpu.pb.gz", "/api/profiles/2", &cpu),
    ];
    assert_eq!(server.get("/api/profiles").json()["profiles"], json!(expected));
    for (idx, file) in [&heap, &heap, &cpu].into_iter().enumerate() {
        let answer = server.get(&format!("/api/profiles/{idx}"));
        let bytes = fs::read(file).expect("a committed file");
        assert_eq!(answer.header("content-length"), bytes.len().to_string());
        assert_eq!(answer.body, bytes);
    }
    expect_error(Wprof::new("view").arg(&bad), &[&format!("failed to fetch {bad}: server response: 404 Not Found")]);
    expect_error(Wprof::new("view").arg(&cpu).arg("--base").arg(&bad), &["failed to fetch", "404 Not Found"]);
}

#[test]
fn a_base_is_served_beside_the_profiles() {
    let (cpu, before) = (profile("wasm_cpu_b.pb.gz"), profile("wasm_cpu.pb.gz"));
    let (_other, other) = view(std::slice::from_ref(&before));
    let url = format!("{}/api/profiles/0", other.url());
    let file = before.to_str().expect("a path in UTF-8");
    for (option, name, is_diff) in [
        (format!("--base={file}"), "wasm_cpu.pb.gz", false),
        (format!("-diff_base={file}"), "wasm_cpu.pb.gz", true),
        (format!("--diff-base={url}"), url.as_str(), true),
    ] {
        let (_running, server) = Wprof::new("view").args(["--no-open", &option]).arg(&cpu).start_viewer();
        let list = server.get("/api/profiles").json();
        let mut expected = entry(name, "/api/base", &before);
        expected["is_diff"] = is_diff.into();
        assert_eq!(list["base"], expected, "{option}");
        assert_eq!(names(&list["profiles"]), ["wasm_cpu_b.pb.gz"], "{option}");
        assert_eq!(server.get("/api/base").body, fs::read(&before).expect("a committed file"), "{option}");
    }
    let on_cpu = || Wprof::new("view").arg(&cpu);
    expect_error(on_cpu().args(["--base", "none.prof"]), &["failed to read none.prof"]);
    expect_error(on_cpu().args(["--base", "."]), &[". is a folder: expected a profile"]);
    expect_error(on_cpu().args(["-base=m.wasm"]).file("m.wasm", "\0asm"), &["m.wasm is a module: expected a profile"]);
    let both = on_cpu().args(["--base", file, "--diff_base", file]).finish().expect_code(2);
    assert!(both.stderr().contains("cannot be used with"), "{}", both.stderr());
}

/// By how they begin, whatever their names.
#[test]
fn modules_are_told_from_profiles() {
    let files = ["--no-open", "a.prof", "m.bin", "x.wasm"];
    let wprof = Wprof::new("view").args(files).file("a.prof", "a").file("m.bin", "\0asm\x01").file("x.wasm", "none");
    let (_running, server) = wprof.start_viewer();
    let list = server.get("/api/profiles").json();
    assert_eq!(names(&list["profiles"]), ["a.prof", "x.wasm"]);
    assert_eq!(list["modules"], json!([{ "name": "m.bin", "url": "/api/modules/0", "size": 5 }]));
    assert_eq!(server.get("/api/modules/0").text(), "\0asm\x01");
    assert_eq!(server.get("/api/modules/1").status, 404);
    expect_error(Wprof::new("view").arg("m").file("m", "\0asm"), &["there are modules only"]);
}

#[test]
fn a_folder_is_all_profiles_in_it() {
    let wprof = Wprof::new("view").args(["--no-open", "."]);
    let text = "main;f 3\n";
    let wprof = wprof.file("b.prof", "x").file("a.pb.gz", "x").file("app.wasm", "\0asm").file("fake.wasm", "x");
    let wprof = wprof.file("c.txt", text).file("notes.txt", "Dear diary").file("cpu.out", text).file("plain", text);
    let wprof = wprof.file("z1.rs", "").file("z2.rs", "").file("z3.rs", "").file("z4.rs", "").file(".hidden.prof", "x");
    fs::create_dir(wprof.dir().join("below.prof")).expect("a fresh folder");
    let mut running = wprof.start();
    let skipped = "in ., skipped as no profiles: fake.wasm, notes.txt, z1.rs, z2.rs, z3.rs and 1 more";
    running.process.wait_for_message(skipped);
    let list = running.viewer().get("/api/profiles").json();
    assert_eq!(names(&list["profiles"]), ["a.pb.gz", "b.prof", "c.txt", "cpu.out", "plain"]);
    assert_eq!(names(&list["modules"]), ["app.wasm"]);
    let none = Wprof::new("view").arg(".").file("readme.md", "");
    expect_error(none, &["no profile is in the folder ., only readme.md"]);
}

#[test]
fn files_of_one_name_are_told_apart() {
    let wprof = Wprof::new("view").args(["--no-open", "a/cpu.prof", "b/cpu.prof", "b/heap.prof"]);
    for name in ["a/cpu.prof", "b/cpu.prof", "b/heap.prof"] {
        let path = wprof.dir().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(path, "x").expect("a writable folder");
    }
    let (_running, server) = wprof.start_viewer();
    let list = server.get("/api/profiles").json();
    assert_eq!(names(&list["profiles"]), ["a/cpu.prof", "b/cpu.prof", "heap.prof"]);
}

/// `wprof view <(command)` in a shell.
#[test]
fn a_pipe_is_read_once() {
    let mut running = Wprof::new("view").args(["--no-open", "/dev/stdin"]).start();
    running.process.write_stdin(b"all of it".to_vec());
    let server = running.viewer();
    for _ in 0..2 {
        assert_eq!(server.get("/api/profiles/0").text(), "all of it");
    }
}

/// A browser in the user's place: a script that notes what it is to open.
#[test]
fn run_opens_the_viewer_on_what_it_wrote() {
    let guest = fs::read(workspace().join("tests/cli/hello.wat")).expect("a committed file");
    let wprof = Wprof::run(&["--view"], "hello.wat", &[]).file("hello.wat", guest);
    let browser = wprof.file("xdg-open", "#!/bin/sh\necho \"$1\" > opening\nmv opening opened\n");
    let dir = browser.dir().to_owned();
    fs::set_permissions(dir.join("xdg-open"), fs::Permissions::from_mode(0o755)).expect("a file of ours");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(dir.clone()).chain(std::env::split_paths(&path)));
    let (running, server) = browser.env("PATH", path.expect("folders without colons")).start_viewer();
    let list = server.get("/api/profiles").json();
    assert_eq!((&list["base"], &list["modules"]), (&Value::Null, &json!([])));
    let profiles = list["profiles"].as_array().expect("a list");
    assert!(names(&list["profiles"]).contains(&"cpu.prof"), "{list}");
    for profile in profiles {
        let [name, url] = ["name", "url"].map(|it| profile[it].as_str().expect("text"));
        assert_eq!(server.get(url).body, fs::read(dir.join(name)).expect("it was written"), "{name}");
    }
    let opened = dir.join("opened");
    let deadline = Instant::now() + HANG;
    while !opened.exists() {
        assert!(Instant::now() < deadline, "no browser was opened");
        sleep(Duration::from_millis(5));
    }
    assert_eq!(fs::read_to_string(opened).expect("it is there"), format!("{}/\n", server.url()));
    running.process.signal(Signal::INT);
    assert_eq!(running.finish().code(), 130);
}
