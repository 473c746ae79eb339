//! Profiles that the guest keeps itself: which keys are in each, and the stacks that have added them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use wasmtime::AsContext;
use wprof_guest::abi::{Code, MAX_NAME};

use crate::labels::LabelsId;
use crate::record::{CountRow, RowLeaf};
use crate::stack::{Lookup, StackId, Stacks};

/// Profiles that one guest may make.
const MAX_PROFILES: usize = 10_000;

/// Entries that all of them together may have.
const MAX_ENTRIES: usize = 1 << 22;

/// One of a guest's instances, which know nothing of each other: all may have a profile of the same name, with keys of their
/// own in it. A guest that is run once is number 0.
pub type InstanceId = u32;

/// All of a guest's.
#[derive(Debug, Default)]
pub struct CustomProfiles(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    profiles: Vec<Custom>,
    by_name: BTreeMap<String, usize>,
    stacks: Stacks,
    n_entries: usize,
    n_refused: u64,
}

#[derive(Debug)]
struct Custom {
    name: String,
    /// Instances that have made it, or have entries in it.
    makers: FxHashSet<InstanceId>,
    entries: FxHashMap<(InstanceId, i64), Entry>,
}

/// What an entry counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    stack: StackId,
    skip: u32,
    labels: LabelsId,
}

impl CustomProfiles {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst an entry out.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a profile and returns its number.
    ///
    /// # Errors
    ///
    /// [`Code::EmptyName`], [`Code::BadName`], [`Code::NameTaken`], [`Code::Limit`].
    pub fn make(&self, instance: InstanceId, name: &str) -> Result<usize, Code> {
        check_name(name)?;
        let mut state = self.lock();
        if let Some(number) = state.by_name.get(name).copied() {
            let is_new = state.profiles.get_mut(number).is_some_and(|it| it.makers.insert(instance));
            return if is_new { Ok(number) } else { Err(Code::NameTaken) };
        }
        let number = state.profiles.len();
        if number >= MAX_PROFILES {
            return Err(Code::Limit);
        }
        let makers = FxHashSet::from_iter([instance]);
        state.profiles.push(Custom { name: name.to_owned(), makers, entries: FxHashMap::default() });
        state.by_name.insert(name.to_owned(), number);
        Ok(number)
    }

    /// The number of the profile with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.lock().by_name.get(name).copied()
    }

    /// All names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().by_name.keys().cloned().collect()
    }

    /// The name of a profile; `None` if there is none with this number.
    #[must_use]
    pub fn name(&self, number: usize) -> Option<String> {
        self.lock().profiles.get(number).map(|it| it.name.clone())
    }

    /// How many entries a profile has; 0 if there is none with this number.
    #[must_use]
    pub fn count(&self, number: usize) -> usize {
        self.lock().profiles.get(number).map_or(0, |it| it.entries.len())
    }

    /// Adds an entry with the stack of the guest that has called the host.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownHandle`], [`Code::Duplicate`], [`Code::Limit`].
    pub fn add<T: 'static>(
        &self,
        number: usize,
        key: (InstanceId, i64),
        skip: u32,
        labels: LabelsId,
        store: impl AsContext<Data = T>,
    ) -> Result<(), Code> {
        let mut state = self.lock();
        let profile = state.profiles.get(number).ok_or(Code::UnknownHandle)?;
        if profile.entries.contains_key(&key) {
            return Err(Code::Duplicate);
        }
        if state.n_entries >= MAX_ENTRIES {
            state.n_refused += 1;
            return Err(Code::Limit);
        }
        let stack = state.stacks.capture(store, None);
        state.n_entries += 1;
        if let Some(profile) = state.profiles.get_mut(number) {
            profile.makers.insert(key.0);
            profile.entries.insert(key, Entry { stack, skip, labels });
        }
        Ok(())
    }

    /// Takes an entry out, if it is there.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownHandle`].
    pub fn remove(&self, number: usize, key: (InstanceId, i64)) -> Result<(), Code> {
        let mut state = self.lock();
        let removed = state.profiles.get_mut(number).ok_or(Code::UnknownHandle)?.entries.remove(&key);
        state.n_entries -= usize::from(removed.is_some());
        Ok(())
    }

    /// An instance is gone, and with it its entries.
    pub fn end(&self, instance: InstanceId) {
        let state = &mut *self.lock();
        for profile in &mut state.profiles {
            if profile.makers.remove(&instance) {
                let before = profile.entries.len();
                profile.entries.retain(|(of, _), _| *of != instance);
                state.n_entries -= before - profile.entries.len();
            }
        }
    }

    /// What a profile has now, in the order of the stacks.
    #[must_use]
    pub fn counted(&self, number: usize) -> Vec<CountRow> {
        let state = self.lock();
        let mut counts: FxHashMap<Entry, u64> = FxHashMap::default();
        for entry in state.profiles.get(number).into_iter().flat_map(|it| it.entries.values()) {
            *counts.entry(*entry).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(entry, _)| (entry.stack.order(), entry.skip, entry.labels));
        let lookup = Lookup::default();
        let counted = counts.into_iter().map(|(Entry { stack, skip, labels }, count)| {
            let (offsets, is_cut) = lookup.frames(state.stacks.taken(stack));
            CountRow { offsets, is_cut, leaf: RowLeaf::Without(skip), labels, count }
        });
        counted.collect()
    }

    /// Entries that were not kept, as there were too many.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.lock().n_refused
    }
}

