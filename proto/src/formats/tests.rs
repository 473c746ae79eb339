//! The one door, and Go's texts.

use super::*;
use crate::decode;
use crate::{LabelSpec, MappingSpec, ProfileBuilder, encode, encode_gzip, stacks};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn check(bytes: &[u8], expected: Result<&str, &str>) {
    for (kind, bytes) in [("plain", bytes.to_vec()), ("gzipped", gzip(bytes))] {
        let read = read(&bytes, &Limits::default()).map_err(|it| it.to_string()).map(|it| {
            let mut out = Vec::new();
            collapsed::write(&mut out, &it, 0).unwrap();
            String::from_utf8(out).unwrap()
        });
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{kind}");
    }
}

#[test]
fn any_file_is_read() {
    let profile = stacks::profile("main;fib 3\nmain 1");
    let expected = Ok("main;fib 3\nmain 1\n");
    check(&encode(&profile), expected);
    let mut json = Vec::new();
    speedscope::write(&mut json, &profile, 0).unwrap();
    check(&json, expected);
    check(b"\n main;fib 3\nmain 1", expected);
    check(b"\xef\xbb\xbfmain;fib 3\nmain 1", expected);
    check(b"{closure};fib 3", Ok("{closure};fib 3\n"));
    check(b"ma\xffin;fib 3", Ok("ma\u{fffd}in;fib 3\n"));
    assert_eq!(read(&encode_gzip(&profile), &Limits::default()).unwrap(), profile);
}

#[test]
fn what_is_none_is_called_by_its_name() {
    check(
        b"main;fib 3\nmain;fib",
        Err("folded stacks: line 2: found \"main;fib\", expected frames and a value: \"main;work 12\""),
    );
    check(
        b"{\"nodes\": 1}",
        Err("JSON, but not a profile of speedscope's: missing field `shared` at line 1 column 12"),
    );
    for bytes in [&b"some text\n"[..], b"", b"\x00\x01\x02 3", b"words 3\nand more"] {
        let decoded = decode(bytes, &Limits::default()).unwrap_err().to_string();
        assert_eq!(read(bytes, &Limits::default()).unwrap_err().to_string(), decoded, "{bytes:?}");
    }
}

#[test]
fn the_limit_holds_for_every_format() {
    let mut json = Vec::new();
    speedscope::write(&mut json, &stacks::profile("main;fib 3"), 0).unwrap();
    for bytes in [&b"main;fib 3"[..], &json] {
        let limits = Limits { max_inflated: bytes.len() as u64 - 1 };
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let error = read(&bytes, &limits).unwrap_err().to_string();
            assert!(error.contains("larger than the limit"), "{error}");
        }
    }
}

