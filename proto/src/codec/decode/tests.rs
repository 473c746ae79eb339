//! The same profile however its writer orders rows and numbers them, and stacks longer than a batch.

use super::*;
use crate::codec::encode;
use crate::stacks;

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
