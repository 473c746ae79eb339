//! A profile's own facts.

use proto::Profile;
use proto::analysis::total;
use proto::units::Amount;

use super::labels::Labels;
use crate::protocol::{Binary, SampleType, Summary};

/// What the page shows before it asks anything.
pub(super) fn summary(
    profile: &Profile,
    sample_index: usize,
    labels: &Labels,
    warnings: Vec<String>,
    lost: Vec<String>,
) -> Summary {
    let text = |id| profile.string(id).to_owned();
    let sample_types = profile.sample_types().iter().enumerate().map(|(at, it)| SampleType {
        kind: text(it.kind),
        unit: text(it.unit),
        total: Amount::auto(total(profile, at, false), profile.string(it.unit)).to_string(),
    });
    let duration = profile.duration_nanos();
    Summary {
        sample_types: sample_types.collect(),
        sample_index,
        measures: labels.measures(),
        has_labels: profile.samples().any(|sample| !sample.labels.is_empty()),
        duration: (duration != 0).then(|| Amount::auto(duration, "nanoseconds").to_string()),
        time_nanos: profile.time_nanos(),
        facts: facts(profile),
        comments: profile.comments().map(|comment| comment.trim_start_matches(['#', ' ']).to_owned()).collect(),
        doc_url: profile.doc_url().to_owned(),
        binaries: binaries(profile),
        warnings,
        lost,
    }
}

/// What was profiled, as far as the profile says.
fn facts(profile: &Profile) -> Vec<(String, String)> {
    let main = profile.mappings().first();
    let file = main.map(|main| profile.string(main.filename).to_owned());
    let build_id = main.map(|main| profile.string(main.build_id).to_owned());
    let period = profile.period_type().filter(|_| profile.period() != 0).map(|kind| {
        format!("{} {}", Amount::auto(profile.period(), profile.string(kind.unit)), profile.string(kind.kind))
    });
    let facts = [
        ("File", file),
        ("Build ID", build_id),
        ("Period", period),
        ("Samples", Some(grouped(profile.n_samples()))),
        ("Functions", Some(grouped(profile.functions().len()))),
        ("Locations", Some(grouped(profile.locations().len()))),
        ("Frames left out", Some(profile.drop_frames().to_owned())),
        ("Frames kept", Some(profile.keep_frames().to_owned())),
    ];
    facts
        .into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect()
}

/// In groups of three digits, as people read large numbers.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

fn binaries(profile: &Profile) -> Vec<Binary> {
    let binary = |mapping: &proto::Mapping| {
        let has = [
            (mapping.has_functions, "functions"),
            (mapping.has_filenames, "files"),
            (mapping.has_line_numbers, "lines"),
            (mapping.has_inline_frames, "inlined frames"),
        ];
        let has: Vec<&str> = has.into_iter().filter_map(|(is_there, what)| is_there.then_some(what)).collect();
        let is_mapped = mapping.start != 0 || mapping.limit != 0;
        Binary {
            file: profile.string(mapping.filename).to_owned(),
            build_id: profile.string(mapping.build_id).to_owned(),
            range: if is_mapped { format!("{:#x} – {:#x}", mapping.start, mapping.limit) } else { String::new() },
            has: has.join(", "),
        }
    };
    profile.mappings().iter().map(binary).collect()
}

#[cfg(test)]
mod tests {
    use proto::{MappingSpec, ProfileBuilder};

    use super::*;
    use crate::desk::tests::on_desk;

    #[test]
    fn tells_a_profiles_own_facts() {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        let build_id = "abc";
        let spec =
            MappingSpec { start: 0x1000, limit: 0x20000, filename: "guest.wasm", build_id, ..MappingSpec::default() };
        let mapping = builder.mapping(MappingSpec { has_functions: true, has_line_numbers: true, ..spec });
        let location = builder.location(Some(mapping), 0x1000, &[]);
        builder.sample(&[location], &[3, 30_000_000], &[]);
        builder.duration_nanos(2_000_000_000);
        builder.period("cpu", "nanoseconds", 10_000_000);
        builder.comment("# sampler: epoch");
        builder.doc_url("https://example.com/");
        let summary = on_desk(&builder.finish()).1;
        assert_eq!((summary.sample_index, summary.duration.as_deref()), (1, Some("2s")));
        assert_eq!(
            (summary.comments[0].as_str(), summary.doc_url.as_str()),
            ("sampler: epoch", "https://example.com/")
        );
        let facts: Vec<String> = summary.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect();
        let expected =
            ["File: guest.wasm", "Build ID: abc", "Period: 10ms cpu", "Samples: 1", "Functions: 0", "Locations: 1"];
        assert_eq!(facts, expected);
        let totals: Vec<&str> = summary.sample_types.iter().map(|it| it.total.as_str()).collect();
        assert_eq!(totals, ["3", "30ms"]);
        let Binary { range, has, .. } = &summary.binaries[0];
        assert_eq!((range.as_str(), has.as_str()), ("0x1000 – 0x20000", "functions, lines"));
        assert!(summary.measures.is_empty() && !summary.has_labels);
    }

    #[test]
    fn large_numbers_are_read_in_groups() {
        for (n, expected) in [(0, "0"), (999, "999"), (1_000, "1 000"), (12_345_678, "12 345 678")] {
            assert_eq!(grouped(n).replace('\u{202f}', " "), expected);
        }
    }
}
