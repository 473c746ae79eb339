//! What of the schema is read. Texts are borrowed, and stacks lie in one array, so that a file takes few times its size.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use crate::formats::speedscope::EXPORTER;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(borrow)]
    exporter: Option<Cow<'a, str>>,
    pub(super) active_profile_index: Option<usize>,
    #[serde(borrow)]
    pub(super) shared: Shared<'a>,
    #[serde(borrow)]
    pub(super) profiles: Vec<RawProfile<'a>>,
}

impl File<'_> {
    /// Whether its profiles are sample types, as we write them.
    pub(super) fn is_ours(&self) -> bool {
        self.exporter.as_deref().is_some_and(|it| it.starts_with(EXPORTER))
    }
}

#[derive(Deserialize)]
pub(super) struct Shared<'a> {
    #[serde(borrow)]
    pub(super) frames: Vec<Frame<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) file: Option<Cow<'a, str>>,
    pub(super) line: Option<Number>,
    pub(super) col: Option<Number>,
}

/// A profile of either type; those of the other leave its fields out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawProfile<'a> {
    #[serde(borrow)]
    pub(super) r#type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) unit: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) wprof_unit: Option<Cow<'a, str>>,
    pub(super) start_value: Option<Number>,
    pub(super) end_value: Option<Number>,
    #[serde(default)]
    pub(super) samples: Stacks,
    #[serde(default)]
    pub(super) weights: Vec<Number>,
    #[serde(borrow, default)]
    pub(super) events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) r#type: Cow<'a, str>,
    pub(super) frame: u32,
    pub(super) at: Number,
}

/// The stacks of a sampled profile, frames from the root.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    frames: Vec<u32>,
    /// Where each stack ends in `frames`; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Stacks {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.frames.get(start..end).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Stacks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut stacks = Stacks::default();
        deserializer.deserialize_seq(AllStacks(&mut stacks))?;
        Ok(stacks)
    }
}

struct AllStacks<'a>(&'a mut Stacks);

impl<'de> Visitor<'de> for AllStacks<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stacks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut stacks: A) -> Result<(), A::Error> {
        while stacks.next_element_seed(OneStack(&mut self.0.frames))?.is_some() {
            self.0.ends.push(self.0.frames.len());
        }
        Ok(())
    }
}

/// Adds one stack's frames to the array of all.
struct OneStack<'a>(&'a mut Vec<u32>);

impl<'de> DeserializeSeed<'de> for OneStack<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneStack<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the numbers of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut frames: A) -> Result<(), A::Error> {
        while let Some(frame) = frames.next_element()? {
            self.0.push(frame);
        }
        Ok(())
    }
}
