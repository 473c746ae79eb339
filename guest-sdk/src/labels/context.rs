//! Label sets that do not change: each is made of another and what is added to it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::current;
use super::memo::Memo;
use super::packed;
use super::set::LabelSet;
use crate::imports;

/// A label set that does not change. Go's `context.Context`, of which it is the part that profiles see.
///
/// Clones share it, and any thread may use it. [`Default`] has no labels.
#[derive(Clone, Default)]
pub struct Context(
    /// None has no labels.
    Option<Arc<Node>>,
);

struct Node {
    /// In the order of their keys, each of which is there once.
    labels: Box<[Label]>,
    /// What wprof knows them by.
    token: i32,
    children: Memo,
    /// How many contexts it was made of.
    depth: u8,
}

#[derive(Clone)]
struct Label {
    key: Box<str>,
    value: Box<str>,
}

/// What contexts without labels were asked for last. Other contexts remember it in themselves.
static OF_NONE: Memo = Memo::new();

/// Contexts as deep as this no longer remember, as each holds those that were made of it, and drops them within its own drop.
const MAX_DEPTH: u8 = 32;

impl Context {
    /// The labels of the calling thread.
    ///
    /// With the feature `std` each thread has its own. Under wprof, one that never set any has those that its spawner had
    /// then. Without that feature they are the whole process's, but in a wasm with threads, where wprof is asked each time.
    /// What other code sets past this crate, such as C in the same guest, is not seen here.
    #[must_use]
    pub fn current() -> Self {
        current::with(Self::clone)
    }

    /// These labels and others. Where both have a key, the new value counts. `self` stays as it is.
    ///
    /// What a context was asked for last is remembered, so that asking again allocates nothing. If wprof keeps no more
    /// labels, the new context has them all the same, but samples are taken with those of `self`.
    #[inline]
    #[must_use]
    pub fn with_labels(&self, labels: LabelSet<'_>) -> Self {
        let memo = self.0.as_ref().map_or(&OF_NONE, |node| &node.children);
        memo.find(labels).unwrap_or_else(|| self.with_new_labels(labels, memo))
    }

    #[cold]
    fn with_new_labels(&self, labels: LabelSet<'_>, memo: &Memo) -> Self {
        // Not to be remembered, as a context that holds itself is never dropped.
        if self.has_all(labels) {
            return self.clone();
        }
        let made = self.merged(labels);
        if made.depth() < MAX_DEPTH {
            memo.keep(labels, &made);
        }
        made
    }

    /// The set that wprof knows by this token; the calling thread has it.
    pub(super) fn adopted(token: i32) -> Self {
        if token <= 0 {
            return Self::default();
        }
        let list = imports::labels_read(token);
        let mut labels = Vec::new();
        for [key, value] in packed::unpack(&list) {
            insert(&mut labels, key, value);
        }
        Self::of(labels, token, 0)
    }

    pub(super) fn token(&self) -> i32 {
        self.0.as_ref().map_or(0, |node| node.token)
    }

    fn depth(&self) -> u8 {
        self.0.as_ref().map_or(0, |node| node.depth)
    }

    fn labels(&self) -> &[Label] {
        self.0.as_ref().map_or(&[], |node| &node.labels)
    }

    fn get(&self, key: &str) -> Option<&str> {
        let labels = self.labels();
        let at = labels.binary_search_by(|label| (*label.key).cmp(key)).ok()?;
        labels.get(at).map(|label| &*label.value)
    }

    /// Whether adding these would change nothing.
    fn has_all(&self, labels: LabelSet<'_>) -> bool {
        labels.pairs.iter().all(|&[key, value]| self.get(key) == Some(value))
    }

    fn merged(&self, labels: LabelSet<'_>) -> Self {
        let mut merged = self.labels().to_vec();
        for &[key, value] in labels.pairs {
            insert(&mut merged, key, value);
        }
        Self::of(merged, self.token_with(labels), self.depth().saturating_add(1))
    }

    /// What wprof will know these labels and others by; if it keeps no more, these.
    fn token_with(&self, labels: LabelSet<'_>) -> i32 {
        if !imports::is_on() {
            return 0;
        }
        let token = packed::pack(labels).map_or(-1, |list| imports::labels_with(self.token(), &list));
        if token < 0 { self.token() } else { token }
    }

    fn of(labels: Vec<Label>, token: i32, depth: u8) -> Self {
        Self(Some(Arc::new(Node { labels: labels.into(), token, children: Memo::new(), depth })))
    }
}

/// Puts a label where its key belongs, in place of one that has it.
fn insert(labels: &mut Vec<Label>, key: &str, value: &str) {
    match labels.binary_search_by(|label| (*label.key).cmp(key)) {
        Ok(at) => labels.iter_mut().skip(at).take(1).for_each(|label| label.value = value.into()),
        Err(at) => labels.insert(at, Label { key: key.into(), value: value.into() }),
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.labels().iter().map(|label| (&label.key, &label.value))).finish()
    }
}

/// The labels of `ctx` and others: [`Context::with_labels`]. Go's `WithLabels`.
#[must_use]
pub fn with_labels(ctx: &Context, labels: LabelSet<'_>) -> Context {
    ctx.with_labels(labels)
}

/// The value of a key, if it has one. Go's `Label`.
#[must_use]
pub fn label<'a>(ctx: &'a Context, key: &str) -> Option<&'a str> {
    ctx.get(key)
}

/// Calls `f` with each key and value, in the order of the keys, until it answers false. Go's `ForLabels`.
pub fn for_labels(ctx: &Context, mut f: impl FnMut(&str, &str) -> bool) {
    for label in ctx.labels() {
        if !f(&label.key, &label.value) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
