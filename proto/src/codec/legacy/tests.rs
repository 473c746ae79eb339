//! Small texts of every format, read and refused; and what is made of them all in all.

use std::fmt::Write;

use crate::codec::{Limits, decode, encode};
use crate::{LabelValue, Profile};

/// Types, period, samples and mappings, a line each. An address is followed by its mapping's place.
fn show(profile: &Profile) -> String {
    let mut shown = String::new();
    let types = profile.sample_types().iter().copied().chain(profile.period_type()).map(|it| {
        let [kind, unit] = [it.kind, it.unit].map(|it| profile.string(it));
        format!("{kind}/{unit}")
    });
    writeln!(shown, "{} {}", types.collect::<Vec<_>>().join(" "), profile.period()).unwrap();
    for sample in profile.samples() {
        let values: Vec<_> = sample.values.iter().map(i64::to_string).collect();
        write!(shown, "{}:", values.join(" ")).unwrap();
        for &id in sample.locations {
            let location = profile.location(id);
            write!(shown, " {:x}", location.address).unwrap();
            for line in profile.lines(id) {
                let function = profile.function(line.function);
                let [name, file] = [function.name, function.filename].map(|it| profile.string(it));
                write!(shown, "={name}({file}:{})", line.line).unwrap();
            }
            if let Some(mapping) = location.mapping {
                write!(shown, "@{}", mapping.index()).unwrap();
            }
        }
        for label in sample.labels {
            let LabelValue::Num { num, .. } = label.value else { panic!("a number: {label:?}") };
            write!(shown, " {}={num}", profile.string(label.key)).unwrap();
        }
        shown.push('\n');
    }
    for mapping in profile.mappings() {
        let [file, build_id] = [mapping.filename, mapping.build_id].map(|it| profile.string(it));
        writeln!(shown, "{:x}-{:x}+{:x} {file} {build_id}", mapping.start, mapping.limit, mapping.offset).unwrap();
    }
    shown.lines().map(|it| format!("{}\n", it.trim_end())).collect()
}

fn read(bytes: &[u8]) -> Result<Profile, crate::Error> {
    decode(bytes, &Limits::default())
}

/// `text` reads as `expected`, whatever its line ends, and comes back as itself through a message.
fn check(text: &str, expected: &str) {
    let text: String = text.lines().map(|it| format!("{}\n", it.trim())).collect();
    let expected: String = expected.lines().map(|it| format!("{}\n", it.trim())).collect();
    let profile = read(text.as_bytes()).unwrap();
    assert_eq!(show(&profile), expected, "{text}");
    assert_eq!(read(text.replace('\n', "\r\n").as_bytes()).unwrap(), profile, "{text}");
    let message = read(&encode(&profile));
    // An empty message is none; and a label of 0 cannot be told from none there.
    if profile.n_samples() != 0 && !expected.contains("bytes=0") {
        assert_eq!(message.unwrap(), profile, "{text}");
    }
}

fn check_refused(text: &str, expected: &str) {
    assert_eq!(read(text.as_bytes()).map(|it| show(&it)).unwrap_err().to_string(), expected, "{text}");
}

const EVERYWHERE: &str = "0-ffffffffffffffff+0";

#[test]
fn heaps_of_every_kind() {
    let check = |kind: &str, types: &str, row: &str| {
        let text = format!("heap profile: 2: 2000 [0: 0] @ {kind}\n  2: 2000 [0: 0] @ 0x11 0x21\n");
        check(&text, &format!("{types}\n{row}: 10@0 20@0 bytes=1000\n{EVERYWHERE}"));
    };
    // 1 − e^(−1000 / 1000) is 0.632.
    check("heap/2000", "objects/count space/bytes space/bytes 1000", "3 3163");
    check("heap_v2/1000", "objects/count space/bytes space/bytes 1000", "3 3163");
    check("heapz_v2/1000", "objects/count space/bytes space/bytes 1000", "3 3163");
    check("heap_v2", "objects/count space/bytes space/bytes 0", "2 2000");
    check("heapprofile", "objects/count space/bytes space/bytes 1", "2 2000");
    check("growthz", "objects/count space/bytes space/bytes 1", "2 2000");
    check("growth", "objects/count space/bytes space/bytes 1", "2 2000");
    check("fragmentationz", "objects/count space/bytes space/bytes 1", "2 2000");
}

