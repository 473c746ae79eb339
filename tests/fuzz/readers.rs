//! Readers: whatever the bytes, they end in a sound profile or an error, and keep their limits.

use proto::formats::{self, collapsed, speedscope};
use proto::{Label, LabelValue, Limits, Profile, decode, encode, encode_gzip};

use crate::laws;

/// Small, so that the limit itself is tried.
const LIMITS: Limits = Limits { max_inflated: 1 << 20 };

/// The protobuf form.
pub(crate) fn proto(bytes: &[u8]) {
    if let Ok(profile) = decode(bytes, &LIMITS) {
        comes_back(&profile);
        laws::hold(&profile);
    }
}

/// Compressed: the message is what stands there, and a stream that is cut or changed must be noticed.
pub(crate) fn gzip(bytes: &[u8]) {
    proto(bytes);
    let Ok(profile) = decode(bytes, &LIMITS) else { return };
    let file = encode_gzip(&profile);
    let cut = bytes.len() % file.len();
    assert!(decode(&file[..cut], &LIMITS).is_err(), "a file of {cut} bytes of {} was taken for whole", file.len());
}

/// In pieces it is what it is as a whole; and what is saved of a damaged one is sound.
pub(crate) fn salvage(bytes: &[u8]) {
    let whole = formats::read(bytes, &LIMITS);
    let size = 1 + usize::from(bytes.last().copied().unwrap_or_default());
    let mut reader = formats::Reader::new(&LIMITS);
    // An error comes again in the end, if nothing can be saved.
    let _pushed = bytes.chunks(size).try_for_each(|it| reader.push(it));
    match reader.finish_salvaged() {
        Ok((profile, None)) => assert_eq!(whole.as_ref(), Ok(&profile)),
        Ok((profile, Some(lost))) => {
            assert!(whole.is_err(), "{lost}");
            assert_eq!(profile.n_samples(), lost.n_samples);
            comes_back(&profile);
            laws::hold(&profile);
        }
        Err(error) => assert_eq!(whole, Err(error)),
    }
}

/// The formats before that, each known by its first bytes.
pub(crate) fn legacy(bytes: &[u8]) {
    proto(bytes);
}

/// Folded stacks, which come back with the same totals.
pub(crate) fn collapsed(bytes: &[u8]) {
    let Ok(profile) = collapsed::read(bytes, &LIMITS) else { return };
    comes_back(&profile);
    laws::hold(&profile);
    let mut text = Vec::new();
    collapsed::write(&mut text, &profile, 0).expect("counts are not negative, and memory takes all");
    let again = collapsed::read(&text, &Limits::default());
    let text = String::from_utf8_lossy(&text);
    match again {
        Ok(again) => assert_eq!(laws::total(&again, 0), laws::total(&profile, 0), "{text}"),
        // All values were 0.
        Err(error) => assert_eq!(laws::total(&profile, 0), 0, "{error}: {text}"),
    }
}

/// JSON of speedscope's.
pub(crate) fn speedscope(bytes: &[u8]) {
    let _any = formats::read(bytes, &LIMITS);
    let Ok(profile) = speedscope::read(bytes, &LIMITS) else { return };
    comes_back(&profile);
    laws::hold(&profile);
}

/// decode ∘ encode = id; but for labels of the number 0, which texts have and a message has no room for.
fn comes_back(profile: &Profile) {
    let limits = Limits::default();
    let again = decode(&encode(profile), &limits).expect("what was encoded is sound");
    let is_lost = |it: &Label| matches!(it.value, LabelValue::Num { num: 0, unit } if unit.index() == 0);
    if !profile.samples().any(|it| it.labels.iter().any(is_lost)) {
        assert_eq!(&again, profile);
    }
    assert_eq!(decode(&encode(&again), &limits).as_ref(), Ok(&again));
}
