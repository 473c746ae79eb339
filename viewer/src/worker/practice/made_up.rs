//! A profile of many different stacks, in the form of pprof's `profile.proto`: a stored one would be a longer download.

/// At every depth of a stack one of so many functions is running.
const N_CHOICES: u8 = 5;
const DEPTH: u8 = 20;
const N_SAMPLES: u8 = 200;

/// Two sample types; a function for each choice at each depth, in a location of the same number.
pub(super) fn profile() -> Vec<u8> {
    let mut profile = Vec::new();
    for text in ["", "samples", "count"] {
        add(&mut profile, field::STRING, text.as_bytes());
    }
    add(&mut profile, field::SAMPLE_TYPE, &[number(1), 1, number(2), 2]);
    add(&mut profile, field::SAMPLE_TYPE, &[number(1), 1, number(2), 2]);
    for id in 1..=DEPTH * N_CHOICES {
        add(&mut profile, field::STRING, format!("package::function{id}").as_bytes());
        add(&mut profile, field::FUNCTION, &[number(1), id, number(2), id + 2]);
        add(&mut profile, field::LOCATION, &[number(1), id, message(4), 2, number(1), id]);
    }
    let mut chosen = 1_u32;
    for at in 0..N_SAMPLES {
        let mut sample = vec![number(2), at % 100, number(2), at % 100];
        for depth in (0..DEPTH).rev() {
            // A linear congruence, as in many a C library; its upper bits.
            chosen = chosen.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            let choice = (chosen >> 16).to_le_bytes()[0] % N_CHOICES;
            sample.extend([number(1), depth * N_CHOICES + choice + 1]);
        }
        add(&mut profile, field::SAMPLE, &sample);
    }
    profile
}

/// Numbers of a profile's fields.
mod field {
    pub(super) const SAMPLE_TYPE: u8 = 1;
    pub(super) const SAMPLE: u8 = 2;
    pub(super) const LOCATION: u8 = 4;
    pub(super) const FUNCTION: u8 = 5;
    pub(super) const STRING: u8 = 6;
}

/// What precedes a number; all are below 128 here, and so a byte each.
const fn number(field: u8) -> u8 {
    field << 3
}

/// What precedes a text's or a message's length.
const fn message(field: u8) -> u8 {
    field << 3 | 2
}

fn add(profile: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    #[expect(clippy::cast_possible_truncation, reason = "the longest are samples, of 44 bytes")]
    let len = bytes.len() as u8;
    profile.extend([message(field), len]);
    profile.extend_from_slice(bytes);
}
