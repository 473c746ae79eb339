//! What the page can say of a module that is dropped beside a profile: what wprof itself said when it recorded it.
#![expect(clippy::expect_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proto::{LocationId, MappingId, MappingSpec, Profile, ProfileBuilder};
use support::machine::{guest, guest_if_built, shared};
use support::stacks::lines;
use support::wprof::{Run, Wprof};
use symbols::{Instruction, Kind, Listing, MatchedBy, Module, NoMapping, find_mapping, resolve};

/// With DWARF, names, both or none, inlined calls, in a component; C++, C and Go where there are compilers.
const GUESTS: [(&str, &str); 10] = [
    ("shares", "300"),
    ("shares_dwarf", "300"),
    ("shares_names", "300"),
    ("shares_stripped", "300"),
    ("shares_component", "300"),
    ("inlines", "300"),
    ("allocs", "300"),
    ("shapes", "300"),
    ("lists", "20"),
    ("mapper", "300"),
];

/// Modules of the corpus, and what to run them on.
const CORPUS: [(&str, &[&str]); 5] = [
    ("sqlite", &["/w/bench.sql"]),
    ("lua", &["/w/bench.lua"]),
    ("lua_stripped", &["/w/bench.lua"]),
    ("gofmt", &["-l", "-s", "/w/ssa"]),
    ("as_bench", &[]),
];

fn module(path: &Path) -> Module {
    Module::parse(fs::read(path).expect("it is there")).expect("wasmtime took it")
}

#[test]
fn the_page_says_what_wprof_says() {
    let check = |name: &str, run: &Run, module: &Module| {
        names_are_those_that_were_recorded(name, run, module);
        listings_are_what_wprof_disasm_prints(name, run, module);
    };
    for (name, arg) in GUESTS {
        let Some(path) = guest_if_built(name) else { continue };
        let run = sampled(|| Wprof::run(&["--hz", "1000", "--no-heap"], &path, &[arg]).finish());
        check(name, &run, &module(&path));
    }
    let Some(corpus) = shared("corpus") else { return };
    for (name, args) in CORPUS {
        let path = corpus.join("modules").join(name).with_extension("wasm");
        let wprof = Wprof::new("run").args(["--hz", "1000", "--no-heap"]).folder("data", &corpus.join("data"));
        let run = wprof.args(["--dir", "data::/w"]).arg(&path).args(args).finish();
        check(name, &run, &module(&path));
    }
}

/// A run that the sampler saw the guest in: a short one may be over before the first sample.
fn sampled(run: impl Fn() -> Run) -> Run {
    let saw_guest = |run: &Run| {
        let profile = run.profile();
        let is_guests = |id: &MappingId| !profile.string(profile.mapping(*id).build_id).is_empty();
        profile.locations().iter().filter_map(|it| it.mapping).any(|id| is_guests(&id))
    };
    let mut runs = std::iter::repeat_with(run).take(50);
    runs.find(saw_guest).expect("one of fifty runs has a sample of the guest")
}

/// The profile without what was known of its guest's addresses.
fn without_names(profile: &Profile, build_id: &str) -> Profile {
    let text = |it| profile.string(it);
    let kinds: Vec<_> = profile.sample_types().iter().map(|it| (text(it.kind), text(it.unit))).collect();
    let mut builder = ProfileBuilder::new(&kinds);
    let mappings: Vec<MappingId> = (profile.mappings().iter())
        .map(|it| {
            let (filename, is_guest) = (text(it.filename), !text(it.build_id).is_empty());
            builder.mapping(MappingSpec {
                start: it.start,
                limit: it.limit,
                offset: it.offset,
                filename,
                build_id: if is_guest { build_id } else { "" },
                has_functions: !is_guest,
                ..MappingSpec::default()
            })
        })
        .collect();
    for sample in profile.samples() {
        let stack: Vec<LocationId> = (sample.locations.iter())
            .map(|&id| {
                let location = profile.location(id);
                builder.location(location.mapping.map(|it| mappings[it.index()]), location.address, &[])
            })
            .collect();
        builder.sample(&stack, sample.values, &[]);
    }
    builder.finish()
}

/// All that a profile says of its guest's addresses.
fn said(profile: &Profile) -> BTreeMap<u64, Vec<String>> {
    let text = |it| profile.string(it);
    let guest = profile.mappings().iter().position(|it| !text(it.filename).starts_with('['));
    let own = profile.locations().iter().zip(profile.location_ids());
    own.filter(|(it, _)| it.mapping.map(MappingId::index) == guest)
        .map(|(location, id)| {
            let lines = profile.lines(id).iter().map(|it| {
                let function = profile.function(it.function);
                let [name, system_name, file] = [function.name, function.system_name, function.filename].map(text);
                format!("{name} ({system_name}) {file}:{}:{} from {}", it.line, it.column, function.start_line)
            });
            (location.address, lines.collect())
        })
        .collect()
}

