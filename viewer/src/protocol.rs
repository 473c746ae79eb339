//! What the page and the worker say to each other: calls, questions and answers as plain data, rectangles as packed words.
//!
//! They travel as bytes in postcard's form, which takes little code and no names of fields: both ends are the same module.
//! The rectangles of a flame graph, of which there may be thousands, go as one more transferred array.

mod about;
mod diff;
mod flame;
mod flame_box;
mod graph;
mod measure;
mod rows;
mod sandwich;
mod source;
mod summary;
mod tags;
mod tree;

use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

pub(crate) use about::{About, FileId, Filter, FilterKind, Granularity};
pub(crate) use diff::{DiffAsk, DiffCells, DiffRow, DiffRows};
pub(crate) use flame::{Card, CardAsk, Crumb, Flame, FlameAsk, HOST, Key, Kin, Tree, Zoom};
pub(crate) use flame_box::{FlameBox, Look, pack, unpack};
pub(crate) use graph::{Graph, GraphAsk, GraphEdge, GraphNode};
pub(crate) use measure::{Ends, Measure, Picked, Weight, Weights};
pub(crate) use rows::{Column, Row, Rows, RowsAsk, Sort};
pub(crate) use sandwich::{Neighbour, Sandwich, SandwichAsk};
pub(crate) use source::{Code, CodeLine, Offset, Source, SourceAsk, SourceFile, SourceLine};
pub(crate) use summary::{Binary, SampleType, Summary};
pub(crate) use tags::{TagKey, TagValue, Tags, TagsAsk};
pub(crate) use tree::{ChosenNode, Reveal, TreeAsk, TreeRow, TreeRows};

/// Page to worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Call {
    /// Read a file: a profile, a module or a source. A dropped one travels beside the message.
    Open(FileId, Origin),
    /// Stop reading it, if it is still being read; else forget it.
    Close(FileId),
    Ask(Question),
}

/// Where the bytes of a file come from, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Dropped, picked or pasted, with its path in the folder that was dropped.
    File(String),
    /// Behind the page's own address.
    Url(String, String),
}

/// A question about what is open. The answer carries it back, so that a late one is recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) about: About,
    pub(crate) ask: Ask,
}

/// One kind of question a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    Card(CardAsk),
    Flame(FlameAsk),
    Rows(RowsAsk),
    Sandwich(SandwichAsk),
    Tree(TreeAsk),
    Graph(GraphAsk),
    Source(SourceAsk),
    Tags(TagsAsk),
    Diff(DiffAsk),
    /// What the samples of each range of the measures weigh.
    Weights,
}

/// The answer to the [`Ask`] of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "an answer has it in a box")]
pub(crate) enum Reply {
    Card(Card),
    Flame(Flame),
    Rows(Rows),
    Sandwich(Sandwich),
    Tree(TreeRows),
    Graph(Graph),
    Source(Source),
    Tags(Tags),
    Diff(DiffRows),
    Weights(Weights),
    /// There is none: the filters' text is no pattern, or the file is closed.
    Refused(String),
}

/// Worker to page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The worker runs and listens.
    Ready,
    Stage(FileId, Stage),
    Opened(FileId, Box<Summary>),
    /// A module, or a source, which tells more about profiles: what it is.
    Attached(FileId, String),
    Refused(FileId, Refusal),
    /// The worker has panicked and will not answer again.
    Panicked(String),
    Reply(Box<Question>, Box<Reply>),
}

/// How far opening a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The worker itself is being started.
    Starting,
    /// Bytes read, of how many if that is known.
    Reading { n_read: u64, n_bytes: Option<u64> },
    /// All is read; names are put in order.
    Preparing { n_samples: usize },
}

/// Why a file could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// The browser could not hand over the bytes.
    Unreadable(String),
    /// The bytes are no profile: the decoder's words, and what the bytes look like instead.
    Undecodable { error: String, fault: Fault, n_bytes: u64, head: Vec<u8> },
    /// A valid profile without a single kind of value.
    NoSampleTypes,
    /// The reader asked for it.
    Cancelled,
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

impl Ask {
    /// Its line: of questions of one kind only the newest counts. Sandwich flames have lines of their own.
    pub(crate) fn line(&self) -> usize {
        match self {
            Ask::Card(_) => line::CARD,
            Ask::Flame(FlameAsk { tree: Tree::CallersOf(_), .. }) => line::CALLERS,
            Ask::Flame(FlameAsk { tree: Tree::CalleesOf(_), .. }) => line::CALLEES,
            Ask::Flame(_) => line::FLAME,
            Ask::Rows(_) => line::ROWS,
            Ask::Sandwich(_) => line::SANDWICH,
            Ask::Tree(_) => line::TREE,
            Ask::Graph(_) => line::GRAPH,
            Ask::Source(_) => line::SOURCE,
            Ask::Tags(_) => line::TAGS,
            Ask::Diff(_) => line::DIFF,
            Ask::Weights => line::WEIGHTS,
        }
    }
}

/// The lines that questions wait in, the most urgent first.
pub(crate) mod line {
    pub(crate) const CARD: usize = 0;
    pub(crate) const FLAME: usize = 1;
    pub(crate) const CALLERS: usize = 2;
    pub(crate) const CALLEES: usize = 3;
    pub(crate) const ROWS: usize = 4;
    pub(crate) const SANDWICH: usize = 5;
    pub(crate) const TREE: usize = 6;
    pub(crate) const GRAPH: usize = 7;
    pub(crate) const SOURCE: usize = 8;
    pub(crate) const TAGS: usize = 9;
    pub(crate) const DIFF: usize = 10;
    pub(crate) const WEIGHTS: usize = 11;
    /// How many there are.
    pub(crate) const N: usize = 12;
}

/// A call or an answer as it travels, in memory that can be transferred.
pub(crate) fn encode<T: Serialize>(message: &T) -> Option<Uint8Array> {
    Some(Uint8Array::from(to_bytes(message)?.as_slice()))
}

pub(crate) fn to_bytes<T: Serialize>(message: &T) -> Option<Vec<u8>> {
    // Fails for sequences of unknown length only; there are none.
    postcard::to_allocvec(message).ok()
}

/// The call or answer in a part of a message, if it is one.
pub(crate) fn decode<T: DeserializeOwned>(part: &JsValue) -> Option<T> {
    postcard::from_bytes(&part.dyn_ref::<Uint8Array>()?.to_vec()).ok()
}