#[test]
fn heaps_tell_of_what_was_freed() {
    check(
        "heap profile: 1: 8 [ 5: 48] @ heapprofile
        # a comment

        1: 8 [ 3: 24] @ 0x11 0x21
        0: 0 [ 2: 24] @ 0x11
        0: 0 [ 0: 0] @ 0x31
        -1: -8 [ 1: 8] @
        MAPPED_LIBRARIES:
        00000000-00000020: /bin/it (@0) abc
        build=/srv
        00000020-00000040: $build/lib.so",
        "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes space/bytes 1
        3 24 1 8: 10@0 20@1 bytes=8
        2 24 0 0: 10@0 bytes=12
        0 0 0 0: 30@1 bytes=0
        1 8 -1 -8: bytes=8
        0-20+0 /bin/it abc
        20-40+0 /srv/lib.so",
    );
}

#[test]
fn heaps_that_break_off_are_refused_with_their_line() {
    let refused = |rows: &str, expected: &str| {
        let text = format!("heap profile: 1: 8 [1: 8] @ heap/2\n\n{rows}\n1: 8 [1: 8] @ 0x1");
        check_refused(&text, &format!("heap profile text: found {expected}"));
    };
    let row = "expected COUNT: BYTES [COUNT: BYTES] @ 0xADDRESS 0xADDRESS … (at line 3)";
    refused("1: 8 [1: 8", &format!("\"1: 8 [1: 8\", {row}"));
    let long = format!("1: 8 [1: 8] {}", "é".repeat(100));
    refused(&long, &format!("\"1: 8 [1: 8] {}…\", {row}", "é".repeat(48)));
    refused("0: 8 [1: 8] @ 0x1", "\"0: 8 [1: 8] @ 0x1\", expected no bytes where there are no blocks (at line 3)");
    let large = "1: 9999999999999999999 [1: 8] @ 0x1";
    refused(large, &format!("{large:?}, expected numbers of 63 bits (at line 3)"));
    let far = "1: 8 [1: 8] @ 0x12345678123456781";
    refused(far, &format!("{far:?}, expected addresses of 64 bits (at line 3)"));

    let title =
        "expected heap profile: COUNT: BYTES [COUNT: BYTES] @ heap/RATE, heap_v2/RATE, heapprofile, growth or such";
    for text in ["heap profile: 1: 8 [1: 8", "heap profile: 1: 8 [1: 8] @ heapish/5"] {
        check_refused(text, &format!("heap profile text: found {text:?}, {title} (at line 1)"));
    }
    let text = "heap profile: 1: 8 [1: 8] @ heap/9999999999999999999";
    check_refused(text, &format!("heap profile text: found {text:?}, expected a rate of 63 bits (at line 1)"));
}

#[test]
fn counts() {
    check(
        "# written by hand

        goroutine profile: total 3
        2 @ 0x401001 0x402001
        # labels: {\"k\":\"v\"}
        #\t0x401000\tmain.f+0x1\t/src/main.go:7

        010 @ 0x402001
        --- Memory map: ---
        400000-500000: /bin/it",
        "goroutine/count goroutine/count 1
        2: 401000@0 402000@0
        8: 402000@0
        400000-500000+0 /bin/it",
    );
    check(
        "threadcreate profile: total 1\n1 @ 0x0",
        &format!("threadcreate/count threadcreate/count 1\n1: ffffffffffffffff@0\n{EVERYWHERE}"),
    );
    check("a.b/c.open-files profile: total 0", "a.b/c.open-files/count a.b/c.open-files/count 1");
    let refused = |row: &str, expected: &str| {
        let text = format!("goroutine profile: total 1\n{row}");
        check_refused(&text, &format!("count profile text: found {row:?}, expected {expected} (at line 2)"));
    };
    refused("1 @", "COUNT @ 0xADDRESS 0xADDRESS …");
    refused("1 @ 0x1 x", "COUNT @ 0xADDRESS 0xADDRESS …");
    refused("08 @ 0x1", "a count of 63 bits");
    refused("1 @ 0x11112222333344445", "addresses of 64 bits");
}

