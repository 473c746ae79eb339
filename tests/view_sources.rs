//! `wprof view` shows source files that a profile mentions, from the source path, and no other file of this machine.
#![expect(clippy::expect_used, reason = "what a test cannot write may stop it")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use proto::{FunctionSpec, Line, ProfileBuilder, encode_gzip};
use support::http::Server;
use support::wprof::Wprof;

/// A profile that mentions these source files.
fn mentioning(paths: &[String]) -> Vec<u8> {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    for (at, filename) in (1..).zip(paths) {
        let name = format!("f{at}");
        let function = FunctionSpec { name: &name, system_name: "", filename, start_line: 1 };
        let line = Line { function: builder.function(function), line: 1, column: 0 };
        let location = builder.location(None, at, &[line]);
        builder.sample(&[location], &[1], &[]);
    }
    encode_gzip(&builder.finish())
}

/// Sources in `app`, what lies beside it, and links that lead there.
fn lay_out(root: &Path) {
    let at = |path: &str| root.join(path);
    fs::create_dir_all(at("app/src/.git")).expect("a fresh folder");
    for name in ["app/src/main.rs", "app/src/other.rs", "app/.env", "app/src/.git/config", "secret.rs", "app2.rs"] {
        fs::write(at(name), name).expect("a fresh folder");
    }
    fs::write(at("app/src/full.rs"), vec![b'x'; 4 << 20]).expect("a fresh folder");
    fs::write(at("app/src/big.rs"), vec![b'x'; (4 << 20) + 1]).expect("a fresh folder");
    for (link, to) in [("out.rs", "../../secret.rs"), ("abs.rs", "/etc/passwd"), ("in.rs", "main.rs"), ("up", "../..")]
    {
        symlink(to, at(&format!("app/src/{link}"))).expect("a fresh folder");
    }
}

/// A profile may come from anywhere; what it mentions and lies in the source path is shown, and no other file.
#[test]
fn only_sources_that_a_profile_mentions_are_shown() {
    let wprof = Wprof::new("view");
    let root = wprof.dir().canonicalize().expect("a folder");
    let at = |path: &str| root.join(path).to_str().expect("a path in UTF-8").to_owned();
    lay_out(&root);
    let shown = [
        ("./src/main.rs", "app/src/main.rs"),
        ("src/main.rs", "app/src/main.rs"),
        ("src/in.rs", "app/src/main.rs"),
        ("src/../src/./main.rs", "app/src/main.rs"),
        ("/build/app/src/main.rs", "app/src/main.rs"),
        ("../app/src/main.rs", "app/src/main.rs"),
        (&at("app/src/main.rs"), "app/src/main.rs"),
    ];
    let outside = "is not in the source path";
    let refused = [
        ("../secret.rs", outside),
        ("../app2.rs", outside),
        ("src/../../secret.rs", outside),
        ("src/up/secret.rs", outside),
        ("src/out.rs", outside),
        ("src/abs.rs", outside),
        ("secret.rs", outside),
        ("/etc/passwd", outside),
        ("/app/../../../../../../../../etc/passwd", outside),
        ("../../../../../../../../../etc/passwd", outside),
        ("/proc/self/environ", outside),
        (&at("secret.rs"), outside),
        (&at("app/../secret.rs"), outside),
        (".env", outside),
        ("src/.git/config", outside),
        ("src", outside),
        ("src/none.rs", outside),
        ("src/big.rs", "larger than the 4 MB"),
    ];
    let paths = shown.iter().chain(&refused).map(|it| it.0.to_owned());
    let mentioned: Vec<String> = paths.chain(["src/full.rs".to_owned()]).collect();
    fs::write(at("cpu.prof"), mentioning(&mentioned)).expect("a fresh folder");
    let file = at("cpu.prof");
    let ask = |server: &Server, path: &str| {
        let query: String = path.bytes().map(|byte| format!("%{byte:02x}")).collect();
        server.get(&format!("/api/source?path={query}"))
    };
    let check = |server: &Server| {
        for (path, text) in shown {
            let answer = ask(server, path);
            assert_eq!((answer.status, answer.text().as_str()), (200, text), "{path}");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        }
        assert_eq!(ask(server, "src/full.rs").body.len(), 4 << 20);
        for (path, reason) in refused {
            let answer = ask(server, path);
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            assert!(answer.text().contains(reason), "{path}: {}", answer.text());
        }
        for path in ["src/other.rs", "main.rs", "", "/", "src/main.rs\0", "SRC/main.rs", "cpu.prof"] {
            let answer = ask(server, path);
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            assert!(answer.text().contains("no profile that is served mentions"), "{path}: {}", answer.text());
        }
    };
    let (_running, named) = Wprof::new("view").args(["--no-open", "-source_path", &at("app"), &file]).start_viewer();
    check(&named);
    let (_running, current) = wprof.cd(&root.join("app")).args(["--no-open", &file]).start_viewer();
    check(&current);

    // The base counts too, and so does what is written anew.
    fs::write(at("old.prof"), mentioning(&["/y/src/other.rs".to_owned()])).expect("a writable folder");
    let search = format!("{}:{}", at("none"), at("app"));
    let options = ["--no-open", "--base", &at("old.prof"), "-trim_path=/x:/y", "--source-path", &search, &file];
    let mut running = Wprof::new("view").args(options).start();
    running.process.wait_for_message(&format!("there is no folder {} to look for sources in", at("none")));
    let server = running.viewer();
    assert_eq!(ask(&server, "/y/src/other.rs").text(), "app/src/other.rs");
    assert_eq!(ask(&server, "/x/src/other.rs").status, 404);
    fs::write(at("old.prof"), mentioning(&["/x/src/other.rs".to_owned()])).expect("a writable folder");
    assert_eq!(ask(&server, "/x/src/other.rs").text(), "app/src/other.rs");
    assert_eq!(ask(&server, "/y/src/other.rs").status, 404);
}

#[test]
fn without_a_folder_there_are_no_sources() {
    let wprof = Wprof::new("view").args(["--no-open", "--source_path=none", "a.prof"]);
    let (_running, server) = wprof.file("a.prof", mentioning(&["a.rs".to_owned()])).file("a.rs", "text").start_viewer();
    assert_eq!(server.get("/api/profiles").json()["sources"], false);
    assert_eq!(server.get("/api/source?path=a.rs").status, 404);
}