fn text_of(profile: &Profile) -> Result<String, String> {
    let mut out = Vec::new();
    text::write(&mut out, profile).map_err(|it| it.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

/// A profile of these types, with rows of values at addresses in a binary.
fn addressed(types: &[(&str, &str)], rows: &[(&[u64], &[i64])]) -> Profile {
    let mut builder = ProfileBuilder::new(types);
    let mapping = MappingSpec { limit: 0x1000, filename: "guest.wasm", ..MappingSpec::default() };
    let mapping = builder.mapping(mapping);
    for (addresses, values) in rows {
        let stack: Vec<_> = addresses.iter().map(|&it| builder.location(Some(mapping), it, &[])).collect();
        builder.sample(
            &stack,
            values,
            &[LabelSpec::Str { key: "b", value: "x\"y" }, LabelSpec::Str { key: "a", value: "z" }],
        );
    }
    builder.finish()
}

const MAP: &str = "\n--- Memory map: ---\n00000000-00001000: [guest.wasm] (@0)\n";

#[test]
fn count_profiles_have_gos_text() {
    let rows: &[(&[u64], &[i64])] = &[(&[0x10], &[2]), (&[0x20, 0x10], &[5]), (&[], &[1]), (&[0x30], &[0])];
    let expected = "\
my_custom profile: total 8
5 @ 0x21 0x11
# labels: {\"a\":\"z\", \"b\":\"x\\\"y\"}
#\t0x20
#\t0x10

2 @ 0x11
# labels: {\"a\":\"z\", \"b\":\"x\\\"y\"}
#\t0x10

1 @ 0x1
# labels: {\"a\":\"z\", \"b\":\"x\\\"y\"}

";
    assert_eq!(text_of(&addressed(&[("my custom", "count")], rows)), Ok(format!("{expected}{MAP}")));
}

#[test]
fn contention_profiles_have_gos_text() {
    let rows: &[(&[u64], &[i64])] = &[(&[0x10], &[2, 30]), (&[0x20, 0x10], &[1, 500]), (&[], &[1, 0])];
    let expected = "\
--- contention:
cycles/second=1000000000
500 1 @ 0x21 0x11
#\t0x20
#\t0x10

30 2 @ 0x11
#\t0x10

0 1 @

";
    let types = [("contentions", "count"), ("delay", "nanoseconds")];
    assert_eq!(text_of(&addressed(&types, rows)), Ok(format!("{expected}{MAP}")));
}

#[test]
fn heap_profiles_have_gos_text_at_a_rate_of_1() {
    let four =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    for (types, values, expected) in [
        (&four[..], &[5, 50, 2, 20][..], "heap profile: 2: 20 [5: 50] @ heap/2\n2: 20 [5: 50] @ 0x11\n#\t0x10\n\n"),
        // Readers would take equal or no allocations for a profile that knows none.
        (&four, &[2, 20, 2, 20], "heap profile: 2: 20 [2: 21] @ heap/2\n2: 20 [2: 20] @ 0x11\n#\t0x10\n\n"),
        (&four, &[0, 0, 2, 20], "heap profile: 2: 20 [0: 1] @ heap/2\n2: 20 [0: 0] @ 0x11\n#\t0x10\n\n"),
        (&four, &[0, 0, 1, 1], "heap profile: 1: 1 [0: 2] @ heap/2\n1: 1 [0: 0] @ 0x11\n#\t0x10\n\n"),
        (&four[..2], &[5, 50], "heap profile: 0: 0 [5: 50] @ heap/2\n0: 0 [5: 50] @ 0x11\n#\t0x10\n\n"),
        (&four[2..], &[2, 20], "heap profile: 2: 20 [0: 1] @ heap/2\n2: 20 [0: 0] @ 0x11\n#\t0x10\n\n"),
        (
            &[("objects", "count"), ("space", "bytes")],
            &[2, 20],
            "heap profile: 2: 20 [0: 0] @ heap/2\n2: 20 [0: 0] @ 0x11\n#\t0x10\n\n",
        ),
    ] {
        assert_eq!(text_of(&addressed(types, &[(&[0x10], values)])), Ok(format!("{expected}{MAP}")));
    }
}

#[test]
fn what_has_no_text_is_refused() {
    let refused = |types: &[(&str, &str)], values: &[i64]| text_of(&addressed(types, &[(&[1], values)])).unwrap_err();
    let no_form = |types: &str| {
        format!(
            "a profile of {types} has no text form, only heap, contention and count profiles have; \
             the other formats take any profile"
        )
    };
    let cpu = [("samples", "count"), ("cpu", "nanoseconds")];
    assert_eq!(refused(&cpu, &[1, 1]), no_form("samples/count and cpu/nanoseconds"));
    assert_eq!(refused(&[("inuse_space", "bytes")], &[1]), no_form("inuse_space/bytes"));
    let heap = [("inuse_objects", "count"), ("inuse_space", "bytes")];
    assert_eq!(
        refused(&heap, &[0, 8]),
        "a sample of 0 blocks and 8 bytes: heap profiles in text form have both or neither"
    );
    assert_eq!(
        refused(&heap, &[3, 0]),
        "a sample of 3 blocks and 0 bytes: heap profiles in text form have both or neither"
    );
    for types in [&heap[..], &[("threadcreate", "count")]] {
        let error = refused(types, if types.len() == 1 { &[-1] } else { &[-1, -8] });
        assert!(error.contains("this format has no negative values"), "{error}");
    }
}
