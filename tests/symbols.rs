//! Names, lines and inlined calls, from whatever a module carries; the mapping says truthfully what that was.
#![expect(clippy::expect_used, reason = "a test may stop")]

use std::fs;

use proto::{Function, LocationId, Mapping, Profile};
use support::machine::{guest, guest_if_built, skip, workspace};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::sections::{with_custom, without_custom};
use support::stacks::{calls, cum, function, is_outside, lines, names, total};
use support::wprof::Wprof;

const SAMPLES: usize = 0;

on_both_samplers!(
    the_mapping_says_what_the_module_carries,
    names_come_from_names_or_dwarf_or_are_indices,
    a_system_name_is_the_mangled_name_or_empty,
    inlined_calls_are_lines_of_one_location,
    cpp_names_are_demangled,
    c_names_are_as_written,
    go_names_are_as_written,
    debug_info_beside_the_module_is_found,
);

fn profile_of(sampler: Sampler, name: &str, args: &[&str]) -> Profile {
    Wprof::run_on(sampler, &["--hz", "1000"], guest(name), args)
        .finish()
        .expect_code(0)
        .expect_sampler(sampler)
        .profile()
}

/// `has_functions`, `has_filenames`, `has_line_numbers`, `has_inline_frames`.
fn bits(mapping: &Mapping) -> [bool; 4] {
    [mapping.has_functions, mapping.has_filenames, mapping.has_line_numbers, mapping.has_inline_frames]
}

fn system_name<'a>(profile: &'a Profile, name: &str) -> &'a str {
    profile.string(function(profile, name).system_name)
}

fn the_mapping_says_what_the_module_carries(sampler: Sampler) {
    for (name, expected) in [
        ("shares", [true; 4]),
        ("shares_dwarf", [true; 4]),
        ("shares_component", [true; 4]),
        ("shares_names", [true, false, false, false]),
        ("shares_stripped", [true, false, false, false]),
    ] {
        let profile = profile_of(sampler, name, &["300"]);
        let path = guest(name);
        let mapping = &profile.mappings()[0];
        assert_eq!(bits(mapping), expected, "{name}");
        let size = fs::metadata(&path).expect("the guest is there").len();
        assert_eq!((mapping.start, mapping.limit, mapping.offset), (0, size, 0), "{name}");
        assert_eq!(profile.string(mapping.filename), path.to_string_lossy(), "{name}");
        for location in profile.locations() {
            let mapping = profile.mapping(location.mapping.expect("every location has a mapping"));
            assert!((mapping.start..mapping.limit).contains(&location.address), "{name}: {:#x}", location.address);
        }
        for mapping in &profile.mappings()[1..] {
            assert_eq!(profile.string(mapping.filename), "[host]", "{name}");
            assert_eq!(bits(mapping), [true, false, false, false], "{name}");
            assert_eq!(mapping.start % (64 << 10), 0, "{name}");
            assert!(mapping.start >= size, "{name}: the ranges overlap");
        }
    }
}

#[test]
fn a_build_id_is_the_modules_own_and_stays() {
    let id = |name: &str| {
        let profile = Wprof::run(&[], guest(name), &["20"]).finish().expect_code(0).profile();
        let id = profile.string(profile.mappings()[0].build_id).to_owned();
        assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {id}");
        id
    };
    assert_eq!(id("shares"), id("shares"));
    assert_ne!(id("shares"), id("shares_names"));
    assert_ne!(id("shares_names"), id("shares_stripped"));
}

/// The tool conventions' section of that name: a length, then the bytes.
#[test]
fn a_build_id_section_is_the_build_id() {
    let module = fs::read(guest("shares_stripped")).expect("it was built");
    let module = with_custom(&module, "build_id", &[8, 0x5f, 0x3c, 0x0d, 0x2e, 0x9b, 0x6a, 0x4f, 0x71]);
    let run = Wprof::run(&[], "shares.wasm", &["20"]).file("shares.wasm", module).finish().expect_code(0);
    let profile = run.profile();
    assert_eq!(profile.string(profile.mappings()[0].build_id), "5f3c0d2e9b6a4f71");
}