fn names_are_those_that_were_recorded(name: &str, run: &Run, module: &Module) {
    let recorded = run.profile();
    let nameless = without_names(&recorded, module.build_id());
    assert!(said(&nameless).values().all(Vec::is_empty), "{name}");
    let found = find_mapping(&nameless, module, "other.wasm").expect("it is its module");
    assert_eq!(found.by, MatchedBy::BuildId, "{name}");
    let (named, resolved) = resolve(nameless, &module.symbolizer(), found.mapping, false);
    assert_eq!(said(&named), said(&recorded), "{name}");
    assert!(resolved.n_addresses > 0, "{name} was seen nowhere");
    assert_eq!(resolved.n_resolved, said(&recorded).len(), "{name}: {resolved:?}");

    let [bits, expected] = [&named, &recorded].map(|profile| {
        let mapping = profile.mapping(found.mapping);
        // The recorder says that inlined calls were looked up, even if there were none.
        let has_inlines = mapping.has_inline_frames && resolved.n_inlined > 0;
        [mapping.has_functions, mapping.has_filenames, mapping.has_line_numbers, has_inlines]
    });
    assert_eq!(bits, expected, "{name}");
    // What is known already is not looked up, or comes out the same.
    let (again, nothing) = resolve(named.clone(), &module.symbolizer(), found.mapping, false);
    assert_eq!((lines(&again, 0), nothing.n_with_lines), (lines(&named, 0), 0), "{name}");
    let (again, _) = resolve(recorded.clone(), &module.symbolizer(), found.mapping, true);
    assert_eq!(said(&again), said(&recorded), "{name}");
}

/// The lines of a listing as `wprof disasm` writes them behind the weights.
fn shown(instructions: &[Instruction]) -> Vec<String> {
    instructions.iter().map(|it| format!("{:>10x}: {:2$}{3}", it.offset, "", 2 * it.depth, it.text)).collect()
}

fn listings_are_what_wprof_disasm_prints(name: &str, run: &Run, module: &Module) {
    let disasm = Wprof::new("disasm").args([".", "cpu.prof"]).cd(run.dir.path()).finish().expect_code(0);
    let text = disasm.stdout();
    let mut n_functions = 0;
    for routine in text.split("ROUTINE ======================== ").skip(1) {
        let lines = routine.lines().skip(2).filter(|it| !it.trim_start().starts_with(';'));
        // Two columns of weights come first, a source may follow.
        let lines: Vec<&str> = lines.filter_map(|it| it.get(22..)).collect();
        let (offset, _) = lines[0].trim_start().split_once(':').expect("an offset");
        let offset = u32::from_str_radix(offset, 16).expect("an offset");
        let listings = module.listings(&[offset]).expect("it can be printed");
        assert_eq!(listings.len(), 1, "{name}");
        assert_eq!(routine.lines().next(), Some(listings[0].function.name.as_str()), "{name}");
        let ours = shown(&listings[0].instructions);
        assert_eq!(ours.len(), lines.len(), "{name}: {routine}");
        for (ours, theirs) in ours.iter().zip(lines) {
            let (begin, rest) = theirs.split_at_checked(ours.len()).unwrap_or((theirs, ""));
            assert!(begin == ours && (rest.is_empty() || rest.trim_start().starts_with(';')), "{ours} | {theirs}");
        }
        n_functions += 1;
    }
    assert!(n_functions > 0, "{name}: {text}");
}

/// The listings are printed of a module that is cut down; the whole module's text must have the same lines.
#[test]
fn listings_are_lines_of_the_whole_text() {
    for name in ["shares", "shares_stripped", "shares_component", "shapes", "books_as", "mapper"] {
        let Some(path) = guest_if_built(name) else { continue };
        let bytes = fs::read(path).expect("it is there");
        let mut text = String::new();
        let whole = wasmprinter::Config::new();
        let whole = whole.offsets_and_lines(&bytes, &mut text).expect("it can be printed");
        let whole = whole.filter_map(|(offset, line)| Some((u32::try_from(offset?).ok()?, line.trim())));
        let whole: Vec<(u32, &str)> = whole.filter(|(_, line)| !line.is_empty()).collect();
        let listings = all(&Module::parse(bytes.clone()).expect("a module")).expect("all of them");
        assert!(listings.len() > 20, "{name}");
        for listing in listings {
            let body = &listing.function.body;
            let first = whole.partition_point(|(offset, _)| *offset < body.start);
            let ours = listing.instructions.iter().map(|it| (it.offset, it.text.as_str()));
            let theirs = whole[first..].iter().copied().take_while(|(offset, _)| *offset < body.end);
            assert!(ours.clone().eq(theirs.clone()), "{name} {}: {:#?}", listing.function.name, ours.zip(theirs));
        }
    }
}

