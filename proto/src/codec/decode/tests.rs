//! The same profile however its writer orders rows and numbers them, and stacks longer than a batch.

use prost::Message;

use super::*;
use crate::codec::{Limits, encode, message, read_message};
use crate::stacks;

/// The whole message at once; it is the same however it comes.
fn decode(bytes: &[u8]) -> Result<Profile, Error> {
    let expected = read_message(bytes, &Limits::default());
    for size in [1, 7, 100, 4096] {
        assert_eq!(in_pieces(bytes, size), expected, "in pieces of {size}");
    }
    expected
}

fn in_pieces(bytes: &[u8], size: usize) -> Result<Profile, Error> {
    let mut decoder = Decoder::new(u64::MAX);
    let mut part = Vec::new();
    for piece in bytes.chunks(size) {
        part.extend_from_slice(piece);
        let n_read = decoder.read(&part, false, 0);
        part.drain(..n_read);
    }
    decoder.read(&part, true, 0);
    decoder.finish()
}

/// Stacks of all lengths around a batch's, of functions whose ids take one byte and two.
fn profile() -> Profile {
    let stack = |n: usize| (0..n).map(|it| format!("f{}", it * 37 % 300)).collect::<Vec<_>>().join(";");
    let lines: Vec<String> = (0..140).map(|n| format!("{} {}", stack(n), n + 1)).collect();
    stacks::profile(&lines.join("\n"))
}

fn raw() -> message::Profile {
    message::Profile::decode(encode(&profile()).as_slice()).unwrap()
}

fn check(raw: &message::Profile) {
    assert_eq!(decode(&raw.encode_to_vec()).unwrap(), profile());
}

/// Gives each id of a location a new one.
fn renumber(raw: &mut message::Profile, new: impl Fn(u64) -> u64) {
    raw.location.iter_mut().for_each(|it| it.id = new(it.id));
    raw.sample.iter_mut().flat_map(|it| &mut it.location_id).for_each(|it| *it = new(*it));
}

#[test]
fn ids_may_be_any() {
    let n = profile().locations().len() as u64;
    let new: [fn(u64, u64) -> u64; 5] =
        [|id, _| id, |id, n| n + 1 - id, |id, _| id * 3, |id, _| id * 1_000_003, |id, _| u64::MAX - id];
    for new in new {
        let mut raw = raw();
        renumber(&mut raw, |id| new(id, n));
        check(&raw);
    }
}

#[test]
fn tables_may_come_before_samples_and_after() {
    check(&raw());
    // Repeated fields of two messages back to back are those of one.
    let mut tables = raw();
    let samples = message::Profile { sample: std::mem::take(&mut tables.sample), ..Default::default() };
    let [tables, samples] = [tables, samples].map(|it| it.encode_to_vec());
    for bytes in [[&*tables, &*samples].concat(), [&*samples, &*tables].concat()] {
        assert_eq!(decode(&bytes).unwrap(), profile());
    }
}

#[test]
fn an_id_of_nothing_is_found_wherever_it_is() {
    for (idx, id) in [0, 1, 63, 64, 65, 138].into_iter().flat_map(|idx| [0, 301, u64::MAX].map(|id| (idx, id))) {
        let mut raw = raw();
        let last = raw.sample.last_mut().unwrap();
        last.location_id[idx] = id;
        let bytes = raw.encode_to_vec();
        let err = decode(&bytes).unwrap_err();
        assert_eq!(*err.kind(), ErrorKind::Dangling { what: "sample.location_id", id }, "{idx}");
        // What follows is only right from there on if that is where the id begins.
        let rest = &bytes[err.offset().unwrap()..];
        assert_eq!(prost::encoding::decode_varint(&mut &*rest).unwrap(), id, "{idx}");
    }
}

/// prost writes ids as short as can be; others may not.
#[test]
fn an_id_that_is_longer_than_it_must_be_is_read_and_found() {
    let [long, short] = [vec![0x81, 0x80, 0x00], vec![0x01]].map(|first| {
        let ids = [first, vec![2, 3, 2, 0x83, 0x00, 2, 2, 2, 2, 2, 9]].concat();
        let id_len = u8::try_from(ids.len()).unwrap();
        let sample = [vec![0x0a, id_len], ids, vec![0x10, 5]].concat();
        let n = u8::try_from(sample.len()).unwrap();
        [vec![0x0a, 0, 0x12, n], sample, vec![0x22, 2, 8, 1, 0x22, 2, 8, 2, 0x22, 2, 8, 3, 0x32, 0]].concat()
    });
    for bytes in [&long, &short] {
        let err = decode(bytes).unwrap_err();
        let kind = ErrorKind::Dangling { what: "sample.location_id", id: 9 };
        assert_eq!((err.kind(), err.offset()), (&kind, bytes.iter().rposition(|it| *it == 9)), "{bytes:?}");
        let sound: Vec<u8> = bytes.iter().map(|it| if *it == 9 { 3 } else { *it }).collect();
        let sample = decode(&sound).unwrap();
        assert_eq!(
            sample.sample(0).locations.iter().map(|it| it.0).collect::<Vec<_>>(),
            [0, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2]
        );
    }
}

#[test]
fn fields_that_are_no_profiles_are_passed_over_in_pieces() {
    let mut bytes = raw().encode_to_vec();
    // Field 16: a text longer than any piece, and a group with a number in it.
    bytes.extend([0x82, 0x01, 0xa0, 0x8d, 0x06]);
    bytes.extend(vec![7; 100_000]);
    bytes.extend([0x83, 0x01, 0x08, 0x01, 0x84, 0x01]);
    assert_eq!(decode(&bytes).unwrap(), profile());
    let cut = decode(&bytes[..bytes.len() - 100]).unwrap_err();
    let kind = ErrorKind::CutShort { what: "profile", length: 100_000, left: 100_000 - 94 };
    assert_eq!(*cut.kind(), kind);
}

/// What is wrong first, in the order of a reader that reads the tables before the samples.
#[test]
fn of_several_faults_the_first_is_told() {
    let check = |breakage: fn(&mut message::Profile), expected: &str| {
        let mut raw = raw();
        breakage(&mut raw);
        let found = decode(&raw.encode_to_vec()).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
    };
    check(
        |it| {
            it.sample[3].location_id[0] = 9999;
            it.sample[2].value.push(1);
            it.sample[5].value.clear();
        },
        "sample 2 has 2 values",
    );
    check(
        |it| {
            it.sample[3].location_id[0] = u64::MAX;
            it.sample[3].value.push(1);
        },
        "sample.location_id 18446744073709551615 does not exist",
    );
    check(
        |it| {
            it.sample[3].location_id[1] = 9999;
            it.sample[2].label = vec![message::Label { key: 1, str: -4, num: 0, num_unit: 9999 }];
        },
        "label.str: string -4 is past",
    );
    check(
        |it| {
            it.sample[3].location_id[1] = 0;
            it.function[0].name = 9999;
            it.location[0].id = 0;
        },
        "location with reserved id 0",
    );
    check(
        |it| {
            it.sample[3].location_id[1] = 0;
            it.function[0].name = 9999;
        },
        "sample.location_id 0 does not exist",
    );
}