/// A stripped module that says where its DWARF is.
fn debug_info_beside_the_module_is_found(sampler: Sampler) {
    let stripped = fs::read(guest("shares_stripped")).expect("it was built");
    let module = with_custom(&stripped, "external_debug_info", b"\x0cshares.debug");
    let run = |wprof: Wprof| wprof.file("shares.wasm", &module).finish().expect_code(0);
    let missing = run(Wprof::run_on(sampler, &["--hz", "1000"], "shares.wasm", &["300"]));
    assert!(missing.stderr().contains("shares.debug"), "what is missing is named: {}", missing.stderr());
    assert!(names(&missing.profile()).iter().any(|name| name.starts_with("wasm-function[")));

    let debug_info = fs::read(guest("shares")).expect("it was built");
    let found =
        run(Wprof::run_on(sampler, &["--hz", "1000"], "shares.wasm", &["300"]).file("shares.debug", debug_info));
    let profile = found.profile();
    assert!(cum(&profile, SAMPLES, "shares::half") > 0, "{:#?}", lines(&profile, SAMPLES));
    assert_eq!(bits(&profile.mappings()[0]), [true; 4]);
}

fn names_come_from_names_or_dwarf_or_are_indices(sampler: Sampler) {
    for name in ["shares", "shares_names", "shares_dwarf", "shares_component"] {
        let profile = profile_of(sampler, name, &["600"]);
        let half = cum(&profile, SAMPLES, "shares::half");
        assert!(half * 5 > total(&profile, SAMPLES), "{name}: half has {half} in {:#?}", lines(&profile, SAMPLES));
        assert!(names(&profile).contains("shares::main"), "{name}: {:?}", names(&profile));
    }
    let stripped = profile_of(sampler, "shares_stripped", &["600"]);
    for name in names(&stripped) {
        let is_export = name == "_start";
        let is_index = name.strip_prefix("wasm-function[").and_then(|rest| rest.strip_suffix(']'));
        let is_host = name.starts_with("wasi_snapshot_preview1.");
        let is_named = is_export || is_host || is_index.is_some_and(|index| index.parse::<u32>().is_ok());
        assert!(is_named || is_outside(name), "{name}");
    }
    let lines = lines(&stripped, SAMPLES);
    let root = lines.iter().filter_map(|line| line.split(';').next()).find(|root| !is_outside(root));
    assert_eq!(root, Some("_start"), "{lines:#?}");
}

/// SEMANTICS §0: pprof garbles names that equal their system name.
fn a_system_name_is_the_mangled_name_or_empty(sampler: Sampler) {
    let mut profiles = vec![profile_of(sampler, "shares", &["300"]), profile_of(sampler, "shares_dwarf", &["300"])];
    profiles.extend(guest_if_built("shapes").map(|_| profile_of(sampler, "shapes", &[])));
    for profile in &profiles {
        for function in profile.functions() {
            let (name, system_name) = (profile.string(function.name), profile.string(function.system_name));
            assert_ne!(name, system_name);
            assert!(!name.is_empty());
            assert!(!name.starts_with("_R") && !name.starts_with("_Z"), "{name} is not demangled");
            let is_mangled = ["_R", "_Z"].iter().any(|prefix| system_name.starts_with(prefix));
            assert!(system_name.is_empty() || is_mangled, "{system_name}");
        }
    }
    let rust = &profiles[0];
    assert!(system_name(rust, "shares::half").contains("4half"), "{}", system_name(rust, "shares::half"));
    assert!(!names(rust).iter().any(|name| name.contains("17h")), "hashes are dropped");
}

