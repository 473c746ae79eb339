//! Bytes in and out, whole and broken.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use super::*;
use crate::analysis::top::{TopOptions, top};
use crate::analysis::tree::{CallTree, TreeOptions};
use crate::{LabelSpec, LabelValue, ProfileBuilder, stacks};

const FIXTURES: [(&str, &[u8]); 4] = [
    ("wasm_cpu", include_bytes!("../../tests-data/wasm_cpu.pb.gz")),
    ("wasm_cpu_samename", include_bytes!("../../tests-data/wasm_cpu_samename.pb.gz")),
    ("wasm_heap", include_bytes!("../../tests-data/wasm_heap.pb.gz")),
    ("go_mutex", include_bytes!("../../tests-data/go_mutex.pb.gz")),
];

fn fixture() -> Vec<u8> {
    gzip::inflate(FIXTURES[0].1, 1 << 20).unwrap()
}

fn read(bytes: &[u8]) -> Result<Profile, Error> {
    decode(bytes, &Limits::default())
}

fn error(message: &message::Profile) -> String {
    read(&message.encode_to_vec()).expect_err("a broken profile").to_string()
}

/// One sample of one value on one location of one function, for tests to break.
fn tiny() -> message::Profile {
    message::Profile {
        sample_type: vec![message::ValueType { r#type: 1, unit: 2 }],
        sample: vec![message::Sample { location_id: vec![1], value: vec![5], label: vec![] }],
        location: vec![message::Location {
            id: 1,
            line: vec![message::Line { function_id: 1, line: 7, column: 0 }],
            ..Default::default()
        }],
        function: vec![message::Function { id: 1, name: 3, ..Default::default() }],
        string_table: ["", "samples", "count", "main"].map(String::from).to_vec(),
        ..Default::default()
    }
}

#[test]
fn decoding_what_was_encoded_gives_the_same() {
    for (name, bytes) in FIXTURES {
        let profile = read(bytes).unwrap();
        assert_eq!(read(&encode(&profile)).unwrap(), profile, "{name}");
        assert_eq!(read(&encode_gzip(&profile)).unwrap(), profile, "{name}");
        assert_eq!(encode(&read(&encode(&profile)).unwrap()), encode(&profile), "{name}");
    }
}

/// prost's own decoder, which builds an object a sample, sees in our bytes what we saw in the file.
#[test]
fn samples_and_locations_are_those_that_prost_reads() {
    for (name, bytes) in FIXTURES {
        let theirs = message::Profile::decode(gzip::inflate(bytes, 1 << 20).unwrap().as_slice()).unwrap();
        let profile = read(bytes).unwrap();
        let ours = message::Profile::decode(encode(&profile).as_slice()).unwrap();
        assert_eq!(ours.location, theirs.location, "{name}");
        assert_eq!(profile.n_samples(), theirs.sample.len(), "{name}");
        for (ours, theirs) in ours.sample.iter().zip(&theirs.sample) {
            assert_eq!((&ours.location_id, &ours.value), (&theirs.location_id, &theirs.value), "{name}");
            assert_eq!(ours.label.len(), theirs.label.len(), "{name}");
        }
        let text = |index: i64| theirs.string_table[usize::try_from(index).unwrap()].as_str();
        for (ours, theirs) in profile.functions().iter().zip(&theirs.function) {
            assert_eq!(profile.string(ours.name), text(theirs.name), "{name}");
            assert_eq!(profile.string(ours.filename), text(theirs.filename), "{name}");
        }
    }
}

#[test]
fn a_known_profile_reads_as_it_should() {
    let profile = read(FIXTURES[0].1).unwrap();
    let types: Vec<_> =
        profile.sample_types().iter().map(|it| (profile.string(it.kind), profile.string(it.unit))).collect();
    assert_eq!(types, [("samples", "count"), ("cpu", "nanoseconds")]);
    assert_eq!(profile.samples().map(|it| it.values[0]).sum::<i64>(), 102);
    assert_eq!(profile.comments().collect::<Vec<_>>(), ["guest: demo", "# hidden comment"]);
    assert_eq!((profile.period(), profile.duration_nanos()), (10_000_000, 2_000_000_000));
    assert_eq!(profile.string(profile.mappings()[0].filename), "/srv/guest.wasm");
    let sample = profile.sample(4);
    let labels: Vec<_> = sample.labels.iter().map(|it| (profile.string(it.key), it.value)).collect();
    let LabelValue::Num { num: 4096, unit } = labels[0].1 else { panic!("{labels:?}") };
    assert_eq!((labels[0].0, profile.string(unit)), ("bytes", "bytes"));
}

#[test]
fn several_gzip_members_are_one_message() {
    let message = fixture();
    let mut bytes = Vec::new();
    for part in message.chunks(100) {
        let mut member = GzEncoder::new(Vec::new(), Compression::fast());
        member.write_all(part).unwrap();
        bytes.extend(member.finish().unwrap());
    }
    assert_eq!(read(&bytes).unwrap(), read(&message).unwrap());
}

#[test]
fn lists_of_numbers_may_be_unpacked() {
    // prost packs; these are the same fields one by one: location_id 1 twice, value 5, comments 3 and 0.
    let mut bytes = tiny().encode_to_vec();
    bytes.extend([0x12, 6, 0x08, 1, 0x08, 1, 0x10, 5, 0x68, 3, 0x68, 0]);
    let profile = read(&bytes).unwrap();
    assert_eq!(profile.sample(1).locations.len(), 2);
    assert_eq!(profile.sample(1).values, [5]);
    assert_eq!(profile.comments().collect::<Vec<_>>(), ["main", ""]);
}

#[test]
fn negative_values_and_unknown_fields_are_read() {
    let mut message = tiny();
    message.sample[0].value = vec![-3];
    let mut bytes = message.encode_to_vec();
    // Field 99: a number, 8 bytes, 4 bytes, and a text.
    bytes.extend([0x98, 0x06, 1]);
    bytes.extend([0x99, 0x06, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0x9d, 0x06, 0, 0, 0, 0]);
    bytes.extend([0x9a, 0x06, 2, b'h', b'i']);
    assert_eq!(read(&bytes).unwrap().sample(0).values, [-3]);
}

#[test]
fn ids_may_be_any_numbers() {
    let mut message = tiny();
    message.location[0].id = u64::MAX;
    message.location[0].line[0].function_id = 77;
    message.function[0].id = 77;
    message.sample[0].location_id = vec![u64::MAX];
    let profile = read(&message.encode_to_vec()).unwrap();
    assert_eq!(profile, read(&tiny().encode_to_vec()).unwrap());
}

#[test]
fn labels_that_say_nothing_are_dropped() {
    let label = |str, num, num_unit| message::Label { key: 3, str, num, num_unit };
    let mut message = tiny();
    message.sample[0].label = vec![label(0, 0, 0), label(1, 9, 0), label(0, 0, 2), label(0, 4, 0)];
    let profile = read(&message.encode_to_vec()).unwrap();
    let text = |id| profile.string(id).to_owned();
    let values: Vec<_> = (profile.sample(0).labels.iter())
        .map(|it| match it.value {
            LabelValue::Str(value) => text(value),
            LabelValue::Num { num, unit } => format!("{num} {}", text(unit)),
        })
        .collect();
    assert_eq!(values, ["samples", "0 count", "4 "]);
}

#[test]
fn texts_that_are_not_utf8_are_read_all_the_same() {
    let mut bytes = tiny().encode_to_vec();
    let at = bytes.windows(4).position(|it| it == b"main").unwrap();
    bytes[at] = 0xff;
    let profile = read(&bytes).unwrap();
    assert_eq!(profile.string(profile.functions()[0].name), "\u{fffd}ain");
}

#[test]
fn each_rule_of_the_format_has_its_error() {
    let check = |breakage: fn(&mut message::Profile), expected: &str| {
        let mut message = tiny();
        breakage(&mut message);
        let found = error(&message);
        let (found, offset) = found.split_once(" (at offset 0x").unwrap_or((&found, ""));
        assert_eq!(found, expected);
        assert_eq!(offset.is_empty(), expected.starts_with("not a profile"), "{expected}: {offset}");
    };
    check(|it| it.sample_type.clear(), "missing sample type information");
    check(|it| it.sample[0].value.push(1), "sample 0 has 2 values, expected 1: one for each sample type");
    check(|it| it.sample[0].value.clear(), "sample 0 has 0 values, expected 1: one for each sample type");
    check(|it| it.sample[0].location_id.push(2), "sample.location_id 2 does not exist");
    check(|it| it.sample[0].location_id.push(0), "sample.location_id 0 does not exist");
    check(|it| it.location[0].id = 0, "location with reserved id 0");
    check(|it| it.location.push(it.location[0].clone()), "multiple locations with same id 1");
    check(|it| it.location[0].mapping_id = 3, "location.mapping_id 3 does not exist");
    check(|it| it.location[0].line[0].function_id = 0, "line.function_id 0 does not exist");
    check(|it| it.location[0].line[0].function_id = 9, "line.function_id 9 does not exist");
    check(|it| it.function[0].id = 0, "function with reserved id 0");
    check(|it| it.function.push(it.function[0]), "multiple functions with same id 1");
    check(|it| it.mapping = vec![message::Mapping::default()], "mapping with reserved id 0");
    check(|it| it.function[0].name = 4, "function.name: string 4 is past the table's 4 entries");
    check(|it| it.function[0].name = -1, "function.name: string -1 is past the table's 4 entries");
    check(|it| it.default_sample_type = 8, "default_sample_type: string 8 is past the table's 4 entries");
    check(|it| it.comment = vec![1, 4], "comment: string 4 is past the table's 4 entries");
    check(|it| it.string_table[0].push('x'), "string 0 is \"x\", expected \"\"");
}

#[test]
fn what_is_no_profile_is_told_so() {
    let check = |bytes: &[u8], expected: &str| assert_eq!(read(bytes).unwrap_err().to_string(), expected);
    check(b"", "empty input file");
    check(&gzip::deflate(b""), "empty input file");
    let text = b"pea profile: 1: 2 [3: 4] @ pea/5\nmore";
    check(text, "not a profile.proto message, but text: \"pea profile: 1: 2 [3: 4] @ pea/5\"");
    check(&[0x98, 0x06, 1], "not a profile: no field of one in 3 bytes");
    check(&[0x12, 9, 0], "not a profile: sample of 9 bytes, with only 1 left (at offset 0x1)");
    check(&[0x10, 9], "not a profile: sample: found wire type Varint, expected LengthDelimited (at offset 0x1)");
}

#[test]
fn damaged_gzip_is_told_from_what_is_in_it() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(read(bytes).unwrap_err().to_string(), format!("damaged gzip: {expected}"));
    };
    let file = FIXTURES[0].1;
    let [head, tail] = [&file[..200], &file[200..]];
    check(head, "it is cut short after 200 bytes (at offset 0xc8)");
    check(&file[..file.len() - 1], &format!("it is cut short after {} bytes (at offset {0:#x})", file.len() - 1));
    check(&file[..5], "it is cut short after 5 bytes (at offset 0x5)");
    let at_end = format!("(at offset {:#x})", file.len());
    let expected = "expected its end or another gzip member";
    check(&[file, b"garbage"].concat(), &format!("found 7 bytes after it, \"garbage\"…, {expected} {at_end}"));
    check(&[file, b"\0"].concat(), &format!("found 1 bytes after it, \"\\0\"…, {expected} {at_end}"));
    let cut = file.len() + 5;
    check(&[file, &file[..5]].concat(), &format!("it is cut short after {cut} bytes (at offset {cut:#x})"));
    let checksum = [&file[..file.len() - 8], &[1], &file[file.len() - 7..]].concat();
    check(&checksum, &format!("corrupt gzip stream does not have a matching checksum {at_end}"));
    let method = [&file[..2], &[9], &file[3..]].concat();
    check(&method, "invalid gzip header (at offset 0xa)");
    let corrupt = read(&[head, &[0xff; 20], tail].concat()).unwrap_err();
    assert!(corrupt.to_string().starts_with("damaged gzip: corrupt deflate stream (at offset 0x"), "{corrupt}");
}

