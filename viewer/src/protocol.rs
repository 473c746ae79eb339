//! What the page and the worker say to each other: calls, questions and answers as plain data, rectangles as packed words.
//!
//! Heads travel as JSON text; the rectangles of a flame graph, of which there may be thousands, as one transferred array.

mod flame_box;
mod measure;

use proto::Error;
use proto::codec::ErrorKind;
use serde::{Deserialize, Serialize};

pub(crate) use flame_box::{FlameBox, Look, pack, unpack};
pub(crate) use measure::{Ends, Measure, Picked, Weight, Weights, WeightsQuestion};

/// Page to worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Call {
    /// Read and decode a profile; the file itself, if it is one, travels beside the message.
    Open(Origin),
    Ask(Question),
}

/// Where the bytes of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Dropped or picked.
    File,
    /// Served by `wprof view`.
    Url(String),
}

/// A question the opened profile can answer. The answer carries it back, so that a late one is recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    Rows(RowsQuestion),
    Flame(FlameQuestion),
    Card(CardQuestion),
    Weights(WeightsQuestion),
}

/// A window of the top table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowsQuestion {
    pub(crate) sample_index: usize,
    pub(crate) picked: Option<Picked>,
    pub(crate) query: String,
    pub(crate) sort: Sort,
    /// Also the functions that `pprof -top` leaves out as too small.
    pub(crate) all: bool,
    /// The first row wanted, and how many.
    pub(crate) first: usize,
    pub(crate) len: usize,
}

impl RowsQuestion {
    /// Whether both ask about the same table, if perhaps another part of it.
    pub(crate) fn same_table(&self, other: &RowsQuestion) -> bool {
        RowsQuestion { first: 0, len: 0, ..self.clone() } == RowsQuestion { first: 0, len: 0, ..other.clone() }
    }
}

/// How the table is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sort {
    pub(crate) column: Column,
    pub(crate) descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Sort { column: Column::Flat, descending: true }
    }
}

/// What a table can be ordered by: flat % goes with flat, cum % with cum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Column {
    Flat,
    Cum,
    Name,
}

/// A window of the flame graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlameQuestion {
    pub(crate) sample_index: usize,
    pub(crate) picked: Option<Picked>,
    pub(crate) query: String,
    /// The node drawn at full width; 0 is the root.
    pub(crate) zoom: u32,
    /// Width of the canvas in CSS pixels: boxes below half a pixel are left out.
    pub(crate) width: u32,
    /// The first row wanted, and how many.
    pub(crate) first_row: u32,
    pub(crate) n_rows: u32,
}

impl FlameQuestion {
    /// Whether boxes that answer one may be shown, at least for a moment, to whoever asks the other.
    pub(crate) fn same_graph(&self, other: &FlameQuestion) -> bool {
        let view = |it: &FlameQuestion| (it.sample_index, it.picked, it.zoom);
        view(self) == view(other)
    }
}

/// Everything about one box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CardQuestion {
    pub(crate) sample_index: usize,
    pub(crate) picked: Option<Picked>,
    pub(crate) node: u32,
}

/// Worker to page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The worker runs and listens.
    Ready,
    Stage(Stage),
    Opened(Summary),
    Refused(Refusal),
    /// The worker has panicked and will not answer again.
    Panicked(String),
    Rows(RowsQuestion, Rows),
    Flame(FlameQuestion, Flame),
    Card(CardQuestion, Card),
    Weights(WeightsQuestion, Weights),
}

/// How far opening a profile has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The worker itself is being started.
    Starting,
    Reading,
    Decoding {
        n_bytes: usize,
    },
}

/// What the page needs to know of a profile before it asks anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) sample_types: Vec<SampleType>,
    /// The one pprof shows when none is asked for.
    pub(crate) sample_index: usize,
    /// The numeric labels that samples may be picked by.
    pub(crate) measures: Vec<Measure>,
    pub(crate) duration: Option<String>,
    /// Nanoseconds since 1970; 0 where the profile does not say.
    pub(crate) time_nanos: i64,
    /// What was profiled, where and how much: a label and its value.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) comments: Vec<String>,
}

