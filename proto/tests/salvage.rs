//! Files that are cut short or damaged: what was read whole is saved, and what was lost is told.
#![expect(clippy::expect_used, reason = "what a test cannot do without")]

use proto::formats::{Lost, ReadError, Reader};
use proto::{FunctionSpec, LabelSpec, Limits, Line, MappingSpec, Profile, ProfileBuilder, decode, encode, encode_gzip};

fn profile(n_samples: i64) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let mapping = builder.mapping(MappingSpec { limit: 4096, filename: "a.wasm", ..MappingSpec::default() });
    let locations: Vec<_> = (0..9)
        .map(|idx| {
            let name = format!("function_{idx}");
            let function = builder.function(FunctionSpec { name: &name, filename: "a.rs", ..FunctionSpec::default() });
            builder.location(Some(mapping), 16 * idx, &[Line { function, line: 1, column: 0 }])
        })
        .collect();
    for idx in 0..n_samples {
        let start = usize::try_from(idx % 7).expect("small");
        let label = LabelSpec::Str { key: "thread", value: ["one", "two"][start % 2] };
        // Samples of equal stacks and labels would be one.
        let number = LabelSpec::Num { key: "number", num: idx + 1, unit: "" };
        builder.sample(&locations[start..], &[idx * 10 + 1, 1 << (idx % 40)], &[label, number]);
    }
    builder.comment("made up");
    builder.finish()
}

fn salvage(bytes: &[u8], n_chunk: usize) -> Result<(Profile, Option<Lost>), ReadError> {
    let mut reader = Reader::new(&Limits::default());
    reader.expect(bytes.len() as u64);
    for chunk in bytes.chunks(n_chunk) {
        if reader.push(chunk).is_err() {
            break;
        }
    }
    reader.finish_salvaged()
}

/// The values are those of `whole`'s first samples, and nothing refers to what is not there.
fn check_prefix(saved: &Profile, whole: &Profile, what: &str) {
    for (saved, whole) in saved.samples().zip(whole.samples()) {
        assert_eq!(saved.values, whole.values, "{what}");
        assert_eq!(saved.locations.len(), whole.locations.len(), "{what}");
    }
    assert!(saved.n_samples() <= whole.n_samples(), "{what}");
    let again = decode(&encode(saved), &Limits::default()).expect("what was saved is a profile");
    assert_eq!(&again, saved, "{what}");
}

fn name(profile: &Profile, sample: usize, depth: usize) -> &str {
    let location = profile.sample(sample).locations[depth];
    profile.string(profile.function(profile.lines(location)[0].function).name)
}

#[test]
fn every_beginning_of_a_file_is_an_error_or_its_first_samples() {
    let whole = profile(60);
    for (file, what) in [(encode(&whole), "bare"), (encode_gzip(&whole), "gzip")] {
        let mut n_saved = 0;
        let mut n_before = 0;
        for len in 0..file.len() {
            let what = format!("{what} cut to {len}");
            let cut = &file[..len];
            let Ok((saved, lost)) = salvage(cut, 1000) else { continue };
            check_prefix(&saved, &whole, &what);
            assert!(n_before <= saved.n_samples(), "{what}");
            n_before = saved.n_samples();
            n_saved += 1;
            match lost {
                Some(lost) => {
                    assert_eq!((lost.n_samples, lost.n_bytes), (saved.n_samples(), len as u64), "{what}");
                    // The first of the errors is the file's own.
                    let error = decode(cut, &Limits::default()).expect_err("it is cut short");
                    assert_eq!(lost.error, error, "{what}");
                }
                None => assert!(decode(cut, &Limits::default()).is_ok(), "{what}"),
            }
        }
        assert_eq!(n_before, 60, "{what}");
        assert!(file.len() / 3 < n_saved, "{n_saved} of {}", file.len());
        let (saved, lost) = salvage(&file, 1000).expect("it is whole");
        assert_eq!((saved, lost), (whole.clone(), None));
    }
}

