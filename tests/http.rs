//! `wprof run --http` answers as Go's net/http/pprof and godeltaprof do.
#![expect(clippy::unwrap_used, reason = "what a test cannot read may stop it")]

use std::fs;
use std::io::Read;
use std::path::Path;

use proto::{Limits, Profile, decode};
use support::http::{Answer, Server};
use support::machine::{shared, workspace};
use support::wprof::{RunningWprof, Wprof};

/// The guest's own profile, as a path has it.
const CONNS: &str = "/debug/pprof/example.com%2F%3Cconns%3E%26";

/// A guest that works and sleeps until it is ended, all of whose blocks and waits are looked at.
fn busy() -> (RunningWprof, Server) {
    let options = ["--http=:0", "--memprofilerate=1", "--blockprofilerate=1"];
    let mut running = Wprof::run(&options, workspace().join("tests/http/busy.wat"), &["a", "b c"]).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    (running, server)
}

fn profile(answer: &Answer) -> Profile {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.body.starts_with(&[0x1f, 0x8b]), "it is gzip");
    decode(&answer.body, &Limits::default()).unwrap()
}

fn sum(profile: &Profile, column: usize) -> i64 {
    profile.samples().map(|it| it.values[column]).sum()
}

/// The names of a profile's functions.
fn names(profile: &Profile) -> Vec<&str> {
    profile.functions().iter().map(|it| profile.string(it.name)).collect()
}

/// A golden answer: its status, and its headers with names in lower case.
fn golden(dir: &Path, case: &str) -> (u16, Vec<(String, String)>) {
    let text = fs::read_to_string(dir.join(case).with_extension("headers")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let header = |line: &str| line.trim().split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    (first.split(' ').nth(1).unwrap().parse().unwrap(), rest.lines().filter_map(header).collect())
}

/// What is ours and not Go's: it keeps other pages out.
const OURS: [&str; 6] = [
    "cache-control",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "date",
];

/// How an answer differs from a golden one; nothing if it does not. The length of a body counts where Go's is an error's.
fn differs(case: &str, answer: &Answer, (status, headers): &(u16, Vec<(String, String)>)) -> Option<String> {
    let is_length = |name: &str| matches!(name, "content-length" | "transfer-encoding");
    // Go's mux leaves it out of its redirects.
    let is_more = |name: &str| OURS.contains(&name) || (name == "x-content-type-options" && *status == 307);
    let mut expected: Vec<_> = headers.iter().filter(|(name, _)| !is_length(name)).cloned().collect();
    let is_expected = |name: &str| expected.iter().any(|(own, _)| own == name);
    let kept = answer.headers.iter().filter(|(name, _)| is_expected(name) || !(is_length(name) || is_more(name)));
    let mut found: Vec<_> = kept.cloned().collect();
    expected.sort();
    found.sort();
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, it)| it.parse::<usize>().unwrap());
    let is_as_long = *status == 200 || length.is_none_or(|it| it == answer.body.len());
    let is_equal = answer.status == *status && found == expected && is_as_long;
    (!is_equal).then(|| {
        format!("{case}: expected {status} {headers:?}\n  found {} {found:?} {}", answer.status, answer.text())
    })
}