#[test]
fn contentions_of_go_and_cpp() {
    let types = "contentions/count delay/nanoseconds contentions/count";
    for title in ["--- contentionz 1 ---", "--- mutex:", "--- contention:"] {
        check(
            &format!("{title}\ncycles/second=2000000000\nsampling period = 10\n\n7 3 @ 0x11 0x21\n#\tf\n5 1 @ 0x11"),
            &format!("{types} 10\n30 35: 10@0 20@0\n10 25: 10@0\n{EVERYWHERE}"),
        );
    }
    check(
        "--- contentionz 1 ---
        discarded samples = 3
        ms since reset = 0x10
        7 3 @ 0x11
        --- Memory map: ---
        10-20: /bin/it",
        &format!("{types} 1\n3 7: 10@0\n10-20+0 /bin/it"),
    );
    check("--- mutex:\nsampling period=0\ncycles/second=5\n7 3 @ 0x11", &format!("{types} 0\n3 7: 10@0\n{EVERYWHERE}"));
    let profile = read(b"--- mutex:\nms since reset = 2\n").unwrap();
    assert_eq!(profile.duration_nanos(), 2_000_000);

    let refused = |line: &str, expected: &str| {
        let text = format!("--- mutex:\ncycles/second=1\n{line}\n");
        check_refused(&text, &format!("contention profile text: found {line:?}, expected {expected} (at line 3)"));
    };
    refused("sampling period=x", "a number of 63 bits");
    refused("colour=red", "cycles/second, sampling period, ms since reset or discarded samples");
    refused("7 @ 0x1", "CYCLES COUNT @ 0xADDRESS 0xADDRESS …");
    refused("99999999999999999999 1 @ 0x1", "numbers of 63 bits");
    refused("7 1 @ 0x11112222333344445", "addresses of 64 bits");
}

