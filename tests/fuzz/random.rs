//! Random profiles: bytes to a profile, so that a fuzzer's changes to the bytes change the profile a little.

use arbitrary::{Result, Unstructured};
use proto::{FunctionSpec, LabelSpec, Line, LocationId, MappingSpec, Profile, ProfileBuilder};

const NAMES: [&str; 8] =
    ["main", "a::b<T>::c", "malloc", "", "operator()(int)", "<img src=x>", "java.lang.String.<init>", "f;g"];
const KEYS: [&str; 4] = ["tenant", "bytes", "pprof::base", ""];
const UNITS: [(&str, &str); 4] = [("samples", "count"), ("cpu", "nanoseconds"), ("space", "bytes"), ("cpu", "ms")];

/// A profile of few functions, so that stacks meet; nothing is left out that the format allows.
pub(crate) fn profile(bytes: &mut Unstructured<'_>) -> Result<Profile> {
    let n_types = bytes.int_in_range(1..=3)?;
    let first = bytes.int_in_range(0..=1)?;
    let types: Vec<(&str, &str)> = (first..first + n_types).map(|it| UNITS[it]).collect();
    let mut builder = ProfileBuilder::new(&types);
    builder.period("cpu", "nanoseconds", bytes.int_in_range(0..=20)?);
    builder.time_nanos(bytes.int_in_range(-5..=5)?);
    if bytes.ratio(1, 4)? {
        builder.frame_patterns(bytes.choose(&["malloc", "a.*", "(", ".*"])?, bytes.choose(&["", "malloc"])?);
    }
    let locations = locations(bytes, &mut builder)?;
    let n_samples = bytes.int_in_range(0..=30)?;
    for _ in 0..n_samples {
        sample(bytes, &mut builder, &locations, n_types)?;
    }
    Ok(builder.finish())
}

fn locations(bytes: &mut Unstructured<'_>, builder: &mut ProfileBuilder) -> Result<Vec<LocationId>> {
    let mut locations = Vec::new();
    for _ in 0..bytes.int_in_range(1..=12)? {
        let mapping = match bytes.int_in_range(0..=2)? {
            0 => None,
            n => {
                let filename = ["guest.wasm", "[host]"][n - 1];
                Some(builder.mapping(MappingSpec { limit: 0x1000, filename, ..MappingSpec::default() }))
            }
        };
        let mut lines = Vec::new();
        for _ in 0..bytes.int_in_range(0..=3)? {
            let (name, system_name) = (*bytes.choose(&NAMES)?, *bytes.choose(&NAMES)?);
            let filename = *bytes.choose(&["", "src/main.rs", "/a/../b.rs"])?;
            let function = FunctionSpec { name, system_name, filename, start_line: bytes.int_in_range(-1..=3)? };
            let function = builder.function(function);
            lines.push(Line { function, line: bytes.int_in_range(0..=4)?, column: bytes.int_in_range(0..=1)? });
        }
        locations.push(builder.location(mapping, bytes.int_in_range(0..=0x20)?, &lines));
    }
    Ok(locations)
}

fn sample(
    bytes: &mut Unstructured<'_>,
    builder: &mut ProfileBuilder,
    locations: &[LocationId],
    n_types: usize,
) -> Result<()> {
    let mut stack = Vec::new();
    for _ in 0..bytes.int_in_range(0..=8)? {
        stack.push(*bytes.choose(locations)?);
    }
    let mut values = Vec::new();
    for _ in 0..n_types {
        // Far from where sums overflow, which saturate and then obey no law.
        values.push(bytes.int_in_range(-1_000_000..=1_000_000_000)?);
    }
    let mut labels = Vec::new();
    for _ in 0..bytes.int_in_range(0..=2)? {
        let key = *bytes.choose(&KEYS)?;
        labels.push(if bytes.arbitrary()? {
            LabelSpec::Str { key, value: bytes.choose(&["true", "a", "b,c"])? }
        } else {
            LabelSpec::Num { key, num: bytes.int_in_range(-1..=2000)?, unit: bytes.choose(&["", "bytes", "ms"])? }
        });
    }
    builder.sample(&stack, &values, &labels);
    Ok(())
}
