//! Real files, cut and bent: each ends in an error, or in a profile that everything works on.
#![expect(clippy::expect_used, reason = "what a test cannot do without")]

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use proto::analysis::top::{TopOptions, top};
use proto::analysis::{PrepareOptions, prepare};
use proto::formats::Reader;
use proto::{LabelValue, Limits, Profile, decode, encode, merge};

/// The files of other programs that the tests of the command line read as well, inflated.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles/corpus");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".txt") && !name.ends_with(".md") {
            let file = fs::read(&path).expect("a readable file");
            let mut inflated = Vec::new();
            let is_inflated = MultiGzDecoder::new(file.as_slice()).read_to_end(&mut inflated).is_ok();
            files.push((name, if is_inflated { inflated } else { file }));
        }
    }
    files.sort();
    assert!(25 < files.len(), "only {} files", files.len());
    files
}

/// A number 0 without a unit cannot be told from no label in a message; old texts have such.
fn has_void_label(profile: &Profile) -> bool {
    let is_void = |value| matches!(value, LabelValue::Num { num: 0, unit } if profile.string(unit).is_empty());
    profile.samples().any(|it| it.labels.iter().any(|it| is_void(it.value)))
}

/// Whether the bytes are a profile.
fn survive(bytes: &[u8], what: &str) -> bool {
    let limits = Limits::default();
    let Ok(profile) = decode(bytes, &limits) else {
        salvage(bytes, what);
        return false;
    };
    if profile.n_samples() != 0 {
        let again = decode(&encode(&profile), &limits).expect(what);
        assert_eq!(decode(&encode(&again), &limits).as_ref(), Ok(&again), "{what}");
        let is_same = again == profile || has_void_label(&profile);
        assert!(is_same && again.n_samples() == profile.n_samples(), "{what}");
    }
    // A pattern of the file's own may be none.
    let (profile, _) = prepare(profile, &PrepareOptions::default());
    for sample_index in 0..profile.sample_types().len() {
        let _ = top(&profile, &TopOptions { sample_index, ..TopOptions::default() });
    }
    let _ = merge(&[profile.clone(), profile]);
    true
}

/// What is saved of bytes that are no profile is one.
fn salvage(bytes: &[u8], what: &str) {
    let mut reader = Reader::new(&Limits::default());
    // An error comes again in the end, if nothing can be saved.
    let _pushed = bytes.chunks(10_000).try_for_each(|it| reader.push(it));
    let Ok((profile, Some(lost))) = reader.finish_salvaged() else { return };
    assert_eq!(profile.n_samples(), lost.n_samples, "{what}");
    assert!(survive(&encode(&profile), what), "{what}");
}

/// How often a file is tried: the larger, the less, so that all take about as long.
fn n_tries(len: usize) -> usize {
    (20_000_000 / (len + 1)).clamp(10, 400)
}

/// A sequence of numbers that looks random, the same each time (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }
}

#[test]
fn cut_short_anywhere_they_end_well() {
    let mut n_read = 0;
    for (name, file) in corpus() {
        let mut numbers = Numbers(1);
        for _ in 0..n_tries(file.len()) {
            let len = numbers.below(file.len());
            n_read += usize::from(survive(&file[..len], &format!("{name} cut to {len}")));
        }
    }
    // Texts cut at a line's end, and messages cut in their string table, are profiles.
    assert!(200 < n_read, "{n_read}");
}

#[test]
fn with_bytes_changed_they_end_well() {
    let mut n_read = 0;
    for (name, file) in corpus() {
        let mut numbers = Numbers(2);
        for attempt in 0..n_tries(file.len()) {
            let mut bytes = file.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                // A byte of the file's own is more often of sense than any other.
                let other = file.get(numbers.below(file.len())).copied().unwrap_or_default();
                let change = [other, 0, 0xff, b'\n', b'9'][numbers.below(5)];
                bytes.iter_mut().skip(at).take(1).for_each(|it| *it = change);
            }
            n_read += usize::from(survive(&bytes, &format!("{name}, changed for the {attempt}th time")));
        }
    }
    assert!(1000 < n_read, "{n_read}");
}
