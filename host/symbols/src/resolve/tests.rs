//! Modules without DWARF, and profiles of them made by hand. Those that wprof records are in the workspace's tests.

use proto::{Location, MappingSpec, ProfileBuilder};

use super::*;

const WAT: &str = "(module (func $inner nop) (func $outer call $inner) (func (drop (i32.const 7))))";

fn module() -> Module {
    Module::parse(wat::parse_str(WAT).unwrap()).unwrap()
}

/// What a profile says of a file, and how many locations are in it.
type File<'a> = (&'a str, &'a str, usize);

fn profile_of(files: &[File<'_>]) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    for (start, (filename, build_id, n_locations)) in (0..).step_by(0x1000).zip(files) {
        let spec = MappingSpec { start, limit: start + 0x1000, filename, build_id, ..MappingSpec::default() };
        let mapping = builder.mapping(spec);
        for at in 0..*n_locations {
            let location = builder.location(Some(mapping), start + 1 + at as u64, &[]);
            builder.sample(&[location], &[1], &[]);
        }
    }
    builder.finish()
}

#[test]
fn a_mapping_is_found_by_build_then_name_then_alone() {
    let module = module();
    let own = module.build_id();
    let check = |files: &[File<'_>], expected: Result<(usize, MatchedBy), &str>| {
        let found = find_mapping(&profile_of(files), &module, "dir/app.wasm");
        let found = found.map(|it| (it.mapping.index(), it.by)).map_err(|it| it.to_string().replace(own, "OWN"));
        assert_eq!(found, expected.map_err(str::to_owned), "{files:?}");
    };
    use MatchedBy::{BuildId, FileName, OnlyMapping};
    check(&[("a.wasm", "", 1), ("b.wasm", own, 1)], Ok((1, BuildId)));
    check(&[("app.wasm", "", 1), ("b.wasm", own, 1)], Ok((1, BuildId)));
    check(&[("a.wasm", &own.to_uppercase(), 1)], Ok((0, BuildId)));
    check(&[("a.wasm", "", 1), ("/srv/app.wasm", "", 1)], Ok((1, FileName)));
    check(&[("/a/app.wasm", "00ff", 1), ("/b/app.wasm", "", 1)], Ok((1, FileName)));
    check(&[("a.wasm", "", 1), ("[host]", "", 1)], Ok((0, OnlyMapping)));
    check(&[("", "", 1)], Ok((0, OnlyMapping)));
    // A mapping that no sample is in is not meant.
    check(&[("a.wasm", "", 0), ("b.wasm", "", 1)], Ok((1, OnlyMapping)));
    check(&[("/srv/app.wasm", "00ff", 1)], Err("app.wasm: build ID mismatch (OWN, but the profile is of 00ff)"));
    check(&[("a.wasm", "00ff", 1)], Err("a.wasm: build ID mismatch (OWN, but the profile is of 00ff)"));
    let others = "dir/app.wasm is none of the files that the profile is of: a.wasm, b.wasm";
    check(&[("a.wasm", "", 1), ("x/b.wasm", "", 1)], Err(others));
    check(&[("[host]", "", 1)], Err("the profile names no file that its addresses lie in"));
    check(&[], Err("the profile names no file that its addresses lie in"));
}

/// The names at each location, innermost first.
fn names(profile: &Profile) -> Vec<String> {
    let name = |line: &Line| format!("{}:{}", profile.string(profile.function(line.function).name), line.line);
    profile.location_ids().map(|it| profile.lines(it).iter().map(name).collect::<Vec<_>>().join(">")).collect()
}

#[test]
fn what_a_profile_knows_stays_unless_forced() {
    let module = module();
    let symbolizer = module.symbolizer();
    let bodies: Vec<u64> = symbolizer.functions().map(|it| u64::from(it.body.start)).collect();
    let start = 0x10_0000;
    // The mapping begins within the file, as that of a native program may.
    let mapping = MappingSpec { start, limit: start + 0x1000, offset: 4, ..MappingSpec::default() };
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let [guest, host] = [mapping, MappingSpec { filename: "[host]", ..mapping }].map(|it| builder.mapping(it));
    let mut add = |mapping, offset: u64, known: Option<(&str, i64)>| {
        let lines: Vec<Line> = (known.into_iter())
            .map(|(name, line)| {
                let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
                Line { function, line, column: 0 }
            })
            .collect();
        builder.location(Some(mapping), start + offset - 4, &lines);
    };
    add(guest, bodies[0], None);
    add(guest, bodies[1] + 1, Some(("wasm-function[1]", 0)));
    add(guest, bodies[1], Some(("kept", 0)));
    add(guest, bodies[0] + 1, Some(("kept", 3)));
    add(guest, bodies[2], None);
    add(guest, 5, None);
    add(guest, 0x1004, None);
    add(host, bodies[0], None);
    let profile = builder.finish();
    let counts = |it: &Resolved| [it.n_addresses, it.n_in_code, it.n_resolved, it.n_with_lines, it.n_inlined];

    let (gentle, resolved) = resolve(profile.clone(), &symbolizer, guest, false);
    assert_eq!(names(&gentle), ["inner:0", "outer:0", "kept:0", "kept:3", "wasm-function[2]:0", "", "", ""]);
    assert_eq!(counts(&resolved), [6, 4, 3, 0, 0]);
    let (forced, resolved) = resolve(profile.clone(), &symbolizer, guest, true);
    assert_eq!(names(&forced), ["inner:0", "outer:0", "outer:0", "inner:0", "wasm-function[2]:0", "", "", ""]);
    assert_eq!(counts(&resolved), [7, 5, 5, 0, 0]);
    let addresses = |it: &Profile| it.locations().iter().map(|it: &Location| it.address).collect::<Vec<_>>();
    assert_eq!(addresses(&forced), addresses(&profile));
    assert!(forced.mapping(guest).has_functions && !forced.mapping(guest).has_line_numbers);
}
