//! The lines of a function: what each weighs, its text, and its places in the binary. The numbers are `wprof list`'s.

use std::collections::BTreeMap;

use proto::analysis::listing::{LineAddress, ListedFile, ListingOptions, line_addresses, listing};

use super::labels::percent;
use super::modules::Modules;
use super::subject::Subject;
use super::texts::Texts;
use crate::protocol::{Filter, FilterKind, Offset, Source, SourceAsk, SourceFile, SourceLine};

/// No function that people read is longer; a wrong debug line may make one of millions.
const MOST_LINES: usize = 20_000;

/// Where the code of each file's lines is.
type Addresses = BTreeMap<(String, i64), Vec<LineAddress>>;

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
        let addresses = line_addresses(&self.profile, &ask.function, &options);
        let mut source = Source { is_found: true, ..Source::default() };
        for function in &functions {
            for file in &function.files {
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
            let of_line = addresses.get(&(file.path.clone(), number)).into_iter().flatten();
            SourceLine {
                number,
                flat: self.column(weight.flat),
                cum: self.column(weight.cum),
                heat: share(weight.cum, whole),
                text: text.and_then(|(_, text)| text.line(number)).unwrap_or_default().to_owned(),
                offsets: of_line.filter(|it| it.address != 0).map(|it| self.offset(it)).collect(),
            }
        };
        SourceFile {
            path: file.path.clone(),
            flat: self.column(file.sum.flat),
            cum: self.column(file.sum.cum),
            cum_pct: percent(file.sum.cum, self.total),
            lines: numbers.into_iter().map(line).collect(),
            text_of: text.map(|(name, _)| name.to_owned()),
        }
    }

    fn offset(&self, LineAddress { address, weight, .. }: &LineAddress) -> Offset {
        Offset { address: format!("{address:#x}"), flat: self.column(weight.flat), cum: self.column(weight.cum) }
    }

    /// As `list` prints weights: each in the unit that suits it, nothing for nothing.
    pub(super) fn column(&self, value: i64) -> String {
        if value == 0 { String::new() } else { self.amount(value, self.sample_index()) }
    }
}

/// For a colour; nothing is computed from it.
pub(super) fn share(part: i64, whole: i64) -> f32 {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a shade needs few bits")]
    let share = (part.saturating_abs() as f64 / whole as f64) as f32;
    share.clamp(0.0, 1.0)
}
