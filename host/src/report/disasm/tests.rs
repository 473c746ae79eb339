//! Modules written as WAT, and profiles of them made by hand.

use std::fs;
use std::path::Path;

use proto::{Line, MappingSpec, ProfileBuilder};
use symbols::build_id;

use super::*;

const WAT: &str = r#"(module
    (func $twice (export "twice") (param i32) (result i32)
        local.get 0
        local.get 0
        i32.add)
    (func $main (export "main")
        loop
            i32.const 21
            call $twice
            drop
            br 0
        end)
    (func $idle))"#;

/// Where `code` is in the module.
fn find(wasm: &[u8], code: &[u8]) -> u64 {
    wasm.windows(code.len()).position(|it| it == code).unwrap() as u64
}

/// Samples in `twice`, called by `main`, and at the entry of `main`; the module lies at `start`.
fn profile(filename: &Path, build_id: &str, start: u64) -> Profile {
    let wasm = wat::parse_str(WAT).unwrap();
    let limit = start + wasm.len() as u64;
    let filename = filename.display().to_string();
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let guest = MappingSpec { start, limit, filename: &filename, build_id, ..MappingSpec::default() };
    let guest = builder.mapping(guest);
    let host =
        builder.mapping(MappingSpec { start: limit, limit: limit + 9, filename: "[host]", ..MappingSpec::default() });
    let mut at = |code: &[u8], skipped: u64| builder.location(Some(guest), start + find(&wasm, code) + skipped, &[]);
    // local.get 0, local.get 0, i32.add; and i32.const 21, call 0.
    let [add, second, call, entry] = [
        at(&[0x20, 0, 0x20, 0, 0x6a], 4),
        at(&[0x20, 0, 0x20, 0, 0x6a], 2),
        at(&[0x41, 21, 0x10, 0], 2),
        at(&[0, 3, 0x40, 0x41, 21], 0),
    ];
    let write = builder.location(Some(host), limit + 1, &[] as &[Line]);
    builder.sample(&[add, call], &[3, 30_000_000], &[]);
    builder.sample(&[second, call, call], &[1, 10_000_000], &[]);
    builder.sample(&[write, call], &[1, 10_000_000], &[]);
    builder.sample(&[entry], &[1, 10_000_000], &[]);
    builder.finish()
}

fn run(profile: &Profile, pattern: &str, module: Option<&Path>) -> Result<(String, Vec<String>), String> {
    let report = DisasmReport {
        pattern: pattern.to_owned(),
        module: module.map(Path::to_owned),
        sample_index: 1,
        mean: false,
        total: 60_000_000,
        scale: Scale { from: "nanoseconds".to_owned(), to: "minimum".to_owned(), divide_by: 1.0 },
    };
    let mut out = Vec::new();
    let warnings = disasm(&mut out, profile, &report).map_err(|it| it.to_string())?;
    Ok((String::from_utf8(out).unwrap(), warnings))
}

#[test]
fn instructions_have_the_weight_of_their_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let wasm = wat::parse_str(WAT).unwrap();
    let path = dir.path().join("guest.wasm");
    fs::write(&path, &wasm).unwrap();
    let begin = find(&wasm, &[0, 0x20, 0, 0x20, 0, 0x6a]);
    let line = |skipped: u64, flat: &str, cum: &str, text: &str| {
        format!("{flat:>10} {cum:>10} {:>10x}: {text}\n", begin + skipped)
    };
    let twice = [
        "ROUTINE ======================== twice\n".to_owned(),
        "      40ms       40ms (flat, cum) 66.67% of Total\n".to_owned(),
        line(0, ".", ".", "(func $twice (;0;) (type 0) (param i32) (result i32)"),
        line(1, ".", ".", "  local.get 0"),
        line(3, "10ms", "10ms", "  local.get 0"),
        line(5, "30ms", "30ms", "  i32.add"),
        line(6, ".", ".", ")"),
    ]
    .concat();
    let begin = find(&wasm, &[0, 3, 0x40, 0x41, 21]);
    let line = |skipped: u64, flat: &str, cum: &str, text: &str| {
        format!("{flat:>10} {cum:>10} {:>10x}: {text}\n", begin + skipped)
    };
    let main = [
        "ROUTINE ======================== main\n".to_owned(),
        "      10ms       60ms (flat, cum)   100% of Total\n".to_owned(),
        line(0, "10ms", "10ms", "(func $main (;1;) (type 1)"),
        line(1, ".", ".", "  loop ;; label = @1"),
        line(3, ".", ".", "    i32.const 21"),
        line(5, ".", "50ms", "    call $twice"),
        line(7, ".", ".", "    drop"),
        line(8, ".", ".", "    br 0 (;@1;)"),
        line(10, ".", ".", "  end"),
        line(11, ".", ".", ")"),
    ]
    .concat();
    // The module may lie anywhere among the addresses.
    for start in [0, 0x1_0000_0000] {
        let profile = profile(&path, &build_id(&wasm), start);
        let check = |pattern: &str, expected: &str| {
            let expected = format!("Total: 60ms\n{expected}");
            assert_eq!(run(&profile, pattern, None), Ok((expected, Vec::new())), "{pattern}");
        };
        check("twice", &twice);
        check(".", &format!("{main}{twice}"));
        check(&format!("{:#x}", start + begin + 5), &main);
        check(&(start + begin).to_string(), &main);
        assert_eq!(run(&profile, "idle", None), Err("no matches found for regexp idle".to_owned()));
    }
}

#[test]
fn another_build_is_refused_unless_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("guest.wat");
    fs::write(&path, WAT).unwrap();
    let other = profile(&path, "00ff", 0);
    let refused = run(&other, "twice", None).unwrap_err();
    assert!(
        refused.starts_with("no matches found for regexp twice (") && refused.contains("build ID mismatch"),
        "{refused}"
    );
    let (text, warnings) = run(&other, "twice", Some(&path)).unwrap();
    assert!(text.contains("i32.add"), "{text}");
    assert!(warnings[0].contains("another build than the profile's"), "{warnings:?}");

    let gone = profile(Path::new("no/such.wasm"), "", 0);
    let refused = run(&gone, "twice", None).unwrap_err();
    assert!(refused.contains("open no/such.wasm: no such file or directory"), "{refused}");
    let (_, warnings) = run(&gone, "twice", Some(&path)).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(run(&gone, "(", Some(&path)).unwrap_err().starts_with("parsing argument regexp (: "));
}

#[test]
fn modules_in_components_are_shown() {
    let component = wat::parse_str(
        format!("(component (core {}))", WAT.trim_start_matches('(').trim_end_matches(')').to_owned() + ")").as_str(),
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("guest.wasm");
    fs::write(&path, &component).unwrap();
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let limit = component.len() as u64;
    let filename = path.display().to_string();
    let guest = builder.mapping(MappingSpec { limit, filename: &filename, ..MappingSpec::default() });
    let add = builder.location(Some(guest), find(&component, &[0x20, 0, 0x20, 0, 0x6a]) + 4, &[]);
    builder.sample(&[add], &[6, 60_000_000], &[]);
    let (text, _) = run(&builder.finish(), "twice", None).unwrap();
    let weighted: Vec<&str> = text.lines().filter(|it| it.contains("60ms       60ms")).collect();
    assert!(weighted[1].ends_with("  i32.add"), "{text}");
}