#[test]
fn threads() {
    check(
        "--- threadz 1 ---
        whatever

        --- Thread 7f79 (name: main/1) stack: ---
        PC: 0x1000: helper(arg *)
        0x2001: main
        --- Thread 7f80 (name: other/2) stack: ---
        [same as previous thread]
        --- Thread 7f81 (name: with / and (/3) stack: ---
        PC: 0x1000 0x1000
        0x2001
        creator: 0x3001
        --- Memory map: ---
        800-9000: /bin/it",
        "thread/count thread/count 1
        2: 1000@0 2000@0
        1: 1000@0 2000@0 3000@0
        800-9000+0 /bin/it",
    );
    // No title, and an end without a map.
    check(
        "--- Thread 7f79 (name: main/1) stack: ---\n0x1000\n---- no stack trace for 3 threads",
        &format!("thread/count thread/count 1\n1: 1000@0\n{EVERYWHERE}"),
    );
    let expected = "expected --- Thread ID (name: NAME/ID) stack: ---, or a memory map";
    check_refused(
        "--- threadz 1 ---\n\n--- Thread x (name: main/1) stack: ---\n",
        &format!("threadz text: found \"--- Thread x (name: main/1) stack: ---\", {expected} (at line 3)"),
    );
    check_refused(
        "--- threadz 1 ---\n--- Thread 1 (name: main/1) stack: ---\n0x1",
        &format!("threadz text: found nothing, {expected} (at line 3)"),
    );
    check_refused(
        "--- threadz 1 ---\n--- Thread 1 (name: main/1) stack: ---\n0x1\n0x11112222333344445\n--- Memory map: ---",
        "threadz text: found \"0x11112222333344445\", expected addresses of 64 bits (at line 4)",
    );
}

#[test]
fn javas_heap_and_contentions() {
    check(
        "--- heapz 1 ---
        format = java
        resolution = bytes

        2097152 2 @ 0x3 0x4
        0 1 @ 0x5

        0x03 a.b.c (C.java:7)
        0x0000004 a.b.c (D.java:-1)
        0x5 GC
        0x6 unused (E.java:1)",
        "inuse_objects/count inuse_space/bytes 0
        2 2425393: 0=a.b.c(C.java:7) 0=a.b.c(C.java:0) bytes=1048576
        0 0: 0=GC(:0) bytes=0",
    );
    check(
        "--- contentionz 1 ---
        format = java
        resolution = microseconds
        sampling period = 10
        ms since reset = 6
        5 2 @ 0x3 0x4 0x5 0x6
        0x3 read (/lib/libc.so)
        0x4 x generated stub/JIT y
        0x5 write (/)",
        &format!(
            "contentions/count delay/microseconds contentions/count 10
            20 50: 0=read(libc.so:0) 0=STUB(:0) 0=write(/:0) 0@0
            {EVERYWHERE}"
        ),
    );
    let refused = |lines: &str, expected: &str| {
        check_refused(&format!("--- heapz 1 ---\n{lines}\n"), &format!("Java profile text: found {expected}"));
    };
    refused("format = cpp", "\"format = cpp\", expected format = java (at line 2)");
    let names = "format, resolution, sampling period or ms since reset";
    refused("sampling period = 1", &format!("\"sampling period = 1\", expected {names} (at line 2)"));
    refused("8 1 @ 0x1", "\"8 1 @ 0x1\", expected resolution = UNIT before the first row (at line 2)");
    refused("resolution = bytes\n8 0 @ 0x1", "\"8 0 @ 0x1\", expected a count other than 0 (at line 3)");
    refused("resolution = bytes\n8 08 @ 0x1", "\"8 08 @ 0x1\", expected numbers of 63 bits (at line 3)");
    refused("\n0x11112222333344445 f", "\"0x11112222333344445 f\", expected an address of 64 bits (at line 3)");
    check_refused(
        "--- contentionz 1 ---\nformat = java\nsampling period = x\n",
        "Java profile text: found \"sampling period = x\", expected a number of 63 bits (at line 3)",
    );
}

#[test]
fn jemallocs_heap() {
    check(
        "heap_v2/1000
        t*: 3: 2010 [0: 0]
        t0: 3: 2010 [0: 0] main
        @ 0x11 0x21
        t*: 2: 2000 [0: 0]
        t0: 1: 1000 [0: 0]
        t1: 1: 1000 [0: 0]
        @ 0x31
        t*: 1: 10 [0: 0]
        t0: 1: 10 [0: 0]

        MAPPED_LIBRARIES:
        10-40 r-xp 00000000 fe:00 18 /bin/it",
        "objects/count space/bytes space/bytes 1000
        3 3163: 10@0 20@0 bytes=1000
        100 1005: 30@0 bytes=10
        10-40+0 /bin/it",
    );
    // With opt.prof_accum.
    check(
        "heap_v2/1
        t*: 1: 8 [3: 24]
        @ 0x11
        t*: 1: 8 [3: 24]",
        &format!(
            "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes space/bytes 1
            3 24 1 8: 10@0 bytes=8
            {EVERYWHERE}"
        ),
    );
    check("heap_v2/524288\n  t*: 0: 0 [0: 0]\n\nMAPPED_LIBRARIES:\n", "objects/count space/bytes space/bytes 524288");
    let refused = |lines: &str, expected: &str| {
        check_refused(&format!("heap_v2/1\n{lines}"), &format!("jemalloc heap profile: found {expected}"));
    };
    let row = "expected @ 0xADDRESS 0xADDRESS …, or tTHREAD: COUNT: BYTES [COUNT: BYTES]";
    refused("t*: 1: 8 [0: 0]\n@ 0x1\nt*: 1: 8", &format!("\"t*: 1: 8\", {row} (at line 4)"));
    refused("nonsense", &format!("\"nonsense\", {row} (at line 2)"));
    refused("@ 0x11112222333344445", "\"@ 0x11112222333344445\", expected addresses of 64 bits (at line 2)");
    refused("@ 0x1\nt*: 0: 8 [0: 0]", "\"t*: 0: 8 [0: 0]\", expected no bytes where there are no blocks (at line 3)");
}

/// The words of a CPU profile in each form they come in, 32 bits and 64, little-endian and big-endian.
fn cpu_files(words: &[u32], rest: &str) -> [Vec<u8>; 4] {
    let bytes = |word: fn(u32) -> Vec<u8>| words.iter().flat_map(|&it| word(it)).chain(rest.bytes()).collect();
    [
        bytes(|it| it.to_le_bytes().to_vec()),
        bytes(|it| it.to_be_bytes().to_vec()),
        bytes(|it| u64::from(it).to_le_bytes().to_vec()),
        bytes(|it| u64::from(it).to_be_bytes().to_vec()),
    ]
}

fn check_cpu(words: &[u32], rest: &str, expected: &str) {
    let expected: String = expected.lines().map(|it| format!("{}\n", it.trim())).collect();
    for file in cpu_files(words, rest) {
        let profile = read(&file).unwrap();
        assert_eq!(show(&profile), expected, "{words:?}");
        assert_eq!(read(&encode(&profile)).unwrap(), profile, "{words:?}");
    }
}

#[test]
fn cpu_profiles_of_every_word() {
    let words = [0, 3, 0, 10_000, 0, 2, 2, 0x11, 0x21, 1, 1, 0x31, 3, 0, 0, 1, 0];
    check_cpu(
        &words,
        "10-40 r-xp 00000000 fe:00 18 /bin/it\n",
        "samples/count cpu/nanoseconds cpu/nanoseconds 10000000
        2 20000000: 11@0 20@0
        1 10000000: 31@0
        3 30000000:
        10-40+0 /bin/it",
    );
    // Without the end's mark and a map.
    let everywhere = format!("samples/count cpu/nanoseconds cpu/nanoseconds 1000\n1 1000: 11@0\n{EVERYWHERE}");
    check_cpu(&[0, 3, 0, 1, 0, 1, 1, 0x11], "", &everywhere);
    check_cpu(
        &[0, 3, 1, 1, 0, 2, 2, 0x11, 0x22, 0, 1, 0],
        "0x11 a.f (A.java:3)\n",
        &format!("samples/count cpu/nanoseconds cpu/nanoseconds 1000\n2 2000: 0=a.f(A.java:3) 0@0\n{EVERYWHERE}"),
    );
}

#[test]
fn signal_handlers_are_taken_out_of_cpu_profiles() {
    let header = [0, 3, 0, 1, 0];
    let shown = |samples: &str| format!("samples/count cpu/nanoseconds cpu/nanoseconds 1000\n{samples}\n{EVERYWHERE}");
    // Two handlers, 0x51 and 0x61, in all stacks; then the leaf, twice.
    let samples = [1, 4, 0x11, 0x51, 0x61, 0x71, 1, 5, 0x12, 0x51, 0x61, 0x12, 0x81];
    check_cpu(&[&header[..], &samples].concat(), "", &shown("1 1000: 11@0 70@0\n1 1000: 12@0 80@0"));
    // One stack of two is without.
    let samples = [1, 3, 0x11, 0x51, 0x71, 1, 2, 0x12, 0x71];
    check_cpu(&[&header[..], &samples].concat(), "", &shown("1 1000: 11@0 50@0 70@0\n1 1000: 12@0 70@0"));
    // One of 32 may be without.
    let samples: Vec<u32> = (0..32).flat_map(|it| [1, 2, 0x1000 + it, if it == 7 { 0x71 } else { 0x51 }]).collect();
    let profile = read(&cpu_files(&[&header[..], &samples].concat(), "")[0]).unwrap();
    let depths: Vec<_> = profile.samples().map(|it| it.locations.len()).collect();
    assert_eq!((depths[7], depths.iter().sum::<usize>()), (2, 33));
}

#[test]
fn cpu_profiles_that_break_off() {
    let header = [0, 3, 0, 1, 0];
    let error = |words: &[u32]| read(&cpu_files(&[&header[..], words].concat(), "")[0]).unwrap_err();
    let cut = error(&[1, 1, 0x11, 1]);
    let expected = "expected a sample's count and number of frames (at offset 0x20)";
    assert_eq!(cut.to_string(), format!("binary CPU profile: found the end of the file, {expected}"));
    assert_eq!((cut.offset(), cut.line()), (Some(32), None));
    let expected = "expected no more than the rest of the file holds (at offset 0x14)";
    for n_frames in [2, u32::MAX] {
        let found = format!("found a stack of {n_frames} frames");
        assert_eq!(error(&[1, n_frames, 0x11]).to_string(), format!("binary CPU profile: {found}, {expected}"));
    }
    // A period of 0 is none: so this is no such profile.
    assert!(read(&cpu_files(&[0, 3, 0, 0, 0, 1, 1, 1], "")[0]).unwrap_err().to_string().starts_with("not a profile"));
}

/// What reports leave out, by what was sampled.
#[test]
fn built_in_patterns() {
    let check = |text: &str, dropped: &str, kept: Option<&str>| {
        let profile = read(text.as_bytes()).unwrap();
        let matches = |pattern: &str, name: &str| regex::Regex::new(&format!("^({pattern})$")).unwrap().is_match(name);
        assert!(matches(profile.drop_frames(), dropped), "{dropped}");
        assert!(!matches(profile.drop_frames(), "main"), "{text}");
        match kept {
            Some(kept) => assert!(matches(profile.keep_frames(), kept), "{kept}"),
            None => assert_eq!(profile.keep_frames(), "", "{text}"),
        }
    };
    check("heap profile: 1: 8 [1: 8] @ heapprofile", "operator new[]", Some("runtime.call32"));
    check("heap profile: 1: 8 [2: 16] @ heapprofile", "tcmalloc::Central", Some("runtime.panic"));
    check("--- heapz 1 ---\nresolution = bytes\n", "__libc_malloc", Some("runtime.reflectcall"));
    check("--- mutex:\n", "base::Mutex::Unlock", None);
    check("goroutine profile: total 0", "__restore", None);
}

/// Long lines cost no more than their length, and neither do lengths that are not there.
#[test]
fn long_lines_are_read() {
    let text = format!("goroutine profile: total 1\n1 @{}\n", " 0x401000".repeat(100_000));
    assert_eq!(read(text.as_bytes()).unwrap().sample(0).locations.len(), 100_000);
}