/// One kind of value that every sample carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SampleType {
    pub(crate) kind: String,
    pub(crate) unit: String,
}

/// Why a file could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// The browser could not hand over the bytes.
    Unreadable(String),
    /// The bytes are no profile: the decoder's words, and what the bytes look like instead.
    Undecodable { error: String, fault: Fault, n_bytes: usize, head: Vec<u8> },
    /// A valid profile without a single kind of value.
    NoSampleTypes,
}

/// The kinds of fault that call for advice of their own, whatever the bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// Nothing in the file, or nothing in its gzip.
    Empty,
    /// More than a page may hold in memory.
    TooLarge,
    Other,
}

impl Refusal {
    /// Keeps as much of the bytes as is needed to tell what they are.
    pub(crate) fn undecodable(error: &Error, bytes: &[u8]) -> Refusal {
        let head = bytes.iter().take(64).copied().collect();
        let fault = match error.kind() {
            ErrorKind::Empty => Fault::Empty,
            ErrorKind::TooLarge { .. } => Fault::TooLarge,
            _ => Fault::Other,
        };
        Refusal::Undecodable { error: error.to_string(), fault, n_bytes: bytes.len(), head }
    }
}

/// A window of the top table, every number formatted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) first: usize,
    pub(crate) rows: Vec<Row>,
    /// Rows of the whole table, of which `rows` is a part.
    pub(crate) n_rows: usize,
    pub(crate) total: String,
    /// What is picked of the total, while something is.
    pub(crate) part: Option<String>,
    /// pprof's sentence: what the rows add up to.
    pub(crate) accounting: String,
    /// Functions left out as too small, and the value they stay below.
    pub(crate) dropped: Option<(usize, String)>,
}

/// A line of the top table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) sum_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    pub(crate) name: String,
    /// pprof's `(inline)` or `(partial-inline)`, or nothing.
    pub(crate) marker: String,
    /// The name's number, as boxes carry it.
    pub(crate) function: u32,
    /// Hue of the function's package, as boxes have it.
    pub(crate) look: Look,
}

/// The boxes of a flame graph that fall into a window, and what is said around them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flame {
    #[serde(skip)]
    pub(crate) boxes: Vec<FlameBox>,
    /// Names of the boxes wide enough to show one.
    pub(crate) names: Vec<String>,
    /// Rows of the whole graph at this zoom.
    pub(crate) n_rows: u32,
    /// The row of the zoomed node.
    pub(crate) zoom_row: u32,
    /// From the root to the zoomed node, of a long way only both ends.
    pub(crate) trail: Vec<Crumb>,
    /// How many nodes are left out behind the first.
    pub(crate) n_elided: usize,
    /// What the search matched of the total, such as `17.77%`.
    pub(crate) matched: Option<String>,
}

/// A node that can be zoomed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crumb {
    pub(crate) node: u32,
    pub(crate) name: String,
}

/// The hover card of a box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) name: String,
    /// `file:line` or the mapping, empty where neither is known.
    pub(crate) place: String,
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    /// Share of the box above, which is the caller.
    pub(crate) of_parent: String,
    /// All boxes of this function together: flat and cum, each with its share of the total.
    pub(crate) everywhere: Option<((String, String), (String, String))>,
    pub(crate) inlined: bool,
    pub(crate) host: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrolled_table_is_the_same_table() {
        let question = RowsQuestion {
            sample_index: 1,
            picked: None,
            query: "fib".to_owned(),
            sort: Sort::default(),
            all: false,
            first: 0,
            len: 100,
        };
        assert!(question.same_table(&RowsQuestion { first: 50, ..question.clone() }));
        assert!(!question.same_table(&RowsQuestion { all: true, ..question.clone() }));
    }
}
