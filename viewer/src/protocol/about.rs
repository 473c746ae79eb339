//! What every view obeys: which profile, which of its values, which samples and frames of it, and what a place is.

use serde::{Deserialize, Serialize};

use super::Picked;

/// An opened file; only with the worker that opened it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileId(pub(crate) u32);

/// What a question is about. Equal values are answered from what was worked out before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) file: FileId,
    /// Counts up when a module or a source that was opened later tells more about the profile.
    pub(crate) revision: u32,
    pub(crate) sample_index: usize,
    pub(crate) picked: Option<Picked>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) granularity: Granularity,
    /// Inlined functions count as part of the function they were inlined into.
    pub(crate) noinlines: bool,
    /// Shares are of what the filters leave, not of all.
    pub(crate) relative: bool,
    /// The unit of all values that it can be the unit of; empty for units that suit them.
    pub(crate) unit: String,
}

/// One step of a breadcrumb: pprof's option of that name, with its pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Filter {
    pub(crate) kind: FilterKind,
    pub(crate) pattern: String,
}

/// What a filter does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum FilterKind {
    Focus,
    Ignore,
    Hide,
    Show,
    ShowFrom,
    TagFocus,
    TagIgnore,
}

/// What counts as one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Granularity {
    #[default]
    Functions,
    Files,
    Lines,
    Addresses,
    Modules,
}

impl FilterKind {
    pub(crate) const ALL: [FilterKind; 7] = [
        FilterKind::Focus,
        FilterKind::Ignore,
        FilterKind::Hide,
        FilterKind::Show,
        FilterKind::ShowFrom,
        FilterKind::TagFocus,
        FilterKind::TagIgnore,
    ];

    /// pprof's name of the option.
    pub(crate) fn option(self) -> &'static str {
        match self {
            FilterKind::Focus => "focus",
            FilterKind::Ignore => "ignore",
            FilterKind::Hide => "hide",
            FilterKind::Show => "show",
            FilterKind::ShowFrom => "show_from",
            FilterKind::TagFocus => "tagfocus",
            FilterKind::TagIgnore => "tagignore",
        }
    }

    /// What it does, for those who do not know pprof's words.
    pub(crate) fn explanation(self) -> &'static str {
        match self {
            FilterKind::Focus => "only samples with a matching function",
            FilterKind::Ignore => "no samples with a matching function",
            FilterKind::Hide => "leaves matching functions out of the stacks; they count for their callers",
            FilterKind::Show => "leaves all other functions out of the stacks",
            FilterKind::ShowFrom => "cuts stacks above the first matching function",
            FilterKind::TagFocus => "only samples with a matching label: key=pattern, or a range like 64kb:1mb",
            FilterKind::TagIgnore => "no samples with a matching label",
        }
    }
}

impl Filter {
    /// The filter for one function alone, whatever signs its name has.
    pub(crate) fn exactly(kind: FilterKind, name: &str) -> Filter {
        let mut pattern = String::with_capacity(name.len() + 2);
        pattern.push('^');
        for letter in name.chars() {
            if r"\.+*?()|[]{}^$#&-~".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('$');
        Filter { kind, pattern }
    }

    /// The function that [`exactly`](Self::exactly) made this of; else the pattern as it is.
    pub(crate) fn shown(&self) -> String {
        let inner = self.pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
        let name = inner.map(|inner| {
            let mut name = String::with_capacity(inner.len());
            let mut letters = inner.chars();
            while let Some(letter) = letters.next() {
                name.extend(if letter == '\\' { letters.next() } else { Some(letter) });
            }
            name
        });
        name.filter(|name| Filter::exactly(self.kind, name) == *self).unwrap_or_else(|| self.pattern.clone())
    }
}

impl Granularity {
    pub(crate) const ALL: [Granularity; 5] =
        [Granularity::Functions, Granularity::Files, Granularity::Lines, Granularity::Addresses, Granularity::Modules];

    /// Its name in links, pprof's where pprof has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Granularity::Functions => "functions",
            Granularity::Files => "files",
            Granularity::Lines => "lines",
            Granularity::Addresses => "addresses",
            Granularity::Modules => "modules",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_functions_own_filter_shows_its_name() {
        for name in ["main", "<alloc::vec::Vec<T,A> as Iterator>::next", "(*regAllocState).regalloc", r"a\b", ""] {
            assert_eq!(Filter::exactly(FilterKind::Focus, name).shown(), name);
        }
        let filter = Filter { kind: FilterKind::Hide, pattern: "^a.*$".to_owned() };
        assert_eq!(filter.shown(), "^a.*$");
    }
}