#[test]
fn hostile_modules_break_nothing() {
    let Some(corpus) = shared("corpus") else { return };
    let mut n_read = 0;
    for entry in fs::read_dir(corpus.join("hostile")).expect("it is there").flatten() {
        let Ok(module) = Module::parse(fs::read(entry.path()).expect("a file")) else { continue };
        n_read += 1;
        let symbolizer = module.symbolizer();
        for function in symbolizer.functions() {
            assert!(!symbolizer.frames(function.body.start).is_empty());
        }
        let listings = all(&module);
        let is_cut = entry.path().ends_with("truncated_sqlite.wasm");
        assert_eq!((listings.is_err(), !module.warnings().is_empty()), (is_cut, is_cut || has_fault(&entry.path())));
    }
    assert!(n_read > 8, "{n_read}");
}

fn all(module: &Module) -> Result<Vec<Listing>, String> {
    let symbolizer = module.symbolizer();
    let starts: Vec<u32> = symbolizer.functions().map(|it| it.body.start).collect();
    symbolizer.listings(&starts)
}

/// Those that are broken in what names their code.
fn has_fault(path: &Path) -> bool {
    ["name_malformed_len.wasm", "name_not_utf8.wasm", "dwarf_invalid.wasm"].iter().any(|it| path.ends_with(it))
}

#[test]
fn lines_of_instructions_are_those_of_the_source() {
    let listings = module(&guest("inlines"));
    let hot = listings.functions_named("inlines::main");
    let listings = listings.listings(&[hot[0].body.start]).expect("it can be printed");
    let source = fs::read_to_string(support::machine::workspace().join("tests/guests/src/bin/inlines.rs"));
    let source = source.expect("the guest's source");
    let line_of = |what: &str| (1..).zip(source.lines()).find(|(_, line)| line.contains(what)).expect("it is there").0;
    let calls_outer = line_of("// CALLS OUTER");
    let calls = |it: &&Instruction| it.text.starts_with("call ") && it.text.contains("outer");
    let call = listings[0].instructions.iter().find(calls).expect("main calls outer");
    let frame = call.source.as_ref().expect("it has DWARF");
    assert_eq!((frame.name.as_str(), frame.line), ("inlines::main", calls_outer));
    assert!(frame.file.ends_with("inlines.rs"), "{}", frame.file);
    assert_eq!(listings[0].instructions[0].source, None, "the head comes from no line");
}

#[test]
fn another_build_is_refused_unless_forced() {
    let path = guest("shares");
    let recorded = Wprof::run(&["--hz", "1000"], &path, &["300"]).finish().expect_code(0).profile();
    let stripped = module(&guest("shares_stripped"));
    let own = module(&path);
    assert_eq!((own.kind(), own.has_names(), own.has_dwarf()), (Kind::Core, true, true));
    assert_eq!((stripped.has_dwarf(), module(&guest("shares_component")).kind()), (false, Kind::Component));
    let refused = find_mapping(&recorded, &stripped, "shares.wasm").expect_err("another build");
    let NoMapping::OtherBuild { mapping, found, expected, .. } = &refused else { panic!("{refused}") };
    assert_eq!((found.as_str(), expected.as_str()), (stripped.build_id(), own.build_id()));
    // Whoever insists gets the names of the other build.
    let nameless = without_names(&recorded, own.build_id());
    let (named, resolved) = resolve(nameless, &stripped.symbolizer(), *mapping, false);
    assert_eq!((resolved.n_resolved > 0, resolved.n_with_lines), (true, 0));
    assert!(said(&named).values().flatten().any(|it| it.starts_with("wasm-function[")), "{:#?}", said(&named));

    // A profile that knows no build takes the file's name.
    let unknown = without_names(&recorded, "");
    assert_eq!(find_mapping(&unknown, &own, "shares.wasm").map(|it| it.by), Ok(MatchedBy::FileName));
}
