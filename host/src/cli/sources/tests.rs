//! Profiles from a server on this machine, and from files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use clap::Parser;
use proto::{FunctionSpec, Line, MappingSpec, ProfileBuilder, encode, encode_gzip};

use super::*;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    fetch: FetchOpts,
}

fn opts(options: &[&str]) -> FetchOpts {
    Command::parse_from([&["test"], options].concat()).fetch
}

/// Answers one connection with each of `answers`, and returns what was asked: `GET /path`, or `POST /path body`.
fn serve(answers: Vec<Vec<u8>>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let question = read_request(&stream);
                stream.write_all(&answer).unwrap();
                question
            })
            .collect()
    });
    (address, server)
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut header = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let request = header().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let line = header().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    format!("{request} {}", String::from_utf8(body).unwrap()).trim_end().to_owned()
}

fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|it| format!("{it}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn profile(n_samples: i64) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let main = builder.function(FunctionSpec { name: "main", ..FunctionSpec::default() });
    let main = builder.location(None, 0, &[Line { function: main, line: 1, column: 0 }]);
    builder.sample(&[main], &[n_samples], &[]);
    builder.finish()
}

fn total(profile: &Profile) -> i64 {
    proto::analysis::total(profile, 0, false)
}

/// Names of a profile's locations, innermost of each; an address where there is none.
fn names(profile: &Profile) -> Vec<String> {
    let name = |id| match profile.lines(id).first() {
        Some(line) => profile.string(profile.function(line.function).name).to_owned(),
        None => format!("{:#x}", profile.location(id).address),
    };
    profile.location_ids().map(name).collect()
}

#[test]
fn a_host_is_asked_for_its_profile() {
    let check = |path: &str, options: &[&str], body: Vec<u8>, asked: &str| {
        let (address, server) = serve(vec![answer("200 OK", &[], &body)]);
        let fetched = fetch(&[format!("{address}{path}")], "source", &opts(options)).unwrap();
        assert_eq!(total(&fetched), 3, "{path}");
        assert_eq!(server.join().unwrap(), [asked]);
    };
    check("", &[], encode_gzip(&profile(3)), "GET /debug/pprof/profile");
    check("", &["--seconds=2"], encode_gzip(&profile(3)), "GET /debug/pprof/profile?seconds=2");
    check("/debug/pprof/heap?gc=1", &[], encode(&profile(3)), "GET /debug/pprof/heap?gc=1");
}

#[test]
fn a_server_may_refuse() {
    let check = |answer: Vec<u8>, expected: &str| {
        let (address, server) = serve(vec![answer]);
        let error = fetch_one(OsStr::new(&format!("http://{address}/heap")), &opts(&[])).unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
        assert_eq!(server.join().unwrap(), ["GET /heap"]);
    };
    let busy = b"Could not enable CPU profiling: cpu profiling already in use\n";
    let text = ["X-Go-Pprof: 1", "Content-Type: text/plain; charset=utf-8"];
    let said =
        "server response: 500 Internal Server Error - Could not enable CPU profiling: cpu profiling already in use";
    check(answer("500 Internal Server Error", &text, busy), said);
    check(answer("500 Internal Server Error", &text[1..], busy), "server response: 500 Internal Server Error");
    check(answer("404 Not Found", &text[..1], busy), "server response: 404 Not Found");
    check(answer("204 No Content", &[], b""), "server response: 204 No Content");
    check(answer("200 OK", &[], b""), "parsing profile: empty input file");
}