/// Whatever a file's end says its size is, it is read whole.
#[test]
fn members_are_read_whatever_their_sizes() {
    let message = fixture();
    for parts in [[0, 0, message.len()], [message.len(), 0, 0], [7, 7, 7], [1000, 10, 0]] {
        let mut rest = message.as_slice();
        let mut file = Vec::new();
        for n_bytes in parts.into_iter().chain([message.len()]) {
            let (part, others) = rest.split_at(n_bytes.min(rest.len()));
            file.extend(gzip::deflate(part));
            rest = others;
        }
        assert_eq!(gzip::inflate(&file, u64::MAX).unwrap(), message, "{parts:?}");
    }
}

#[test]
fn a_second_time_means_two_profiles() {
    let bytes = message::Profile { time_nanos: 1, ..Default::default() }.encode_to_vec().repeat(2);
    assert_eq!(read(&bytes).unwrap_err().kind(), &ErrorKind::Concatenated);
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bomb = gzip::deflate(&vec![0; 10 << 20]);
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let limits = Limits { max_inflated: 1 << 20 };
    let expected = ErrorKind::TooLarge { limit: 1 << 20 };
    assert_eq!(decode(&bomb, &limits).unwrap_err().kind(), &expected);
    assert_eq!(decode(&vec![0; 2 << 20], &limits).unwrap_err().kind(), &expected);
    let message = fixture();
    let exact = Limits { max_inflated: message.len() as u64 };
    assert!(decode(FIXTURES[0].1, &exact).is_ok());
}

