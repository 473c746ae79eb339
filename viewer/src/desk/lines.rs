//! The lines of a function: what each weighs, its text, and its places in the binary. The numbers are `wprof list`'s.

use std::collections::BTreeMap;

use proto::analysis::listing::{LineWeight, ListedFile, ListingOptions, listing};
use proto::analysis::{address_weights, trim_source};
use proto::units::{Amount, Percent};
use proto::{LocationId, MappingId};

use super::modules::Modules;
use super::subject::Subject;
use super::texts::Texts;
use crate::protocol::{Filter, FilterKind, Offset, Source, SourceAsk, SourceFile, SourceLine};

/// No function that people read is longer; a wrong debug line may make one of millions.
const MOST_LINES: usize = 20_000;

/// Addresses of each line of one file.
type Addresses = BTreeMap<i64, BTreeMap<u64, LineWeight>>;

impl Subject {
    /// The function's files and instructions. Texts that are missing are noted in `texts`, for whoever can get them.
    pub(super) fn source(&self, ask: &SourceAsk, texts: &mut Texts, modules: &Modules) -> Source {
        let pattern = Filter::exactly(FilterKind::Focus, &ask.function).pattern;
        let options = ListingOptions {
            sample_index: self.sample_index(),
            noinlines: self.about().noinlines,
            ..ListingOptions::default()
        };
        let Ok(functions) = listing(&self.profile, &pattern, &options) else { return Source::default() };
        let mut source = Source { is_found: true, ..Source::default() };
        for function in &functions {
            for file in &function.files {
                let addresses = self.addresses_of(&ask.function, &file.path);
                source.files.push(self.source_file(file, &addresses, texts));
            }
        }
        self.add_code(&ask.function, &mut source, modules);
        source
    }

    fn source_file(&self, file: &ListedFile, addresses: &Addresses, texts: &mut Texts) -> SourceFile {
        let text = texts.get(&file.path);
        let numbers: Vec<i64> = match &text {
            Some(_) if !file.shown.is_empty() => file.shown.clone().take(MOST_LINES).collect(),
            _ => file.lines.keys().copied().take(MOST_LINES).collect(),
        };
        let whole = file.sum.cum.saturating_abs().max(1);
        let line = |number: i64| {
            let weight = file.lines.get(&number).copied().unwrap_or_default();
            let of_line = addresses.get(&number).into_iter().flatten();
            SourceLine {
                number,
                flat: self.column(weight.flat),
                cum: self.column(weight.cum),
                heat: share(weight.cum, whole),
                text: text.and_then(|(_, text)| text.line(number)).unwrap_or_default().to_owned(),
                offsets: of_line.map(|(&address, &weight)| self.offset(address, weight)).collect(),
            }
        };
        SourceFile {
            path: file.path.clone(),
            flat: self.column(file.sum.flat),
            cum: self.column(file.sum.cum),
            cum_pct: Percent { part: file.sum.cum, whole: self.total }.to_string().trim_start().to_owned(),
            lines: numbers.into_iter().map(line).collect(),
            text_of: text.map(|(name, _)| name.to_owned()),
        }
    }

    fn offset(&self, address: u64, weight: LineWeight) -> Offset {
        Offset { address: format!("{address:#x}"), flat: self.column(weight.flat), cum: self.column(weight.cum) }
    }

    /// As `list` prints weights: each in the unit that suits it, nothing for nothing.
    pub(super) fn column(&self, value: i64) -> String {
        let sample_type = self.profile.sample_types().get(self.sample_index());
        let unit = sample_type.map_or("", |it| self.profile.string(it.unit));
        if value == 0 { String::new() } else { Amount::auto(value, unit).to_string() }
    }

    /// Where in the binaries the lines of a function are.
    fn addresses_of(&self, function: &str, path: &str) -> Addresses {
        let profile = &*self.profile;
        let is_line = |location: LocationId| {
            profile.lines(location).iter().find_map(|line| {
                let its = profile.function(line.function);
                let file = trim_source(profile.string(its.filename), "", "");
                (profile.string(its.name) == function && file == path).then_some(line.line)
            })
        };
        let mut by_mapping: BTreeMap<Option<MappingId>, Vec<(u64, i64)>> = BTreeMap::new();
        for location in profile.location_ids() {
            if let Some(line) = is_line(location) {
                let its = profile.location(location);
                by_mapping.entry(its.mapping).or_default().push((its.address, line));
            }
        }
        let mut lines = Addresses::new();
        for (mapping, addresses) in by_mapping {
            let weights = address_weights(profile, mapping, self.sample_index(), false);
            for (address, line) in addresses.into_iter().filter(|(address, _)| *address != 0) {
                if let Some(sums) = weights.get(&address) {
                    let weight = LineWeight { flat: sums.flat, cum: sums.cum };
                    lines.entry(line).or_default().insert(address, weight);
                }
            }
        }
        lines
    }
}

/// For a colour; nothing is computed from it.
pub(super) fn share(part: i64, whole: i64) -> f32 {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a shade needs few bits")]
    let share = (part.saturating_abs() as f64 / whole as f64) as f32;
    share.clamp(0.0, 1.0)
}