#[test]
fn every_answer_is_as_gos() {
    let Some(dir) = shared("spec/golden/http") else { return };
    let (_running, server) = busy();
    let has = |name: &str| server.get("/debug/pprof/").text().contains(&format!(">{name}</a>"));
    let index = fs::read_to_string(dir.join("index.tsv")).unwrap();
    let mut faults = Vec::new();
    for line in index.lines() {
        let [case, _, command] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let path = &command[command.find("/debug").unwrap()..];
        let kind = case.split('_').next().unwrap();
        // There is no trace of a guest, no collector, and not in every wprof a profile of goroutines. By a POST names are asked for.
        let expected = match kind {
            "trace" | "goroutineleak" => "unknown",
            "goroutine" | "threadcreate" if !has(kind) => "unknown",
            _ if case == "symbol_post" => "symbol_get",
            _ => case,
        };
        let answer = match case {
            "symbol_post" => server.post(path, "0x1+0x2"),
            "profile_busy" => {
                let _first = server.take_cpu();
                server.get(path)
            }
            _ if command.contains("-X POST") => server.ask("POST", path),
            _ if command.contains("-I ") => server.head(path),
            // That of another client may not have ended yet.
            "profile_2s" => server.get_until(path, 200),
            _ => server.get(path),
        };
        faults.extend(differs(case, &answer, &golden(&dir, expected)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(index.lines().count() > 30, "the table is cut");
}

#[test]
fn errors_have_gos_words() {
    let (_running, server) = busy();
    for (path, status, said) in [
        ("/debug/pprof/nope", 404, "Unknown profile"),
        ("/debug/pprof/nope?seconds=0&debug=1", 404, "Unknown profile"),
        ("/debug/pprof/heap?guest=nobody", 404, "Unknown guest"),
        ("/debug/pprof/heap?seconds=0&debug=1", 400, "invalid value for \"seconds\" - must be a positive integer"),
        (&*format!("{CONNS}?seconds=x"), 400, "invalid value for \"seconds\" - must be a positive integer"),
        (&*format!("{CONNS}?seconds=1&debug=1"), 400, "\"seconds\" parameter is not supported for this profile type"),
        ("/debug/pprof/peak?seconds=1", 400, "\"seconds\" parameter is not supported for this profile type"),
        ("/debug/pprof/memory?seconds=1&debug=1", 400, "seconds and debug params are incompatible"),
        (&*format!("/debug/pprof/delta_heap?client={}", "x".repeat(300)), 400, "client must have at most 256 bytes"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.text()), (status, format!("{said}\n")), "{path}");
        assert_eq!((answer.header("x-go-pprof"), answer.header("content-disposition")), ("1", ""), "{path}");
    }
}

#[test]
fn the_index_leads_everywhere() {
    let (_running, server) = busy();
    let page = server.get("/debug/pprof/").text();
    assert!(page.contains(
        "<tr><td>3</td><td><a href=\"example.com%2F%3Cconns%3E%26?debug=1\">example.com/&lt;conns&gt;&amp;</a>"
    ));
    assert!(page.contains("gc=1") && !page.contains("trace"), "{page}");
    let links: Vec<&str> = page.split("<a href=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert!(links.len() >= 10, "{links:?}");
    for link in links.into_iter().filter(|it| *it != "profile") {
        let answer = server.get(&format!("/debug/pprof/{}", link.replace("&amp;", "&")));
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"), "{link}");
        assert!(!answer.body.is_empty(), "{link}");
    }
}

#[test]
fn the_command_line_is_the_modules_and_its_arguments() {
    let (_running, server) = busy();
    let guest = workspace().join("tests/http/busy.wat");
    assert_eq!(server.get("/debug/pprof/cmdline").text(), format!("{}\0a\0b c", guest.display()));
}

#[test]
fn named_profiles_say_what_there_is_now() {
    let (_running, server) = busy();
    let [heap, allocs] = ["heap", "allocs"].map(|it| profile(&server.get(&format!("/debug/pprof/{it}"))));
    assert_eq!((heap.default_sample_type(), allocs.default_sample_type()), (None, Some("alloc_space")));
    assert!(names(&heap).contains(&"keep") && sum(&heap, 3) < sum(&heap, 1), "{:?}", names(&heap));
    let conns = server.get(&format!("{CONNS}?debug=1")).text();
    assert!(conns.starts_with("example.com/<conns>& profile: total 3\n1 @ 0x"), "{conns}");
    assert_eq!(sum(&profile(&server.get(CONNS)), 0), 3);
    let block = profile(&server.get("/debug/pprof/block"));
    assert!(names(&block).contains(&"wasi_snapshot_preview1.poll_oneoff"), "{:?}", names(&block));
    let text = server.get("/debug/pprof/heap?debug=1&gc=1").text();
    assert!(text.starts_with("heap profile: ") && text.contains("# wprof.MemStats"), "{text}");
}

#[test]
fn a_cpu_profile_is_of_the_seconds_asked_for() {
    let (_running, server) = busy();
    let cpu = profile(&server.get("/debug/pprof/profile?seconds=1"));
    let duration = cpu.duration_nanos();
    assert!((900_000_000..5_000_000_000).contains(&duration), "{duration}");
    assert!(names(&cpu).contains(&"work"), "{:?}", names(&cpu));
    let spent = sum(&cpu, 1);
    assert!(spent > 0 && spent <= duration + 50_000_000, "{spent} of {duration}");
    assert_eq!(server.head("/debug/pprof/profile").status, 200, "nobody waits 30 s for a head");
}

#[test]
fn a_difference_is_what_has_come() {
    let (_running, server) = busy();
    let before = profile(&server.get("/debug/pprof/heap"));
    let delta = profile(&server.get("/debug/pprof/heap?seconds=1"));
    let after = profile(&server.get("/debug/pprof/heap"));
    assert!((1_000_000_000..10_000_000_000).contains(&delta.duration_nanos()), "{}", delta.duration_nanos());
    assert!((before.time_nanos()..after.time_nanos()).contains(&(delta.time_nanos() - delta.duration_nanos())));
    let more = sum(&after, 0) - sum(&before, 0);
    assert!((1..=more).contains(&sum(&delta, 0)), "{} of {more}", sum(&delta, 0));
}

#[test]
fn each_client_is_told_what_is_new_to_it() {
    let (_running, server) = busy();
    let take = |query: &str| profile(&server.get(&format!("/debug/pprof/delta_heap{query}")));
    let [first, second] = [take("?client=a"), take("?client=a")];
    let [other, nobody, gc] = [take("?client=b"), take(""), take("?gc=1")];
    assert!(
        sum(&second, 0) < sum(&first, 0) + sum(&second, 0) && sum(&second, 2) >= sum(&first, 2),
        "in use is no difference"
    );
    assert!(sum(&other, 0) >= sum(&first, 0) + sum(&second, 0), "a client begins with everything");
    assert!(sum(&nobody, 0) >= sum(&other, 0) && sum(&gc, 0) < sum(&nobody, 0), "those without a name share one");
    assert_eq!(first.duration_nanos(), 0);
    let block = |query: &str| profile(&server.get(&format!("/debug/pprof/delta_block{query}")));
    let [first, second] = [block(""), block("")];
    let all = profile(&server.get("/debug/pprof/block"));
    assert!(sum(&first, 1) + sum(&second, 1) <= sum(&all, 1), "nothing is told twice");
    assert_eq!(sum(&profile(&server.get("/debug/pprof/delta_mutex")), 0), 0);
    // A head tells nothing, so it is not told again.
    assert_eq!(server.head("/debug/pprof/delta_heap?client=c").status, 200);
    assert!(sum(&take("?client=c"), 0) >= sum(&other, 0));
}

#[test]
fn addresses_have_names() {
    let (_running, server) = busy();
    let heap = profile(&server.get("/debug/pprof/heap"));
    let mut list = Vec::new();
    let mut expected = "num_symbols: 1\n".to_owned();
    for location in heap.location_ids() {
        let address = heap.location(location).address;
        let function = heap.lines(location).last().unwrap().function;
        list.push(format!("{address:#x}"));
        expected.extend([
            format!("{address:#x} "),
            heap.string(heap.function(function).name).to_owned(),
            "\n".to_owned(),
        ]);
    }
    assert!(list.len() >= 4, "{list:?}");
    list.push("0x1+0xffffffffff+zz".to_owned());
    let list = list.join("+");
    assert_eq!(server.get(&format!("/debug/pprof/symbol?{list}")).text(), expected);
    assert_eq!(server.post("/debug/pprof/symbol", &list).text(), expected);
    let mut answer = String::new();
    let more = "Content-Length: 9000000\r\nConnection: close\r\n";
    server.begin("POST /debug/pprof/symbol", more).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("x-go-pprof: 1"), "{answer}");
}

#[test]
fn the_viewer_shows_what_is_served() {
    let (_running, server) = busy();
    assert!(server.get("/").text().contains("<title>wprof</title>"));
    let list = server.get("/api/profiles").json();
    let profiles = list["profiles"].as_array().unwrap();
    assert_eq!((&profiles[0]["name"], &profiles[1]["name"]), (&"heap".into(), &"CPU, 5 s".into()));
    assert!(profiles.iter().any(|it| it["name"] == "example.com/<conns>&"), "{list}");
    assert_eq!(profiles[1]["url"], "/debug/pprof/profile?seconds=5");
    for served in profiles.iter().filter(|it| it["name"] != "CPU, 5 s") {
        let answer = server.get(served["url"].as_str().unwrap());
        assert!(!profile(&answer).sample_types().is_empty(), "{served}");
        assert_eq!(answer.header("cache-control"), "no-store", "{served}");
    }
    assert_eq!(server.ask("POST", "/api/profiles").status, 405);
    assert_eq!(server.get("/nope").status, 404);
}