#[test]
fn time_and_size_are_limited() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // It takes connections, as the system does that for it, and never answers.
    let url = format!("http://{}/heap", listener.local_addr().unwrap());
    let error = http::get(&url, Duration::from_millis(20), 1 << 20, &http::TlsOpts::default()).unwrap_err();
    assert!(format!("{error:#}").starts_with(&format!("Get \"{url}\": timeout")), "{error:#}");
    drop(listener);
    let error = http::get(&url, Duration::from_secs(9), 1 << 20, &http::TlsOpts::default()).unwrap_err();
    assert!(format!("{error:#}").to_lowercase().contains("connection refused"), "{error:#}");

    let body = encode(&profile(3));
    let (address, _server) = serve(vec![answer("200 OK", &[], &body)]);
    let limit = format!("--max-inflated={}", body.len() - 1);
    let error = fetch_one(OsStr::new(&address.to_string()), &opts(&[&limit])).unwrap_err();
    assert!(error.to_string().contains("larger than the limit"), "{error:#}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("profile");
    for bytes in [body.clone(), encode_gzip(&profile(3))] {
        fs::write(&path, &bytes).unwrap();
        let error = format!("{:#}", fetch_one(path.as_os_str(), &opts(&[&limit])).unwrap_err());
        assert!(error.contains("larger than the limit") && error.contains("--max_inflated"), "{error}");
        let limit = format!("--max-inflated={}", body.len().max(bytes.len()));
        assert_eq!(total(&fetch_one(path.as_os_str(), &opts(&[&limit])).unwrap().0), 3);
    }
}

#[test]
fn what_cannot_be_had_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host:1");
    fs::write(&path, encode_gzip(&profile(4))).unwrap();
    let (address, server) =
        serve(vec![answer("200 OK", &[], &encode_gzip(&profile(3))), answer("500 Internal Server Error", &[], b"")]);
    let file = path.to_str().unwrap().to_owned();
    let names = [format!("{address}/a"), file, "no-such-file".to_owned(), format!("{address}/a")];
    let fetched = fetch(&names, "source", &opts(&[])).unwrap();
    assert_eq!(total(&fetched), 7, "what there is as a file is one, whatever its name");
    assert_eq!(server.join().unwrap(), ["GET /a", "GET /a"]);

    let error = fetch(&["no-such-file"], "base", &opts(&[])).unwrap_err();
    assert_eq!(error.to_string(), "failed to fetch any base profiles");
    let other = dir.path().join("other");
    fs::write(&other, encode_gzip(&ProfileBuilder::new(&[("cpu", "nanoseconds")]).finish())).unwrap();
    let error = fetch(&[&path, &other], "source", &opts(&[])).unwrap_err();
    let expected = "problem fetching source profiles: profiles have empty common sample type list";
    assert_eq!(format!("{error:#}"), expected);
}

/// The requests that `go tool pprof` was seen to send for this profile.
#[test]
fn the_server_names_addresses() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/profiles/synth/unsymbolized.pb.gz");
    let body = fs::read(file).unwrap();
    let symbols = b"num_symbols: 1\n0x100 sym_100\n0x304 sym_304\nnonsense\n";
    let answers = || {
        vec![answer("200 OK", &[], &body), answer("200 OK", &[], symbols), answer("200 OK", &[], b"0x100000010 host\n")]
    };
    let (address, server) = serve(answers());
    let url = format!("http://{address}/debug/pprof/unsym?x=1");
    let (fetched, warnings) = fetch_one(OsStr::new(&url), &opts(&["--symbolize=remote"])).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(
        server.join().unwrap(),
        [
            "GET /debug/pprof/unsym?x=1",
            "POST /debug/pprof/symbol 0x100+0x210+0x228+0x304+0x318+0x410+0x42c+0x900+0xa04",
            "POST /debug/pprof/symbol 0x100000010",
        ]
    );
    let names = names(&fetched);
    for name in ["sym_100", "sym_304", "host", "0x210"] {
        assert!(names.iter().any(|it| it == name), "{name} in {names:?}");
    }
    assert!(fetched.mappings().iter().all(|it| it.has_functions));

    for mode in ["--symbolize=none", "--symbolize=local"] {
        let (address, server) = serve(answers().into_iter().take(1).collect());
        let (fetched, _) = fetch_one(OsStr::new(&format!("{address}/unsym")), &opts(&[mode])).unwrap();
        assert_eq!(server.join().unwrap(), ["GET /unsym"], "{mode}");
        assert!(fetched.mappings().iter().all(|it| !it.has_functions), "{mode}");
    }
}