#[test]
fn what_is_lost_is_named_by_its_number() {
    let whole = profile(60);
    let file = encode(&whole);
    let end_of = |text: &str| file.windows(text.len()).position(|it| it == text.as_bytes()).expect("it is there");
    // In the middle of the names: some functions have theirs.
    let (saved, lost) = salvage(&file[..end_of("function_5")], 64).expect("samples");
    let lost = lost.expect("names");
    assert_eq!(name(&saved, 0, 4), "function_4");
    assert_eq!(name(&saved, 0, 5), "function 6 (name lost)");
    assert_eq!((lost.n_locations, lost.n_functions, lost.n_sample_types), (0, 0, 0));
    // Four functions, and two keys and two texts of labels.
    assert_eq!(lost.n_names, 8, "{lost:?}");
    let types: Vec<_> = saved.sample_types().iter().map(|it| saved.string(it.kind)).collect();
    assert_eq!(types, ["samples", "cpu"]);
    assert_eq!(saved.location(saved.sample(0).locations[5]).address, 16 * 5);
    let text = lost.to_string();
    assert!(text.starts_with("not a profile: string_table of 10 bytes, with only 0 left (at offset 0x"), "{text}");
    assert!(text.ends_with("; 60 samples were read before that; lost are at least 8 names"), "{text}");

    // In the middle of the samples: nothing but these is known.
    let (saved, lost) = salvage(&file[..600], 64).expect("samples");
    let lost = lost.expect("all else");
    assert!(0 < saved.n_samples() && saved.n_samples() < 60, "{}", saved.n_samples());
    assert_eq!(name(&saved, 0, 0), "location 1 (name lost)");
    assert_eq!((lost.n_locations, lost.n_sample_types), (9, 2));
    let types: Vec<_> = saved.sample_types().iter().map(|it| saved.string(it.kind)).collect();
    assert_eq!(types, ["value 1 (name lost)", "value 2 (name lost)"]);
    let labels: Vec<_> = (0..2).map(|it| saved.sample(it).labels[0]).collect();
    assert_eq!(labels[0].key, labels[1].key);
    assert_ne!(labels[0].value, labels[1].value);
}

#[test]
fn a_gzip_damaged_in_the_middle_gives_what_came_before() {
    let whole = profile(20_000);
    let file = encode_gzip(&whole);
    let mut damaged = file.clone();
    damaged[file.len() / 2..][..64].fill(0xff);
    let (saved, lost) = salvage(&damaged, 500).expect("samples");
    let lost = lost.expect("half of it");
    assert!(lost.error.to_string().starts_with("damaged gzip: "), "{lost}");
    assert_eq!(lost.n_bytes, file.len() as u64);
    // What is behind the damage may be inflated for a while, and then be wrong; what is before it is not.
    let n_same = saved.samples().zip(whole.samples()).take_while(|(saved, whole)| saved.values == whole.values).count();
    assert!(1000 < n_same && n_same < 20_000, "{n_same} of {}", saved.n_samples());

    let mut checksum = file.clone();
    checksum[file.len() - 8] ^= 1;
    let (saved, lost) = salvage(&checksum, 500).expect("samples");
    assert_eq!(saved, whole);
    assert!(lost.expect("certainty").to_string().contains("matching checksum"));
}

#[test]
fn where_nothing_can_be_saved_the_error_is_the_usual_one() {
    let check = |bytes: &[u8]| {
        let expected = proto::formats::read(bytes, &Limits::default()).expect_err("no profile");
        assert_eq!(salvage(bytes, 3).expect_err("no profile"), expected);
    };
    check(b"");
    check(b"no profile at all");
    check(b"{\"shared\":");
    check(b"main;fib 3\nmain;fib x\n");
    let file = encode(&profile(60));
    check(&file[..20]);
    check(&encode_gzip(&profile(60))[..12]);
    // Whose samples these are nobody knows.
    check(&[&file[..], &file].concat());
}

/// However a file comes, it is what it is as a whole.
#[test]
fn pieces_of_any_size_make_the_same_profile() {
    let whole = profile(500);
    let files = [encode(&whole), encode_gzip(&whole), [encode_gzip(&whole), encode_gzip(&profile(0))].concat()];
    let texts = [&b"main;fib 3\nmain 4\n"[..], b"heap profile: 1: 2 [3: 4] @ heap/2\n1: 2 [3: 4] @ 0x10 0x20\n"];
    for file in files.iter().map(Vec::as_slice).chain(texts) {
        let expected = proto::formats::read(file, &Limits::default());
        for n_chunk in [1, 2, 3, 100, 1 << 20] {
            let mut reader = Reader::new(&Limits::default());
            let mut pushed = Ok(());
            for chunk in file.chunks(n_chunk) {
                pushed = pushed.and(reader.push(chunk));
            }
            let n_read = reader.progress().n_read;
            assert_eq!(reader.finish(), expected, "in pieces of {n_chunk}");
            assert_eq!(n_read, file.len() as u64);
        }
    }
}