/// Whatever the bytes: an error, or a profile that everything works on and that comes back the same.
fn survive(bytes: &[u8]) -> bool {
    let Ok(profile) = read(bytes) else { return false };
    assert_eq!(read(&encode(&profile)).unwrap(), profile);
    let (profile, _) = crate::analysis::prepare(profile, &Default::default());
    for sample_index in 0..profile.sample_types().len() {
        let _ = top(&profile, &TopOptions { sample_index, mean: true, ..TopOptions::default() });
        let _ = CallTree::new(&profile, &TreeOptions { sample_index, ..TreeOptions::default() });
    }
    let _ = crate::merge(&[profile.clone(), profile]);
    true
}

#[test]
fn cut_short_anywhere_it_ends_well() {
    let message = fixture();
    let n_read = (0..message.len()).filter(|&len| survive(&message[..len])).count();
    // Cuts between fields after the last reference are profiles still.
    assert!(n_read < message.len() / 10, "{n_read} of {}", message.len());
    for len in 0..FIXTURES[0].1.len() {
        assert!(!survive(&FIXTURES[0].1[..len]), "gzip cut to {len}");
    }
}

#[test]
fn with_any_byte_changed_it_ends_well() {
    let message = fixture();
    let mut n_read = 0;
    for at in 0..message.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = message.clone();
            bytes[at] ^= change;
            n_read += usize::from(survive(&bytes));
        }
    }
    // Changed digits and letters are no error; if nothing were read, this would test nothing.
    assert!(500 < n_read, "{n_read}");
}

#[test]
fn numeric_labels_and_extremes_come_back() {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    stacks::add(&mut builder, "main;fib 9223372036854775807 k=v\n-1");
    let labels = [
        LabelSpec::Num { key: "bytes", num: i64::MIN, unit: "" },
        LabelSpec::Num { key: "bytes", num: 0, unit: "bytes" },
        LabelSpec::Num { key: "void", num: 0, unit: "" },
        LabelSpec::Str { key: "void", value: "" },
    ];
    builder.sample(&[], &[i64::MIN], &labels);
    builder.duration_nanos(i64::MAX);
    builder.period("cpu", "nanoseconds", -1);
    let profile = builder.finish();
    assert_eq!(profile.sample(2).labels.len(), 2);
    assert_eq!(read(&encode_gzip(&profile)).unwrap(), profile);
}
