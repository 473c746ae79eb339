//! Labels to be added: a borrowed list of pairs.

/// Labels to be added: pairs of a key and a value. Go's `LabelSet`, and its `Labels`.
///
/// A borrowed list, made by [`labels!`](crate::labels!) without an allocation. Keys need no order; of those that are there
/// twice the last counts. An empty value is kept, though readers of profiles show none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelSet<'a> {
    /// `labels!` fills it in place, as only then its list may live as long as a `let`.
    #[doc(hidden)]
    pub pairs: &'a [[&'a str; 2]],
}

impl<'a> LabelSet<'a> {
    /// Labels of pairs, each a key and a value.
    #[must_use]
    pub const fn from_pairs(pairs: &'a [[&'a str; 2]]) -> Self {
        Self { pairs }
    }

    /// Labels of keys and values in turn, as Go's `Labels` takes them.
    ///
    /// # Panics
    ///
    /// `uneven number of arguments to pprof.Labels` if the last key has no value.
    #[must_use]
    pub const fn of(keys_and_values: &'a [&'a str]) -> Self {
        let (pairs, rest) = keys_and_values.as_chunks();
        assert!(rest.is_empty(), "uneven number of arguments to pprof.Labels");
        Self { pairs }
    }
}

/// Labels to be added: `labels! { "tenant" => tenant, "stage" => "parse" }`. Go's `Labels`.
///
/// Keys and values are whatever is [`AsRef<str>`]. They are borrowed, and nothing is allocated.
///
/// ```
/// use wprof_guest::{do_, labels};
///
/// let tenant = String::from("a");
/// let n = do_(labels! { "tenant" => tenant, "id" => format!("{:x}", 1234) }, || 6 * 7);
/// assert_eq!(n, 42);
/// ```
#[macro_export]
macro_rules! labels {
    ($($key:expr => $value:expr),* $(,)?) => {
        $crate::LabelSet {
            // A method's own way to borrow: of `&text` it borrows the text, which lives longer than the reference.
            pairs: &[$([($key).as_ref(), ($value).as_ref()]),*],
        }
    };
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::sync::Arc;

    use super::LabelSet;

    #[test]
    fn labels_are_made_of_whatever_is_text() {
        let (text, shared) = (String::from("one"), Arc::<str>::from("two"));
        let labels = labels! { "a" => text, shared => &text, "c" => "" };
        assert_eq!(labels.pairs, [["a", "one"], ["two", "one"], ["c", ""]]);
        assert_eq!(labels, LabelSet::of(&["a", "one", "two", "one", "c", ""]));
        assert_eq!(labels! {}, LabelSet::default());
        const CONSTANT: LabelSet<'_> = LabelSet::of(&["a", "1"]);
        assert_eq!(CONSTANT, LabelSet::from_pairs(&[["a", "1"]]));
    }

    #[test]
    #[should_panic(expected = "uneven number of arguments to pprof.Labels")]
    fn a_key_without_a_value_panics() {
        let _ = LabelSet::of(&["a", "1", "b"]);
    }
}