#[test]
fn a_server_without_names_costs_only_those() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/profiles/synth/unsymbolized.pb.gz");
    let body = fs::read(file).unwrap();
    let refusal = answer("405 Method Not Allowed", &[], b"");
    let (address, server) = serve(vec![answer("200 OK", &[], &body), refusal]);
    let url = format!("http://{address}/profilez");
    let (fetched, warnings) = fetch_one(OsStr::new(&url), &opts(&["--symbolize=remote"])).unwrap();
    let expected = format!("http post http://{address}/symbolz: server response: 405 Method Not Allowed");
    assert_eq!(warnings, [expected]);
    assert_eq!(server.join().unwrap().len(), 2, "it is asked once");
    assert!(names(&fetched).iter().all(|it| it.starts_with("0x")));
}

#[test]
fn modules_on_this_machine_name_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("guest.wasm");
    let wasm = wat::parse_str("(module (func $first nop nop) (func (export \"second\") nop nop nop))").unwrap();
    fs::write(&path, &wasm).unwrap();
    let code = |code: &[u8]| wasm.windows(code.len()).position(|it| it == code).unwrap() as u64;
    let (first, second) = (code(&[4, 0, 1, 1, 0x0b]) + 2, code(&[5, 0, 1, 1, 1, 0x0b]) + 2);
    let make = |filename: &str, build_id: &str, has_functions: bool| {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        // Functions lie at the same place in the file wherever the module is.
        let mapping = MappingSpec { start: 0x1000, limit: 0x2000, filename, build_id, ..MappingSpec::default() };
        let mapping = builder.mapping(MappingSpec { has_functions, ..mapping });
        let stack = [first, second, 0].map(|it| builder.location(Some(mapping), 0x1000 + it, &[]));
        builder.sample(&stack, &[1], &[]);
        builder.finish()
    };
    let check = |profile: Profile, mode: &str, expected: [&str; 3], warning: &str| {
        let (named, warnings) = symbols::add_names(profile, None, &Symbolize::parse(mode), &http::TlsOpts::default());
        let shown = [format!("{:#x}", 0x1000 + first), format!("{:#x}", 0x1000 + second)];
        let expected =
            [expected[0].replace('?', &shown[0]), expected[1].replace('?', &shown[1]), expected[2].to_owned()];
        assert_eq!(names(&named), expected, "{mode}");
        assert_eq!(warnings.first().map_or("", String::as_str), warning, "{mode}");
    };
    let (file, id) = (path.to_str().unwrap(), ::symbols::build_id(&wasm));
    check(make(file, &id, false), "", ["first", "second", "0x1000"], "");
    check(make(file, "", false), "local", ["first", "second", "0x1000"], "");
    check(make(file, &id, false), "none", ["?", "?", "0x1000"], "");
    check(make(file, &id, false), "remote", ["?", "?", "0x1000"], "");
    check(make(file, &id, true), "", ["?", "?", "0x1000"], "");
    check(make(file, &id, true), "force", ["first", "second", "0x1000"], "");
    check(make("[host]", "", false), "", ["?", "?", "0x1000"], "");
    check(make("", "", false), "", ["?", "?", "0x1000"], "");
    let other = format!(
        "Local symbolization failed for guest.wasm (build ID 00ff): {file}: build ID mismatch ({id}, but the profile is of 00ff)"
    );
    check(make(file, "00ff", false), "", ["?", "?", "0x1000"], &other);
    let gone = "Local symbolization failed for gone.wasm: open /srv/gone.wasm: no such file or directory";
    check(make("/srv/gone.wasm", "", false), "", ["?", "?", "0x1000"], gone);
}

#[test]
fn sizes_are_read() {
    for (text, expected) in [
        ("0", Some(0)),
        ("4096", Some(4096)),
        ("3kB", Some(3 << 10)),
        ("512MB", Some(512 << 20)),
        ("4GiB", Some(4 << 30)),
        ("1t", Some(1 << 40)),
        ("99999999TB", None),
        ("GB", None),
        ("1.5GB", None),
        ("7x", None),
    ] {
        assert_eq!(size(text).ok(), expected, "{text}");
    }
}