fn inlined_calls_are_lines_of_one_location(sampler: Sampler) {
    let source = fs::read_to_string(workspace().join("tests/guests/src/bin/inlines.rs")).expect("the guest's source");
    // From 1; the marks stand in the source's comments.
    let line_of = |mark: &str| (1..).zip(source.lines()).find(|(_, line)| line.contains(mark)).expect("the mark").0;
    let profile = profile_of(sampler, "inlines", &["800"]);
    let inner = "inlines::inner";
    let holds_inner = |&location: &LocationId| calls(&profile, location).iter().any(|call| call.0 == inner);
    let n_inner = cum(&profile, SAMPLES, inner);
    assert!(n_inner * 10 > total(&profile, SAMPLES) * 8, "{n_inner} samples in it: {:#?}", lines(&profile, SAMPLES));

    let hot = profile.samples().filter(|sample| sample.locations.iter().any(holds_inner));
    let hot = hot.max_by_key(|sample| sample.values[SAMPLES]).expect("counted above");
    let at = hot.locations.iter().position(holds_inner).expect("filtered above");
    assert_eq!(
        calls(&profile, hot.locations[at]),
        [
            (inner, line_of("// HOT"), line_of("fn inner(")),
            ("inlines::middle", line_of("// CALLS INNER"), line_of("fn middle(")),
            ("inlines::outer", line_of("// CALLS MIDDLE"), line_of("fn outer(")),
        ]
    );
    assert_eq!(
        calls(&profile, hot.locations[at + 1]),
        [("inlines::main", line_of("// CALLS OUTER"), line_of("fn main("))],
        "what is not inlined has a location of its own"
    );
    let file = profile.string(function(&profile, inner).filename);
    assert!(file.ends_with("src/bin/inlines.rs"), "{file}");
}

/// Epoch checks stand before loops, in code to which LLVM gives no line; the loop's is meant.
#[test]
fn code_before_a_loop_has_the_loops_line() {
    let profile = profile_of(Sampler::Epoch, "shares", &["500"]);
    let mut n_seen = 0;
    for sample in profile.samples() {
        let leaf = calls(&profile, sample.locations[0])[0];
        if leaf.0 == "shares::spin" {
            assert!(leaf.1 > 0, "no line in {leaf:?}");
            n_seen += 1;
        }
    }
    assert!(n_seen > 0, "{:#?}", lines(&profile, SAMPLES));
}

/// The linker writes C++ names demangled into the name section; DWARF has them mangled.
fn cpp_names_are_demangled(sampler: Sampler) {
    let Some(path) = guest_if_built("shapes") else { return skip("there is no shapes.wasm, as there is no zig") };
    let circle = "geometry::Circle::area(double) const";
    let named = profile_of(sampler, "shapes", &["1000"]);
    let dwarf_only = without_custom(&fs::read(path).expect("it was built"), "name");
    let run = Wprof::run_on(sampler, &["--hz", "1000"], "shapes.wasm", &["1000"]).file("shapes.wasm", dwarf_only);
    let dwarf_only = run.finish().expect_code(0).profile();
    for profile in [&named, &dwarf_only] {
        assert!(
            cum(profile, SAMPLES, circle) * 2 > total(profile, SAMPLES),
            "a circle takes twice as long as a square"
        );
        assert!(profile.string(function(profile, circle).filename).ends_with("shapes.cpp"));
        assert!(names(profile).iter().any(|name| name.contains("geometry::fold<")), "{:?}", names(profile));
    }
    for (name, mangled) in [
        (circle, "_ZNK8geometry6Circle4areaEd"),
        ("geometry::Square::area(double) const", "_ZNK8geometry6Square4areaEd"),
    ] {
        assert_eq!(system_name(&dwarf_only, name), mangled);
    }
}

fn c_names_are_as_written(sampler: Sampler) {
    if guest_if_built("lists").is_none() {
        return skip("there is no lists.wasm, as there is no zig");
    }
    // Often enough to see every place of a short function, its entry too.
    let run = Wprof::run_on(sampler, &["--hz", "10000"], guest("lists"), &["40"])
        .finish()
        .expect_code(0)
        .expect_sampler(sampler);
    let profile = run.profile();
    for name in ["main", "build_list", "merge_sort", "merge"] {
        assert_eq!(system_name(&profile, name), "", "{name} is not mangled");
        let same_name = |function: &&Function| profile.string(function.name) == name;
        for function in profile.functions().iter().filter(same_name) {
            let (file, line) = (profile.string(function.filename), function.start_line);
            assert!(file.ends_with("lists.c") && line > 0, "{name} is in {file:?}, begins at {line}");
        }
    }
}

fn go_names_are_as_written(sampler: Sampler) {
    if guest_if_built("mapper").is_none() {
        return skip("there is no mapper.wasm, as there is no Go");
    }
    let profile = profile_of(sampler, "mapper", &[]);
    assert!(cum(&profile, SAMPLES, "main.countWords") > 0, "{:?}", names(&profile));
}