/// The text form has a profile's name as its first word, and HTTP as a part of a path.
fn check_name(name: &str) -> Result<(), Code> {
    if name.is_empty() {
        return Err(Code::EmptyName);
    }
    if name.len() > MAX_NAME {
        return Err(Code::Limit);
    }
    if name.chars().any(|it| it.is_whitespace() || it.is_control()) {
        return Err(Code::BadName);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasmtime::{Engine, Store};

    use super::*;

    #[test]
    fn profiles_have_names_of_their_own() {
        let profiles = CustomProfiles::default();
        assert_eq!(profiles.make(0, "app.conns"), Ok(0));
        assert_eq!(profiles.make(0, "app.a"), Ok(1));
        for (name, code) in [
            ("app.conns", Code::NameTaken),
            ("", Code::EmptyName),
            ("two words", Code::BadName),
            ("a\tb", Code::BadName),
            ("nul\0", Code::BadName),
            (&"x".repeat(MAX_NAME + 1), Code::Limit),
        ] {
            assert_eq!(profiles.make(0, name), Err(code), "{name:?}");
        }
        assert_eq!(profiles.names(), ["app.a", "app.conns"]);
        assert_eq!((profiles.find("app.a"), profiles.find("app.b")), (Some(1), None));
        assert_eq!((profiles.name(0).as_deref(), profiles.name(2)), (Some("app.conns"), None));
    }

    #[test]
    fn entries_are_keys_held_until_they_are_removed() {
        let store = Store::new(&Engine::default(), ());
        let profiles = CustomProfiles::default();
        let made = profiles.make(0, "p").unwrap();
        let add = |key, skip| profiles.add(made, (0, key), skip, LabelsId::NONE, &store);
        assert_eq!([add(1, 0), add(-2, 0), add(1, 0), add(3, 5)], [Ok(()), Ok(()), Err(Code::Duplicate), Ok(())]);
        assert_eq!(profiles.remove(made, (0, 9)), Ok(()), "it was never there");
        assert_eq!(profiles.remove(made, (0, 1)), Ok(()));
        assert_eq!(add(1, 0), Ok(()), "it may come back");
        assert_eq!(profiles.count(made), 3);
        let counts: Vec<_> = profiles.counted(made).iter().map(|it| (it.leaf, it.count)).collect();
        assert_eq!(counts, [(RowLeaf::Without(0), 2), (RowLeaf::Without(5), 1)]);
        assert_eq!(profiles.add(7, (0, 1), 0, LabelsId::NONE, &store), Err(Code::UnknownHandle));
        assert_eq!(profiles.remove(7, (0, 1)), Err(Code::UnknownHandle));
    }

    #[test]
    fn there_is_an_end_to_how_many_profiles_a_guest_makes() {
        let profiles = CustomProfiles::default();
        let n_made = (0..1_000_000).filter(|n| profiles.make(0, &format!("p{n}")).is_ok()).count();
        assert_eq!(n_made, MAX_PROFILES);
    }
}
