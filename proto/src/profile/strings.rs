//! The string table: every text once, in one buffer.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// A text of a profile. Equal ids are equal texts; only with the profile that made it.
///
/// The default is the empty text, which every profile has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StringId(pub(crate) u32);

impl StringId {
    /// The position in the table; 0 is `""`.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Interned texts, back to back. The hash is keyed, as the texts may come from a hostile file.
#[derive(Debug, Clone)]
pub(crate) struct StringTable {
    text: String,
    /// Where each entry ends in `text`; it begins where the one before ends.
    ends: Vec<usize>,
    ids: HashTable<u32>,
    hasher: RandomState,
}

impl StringTable {
    /// The id of `text`, added if new. `None` when the ids are used up.
    pub(crate) fn try_intern(&mut self, text: &str) -> Option<StringId> {
        let hash = self.hasher.hash_one(text);
        if let Some(&id) = self.ids.find(hash, |&id| entry(&self.text, &self.ends, id) == text) {
            return Some(StringId(id));
        }
        let id = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.ids.insert_unique(hash, id, |&id| self.hasher.hash_one(entry(&self.text, &self.ends, id)));
        Some(StringId(id))
    }

    /// The id of `text`, added if new.
    ///
    /// # Panics
    ///
    /// After 2³² different texts.
    pub(crate) fn intern(&mut self, text: &str) -> StringId {
        #[expect(clippy::expect_used, reason = "documented; four billion texts do not fit the memory of this use")]
        self.try_intern(text).expect("fewer than 2^32 strings")
    }

    pub(crate) fn get(&self, id: StringId) -> &str {
        entry(&self.text, &self.ends, id.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(&end, start)| &self.text[start..end])
    }
}

fn entry<'a>(text: &'a str, ends: &[usize], id: u32) -> &'a str {
    let idx = id as usize;
    let start = if idx == 0 { 0 } else { ends[idx - 1] };
    &text[start..ends[idx]]
}

/// A table holding `""` as entry 0, as the format wants it.
impl Default for StringTable {
    fn default() -> Self {
        let mut table =
            StringTable { text: String::new(), ends: Vec::new(), ids: HashTable::new(), hasher: RandomState::new() };
        table.intern("");
        table
    }
}

impl PartialEq for StringTable {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl Eq for StringTable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_an_id() {
        let mut table = StringTable::default();
        let ids: Vec<_> = ["", "main", "fib", "main", ""].iter().map(|it| table.intern(it).0).collect();
        assert_eq!(ids, [0, 1, 2, 1, 0]);
        assert_eq!(table.iter().collect::<Vec<_>>(), ["", "main", "fib"]);
        assert_eq!(table.get(StringId(2)), "fib");
    }
}
