//! A [`Profile`] to a message.
//!
//! The order is Go's runtime's: what is said once, samples, locations, functions, mappings, and the string table last.
//! Ids are row numbers plus one, dense, as some stores insist on it.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::{gzip, message};
use crate::profile::{Label, LabelValue, Location, Profile, SampleRef, StringId, ValueType};

/// The profile as a bare message.
#[must_use]
pub fn encode(profile: &Profile) -> Vec<u8> {
    let mut out = Vec::new();
    for &sample_type in profile.sample_types() {
        write_message(1, &value_type(sample_type), &mut out);
    }
    write_header(profile, &mut out);
    let mut scratch = Vec::new();
    for sample in profile.samples() {
        scratch.clear();
        write_sample(sample, &mut scratch);
        write_bytes(2, &scratch, &mut out);
    }
    write_locations(profile, &mut out);
    write_functions(profile, &mut out);
    write_mappings(profile, &mut out);
    for text in profile.strings.iter() {
        write_bytes(6, text.as_bytes(), &mut out);
    }
    out
}

/// The profile as it goes to disk: the message as one gzip member. The same profile gives the same bytes.
#[must_use]
pub fn encode_gzip(profile: &Profile) -> Vec<u8> {
    gzip::deflate(&encode(profile))
}

fn write_header(profile: &Profile, out: &mut Vec<u8>) {
    let header = &profile.header;
    write_int(9, header.time_nanos, out);
    write_int(10, header.duration_nanos, out);
    if let Some(period_type) = header.period_type {
        write_message(11, &value_type(period_type), out);
    }
    write_int(12, header.period, out);
    for &comment in &header.comments {
        // Written even if it is the empty text: each is an entry of a list.
        encode_key(13, WireType::Varint, out);
        encode_varint(u64::from(comment.0), out);
    }
    write_int(14, string(header.default_sample_type), out);
    write_int(15, string(header.doc_url), out);
    write_int(7, string(header.drop_frames), out);
    write_int(8, string(header.keep_frames), out);
}

fn write_sample(sample: SampleRef<'_>, out: &mut Vec<u8>) {
    write_packed(1, sample.locations.iter().map(|it| id(it.index())), out);
    write_packed(2, sample.values.iter().map(|it| it.cast_unsigned()), out);
    for &Label { key, value } in sample.labels {
        let key = string(key);
        let label = match value {
            LabelValue::Str(text) => message::Label { key, str: string(text), ..Default::default() },
            LabelValue::Num { num, unit } => message::Label { key, num, num_unit: string(unit), ..Default::default() },
        };
        write_message(3, &label, out);
    }
}

fn write_locations(profile: &Profile, out: &mut Vec<u8>) {
    for location_id in profile.location_ids() {
        let &Location { mapping, address, is_folded, .. } = profile.location(location_id);
        let line = profile.lines(location_id).iter().map(|it| message::Line {
            function_id: id(it.function.index()),
            line: it.line,
            column: it.column,
        });
        let mapping_id = mapping.map_or(0, |it| id(it.index()));
        let location =
            message::Location { id: id(location_id.index()), mapping_id, address, line: line.collect(), is_folded };
        write_message(4, &location, out);
    }
}

fn write_functions(profile: &Profile, out: &mut Vec<u8>) {
    for (idx, it) in profile.functions().iter().enumerate() {
        let function = message::Function {
            id: id(idx),
            name: string(it.name),
            system_name: string(it.system_name),
            filename: string(it.filename),
            start_line: it.start_line,
        };
        write_message(5, &function, out);
    }
}

fn write_mappings(profile: &Profile, out: &mut Vec<u8>) {
    for (idx, it) in profile.mappings().iter().enumerate() {
        let mapping = message::Mapping {
            id: id(idx),
            memory_start: it.start,
            memory_limit: it.limit,
            file_offset: it.offset,
            filename: string(it.filename),
            build_id: string(it.build_id),
            has_functions: it.has_functions,
            has_filenames: it.has_filenames,
            has_line_numbers: it.has_line_numbers,
            has_inline_frames: it.has_inline_frames,
        };
        write_message(3, &mapping, out);
    }
}

fn id(idx: usize) -> u64 {
    idx as u64 + 1
}

fn string(id: StringId) -> i64 {
    i64::from(id.0)
}

fn value_type(it: ValueType) -> message::ValueType {
    message::ValueType { r#type: string(it.kind), unit: string(it.unit) }
}

fn write_message(field: u32, message: &impl Message, out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(message.encoded_len() as u64, out);
    message.encode_raw(out);
}

fn write_bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// An integer that is not in the message when it is 0.
fn write_int(field: u32, value: i64, out: &mut Vec<u8>) {
    if value != 0 {
        encode_key(field, WireType::Varint, out);
        encode_varint(value.cast_unsigned(), out);
    }
}

fn write_packed(field: u32, numbers: impl ExactSizeIterator<Item = u64> + Clone, out: &mut Vec<u8>) {
    if numbers.len() == 0 {
        return;
    }
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(numbers.clone().map(|it| encoded_len_varint(it) as u64).sum(), out);
    numbers.for_each(|it| encode_varint(it, out));
}
