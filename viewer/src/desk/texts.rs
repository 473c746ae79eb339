//! Source texts: dropped beside a profile, or served with it; found by their paths.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// All texts at hand, and those that were asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Texts {
    dropped: Vec<(String, Text)>,
    served: HashMap<String, Option<Text>>,
    missing: HashSet<String>,
}

/// A text by its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    text: String,
    /// Where each line begins, and where the last one ends.
    starts: Vec<usize>,
}

impl Text {
    pub(super) fn new(text: String) -> Text {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Text { text, starts }
    }

    /// A line without its end; the first is 1.
    pub(super) fn line(&self, number: i64) -> Option<&str> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        let line = self.text.get(*self.starts.get(at)?..*self.starts.get(at + 1)?)?;
        Some(line.trim_end_matches(['\n', '\r']))
    }
}

impl Texts {
    /// Keeps a file that was dropped; another one of the same name takes its place.
    pub(super) fn drop_in(&mut self, name: &str, text: String) {
        self.dropped.retain(|(other, _)| other != name);
        self.dropped.push((name.to_owned(), Text::new(text)));
    }

    /// Keeps what a server said of a path.
    pub(super) fn serve(&mut self, path: &str, text: Option<String>) {
        self.served.insert(path.to_owned(), text.map(Text::new));
    }

    /// The text of a path, as a profile has it, and what it is called here: that of the dropped file with the most folders
    /// in common, from the name upwards; else the served one.
    pub(super) fn get(&mut self, path: &str) -> Option<(&str, &Text)> {
        let best = self.dropped.iter().map(|it| (in_common(&it.0, path), it)).filter(|it| it.0 > 0);
        // Of equals the shorter name: folders that the path does not have speak against a file.
        if let Some((_, (name, text))) = best.max_by_key(|it| (it.0, Reverse(it.1.0.len()))) {
            return Some((name, text));
        }
        match self.served.get_key_value(path) {
            Some((path, text)) => text.as_ref().map(|text| (path.as_str(), text)),
            None => {
                self.missing.insert(path.to_owned());
                None
            }
        }
    }

    /// Paths that were asked for since, and that no one has been asked for yet.
    pub(super) fn take_missing(&mut self) -> Vec<String> {
        let mut missing: Vec<String> = self.missing.drain().collect();
        missing.retain(|path| !path.is_empty() && !self.served.contains_key(path));
        missing.sort_unstable();
        missing
    }
}

/// How many names two paths have in common at their ends.
fn in_common(a: &str, b: &str) -> usize {
    let names = |path| str::rsplit(path, ['/', '\\']);
    names(a).zip(names(b)).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_from_1() {
        let text = Text::new("a\r\n\nlast".to_owned());
        let lines: Vec<_> = (0..5).map(|number| text.line(number)).collect();
        assert_eq!(lines, [None, Some("a"), Some(""), Some("last"), None]);
        assert_eq!(Text::new(String::new()).line(1), None);
        assert_eq!(Text::new("x\n".to_owned()).line(2), None);
    }

    #[test]
    fn the_path_with_most_in_common_wins() {
        let mut texts = Texts::default();
        texts.drop_in("lib.rs", "any".to_owned());
        texts.drop_in("src/app/lib.rs", "app".to_owned());
        let mut text_of = |path: &str| texts.get(path).map(|(_, text)| text.line(1).unwrap_or_default().to_owned());
        assert_eq!(text_of("/home/me/src/app/lib.rs").as_deref(), Some("app"));
        assert_eq!(text_of("/home/me/src/other/lib.rs").as_deref(), Some("any"));
        assert_eq!(text_of("main.rs"), None);
        assert_eq!(texts.take_missing(), ["main.rs"]);
        texts.serve("main.rs", None);
        assert_eq!(texts.get("main.rs"), None);
        assert!(texts.take_missing().is_empty(), "the server has been asked");
        texts.serve("main.rs", Some("served".to_owned()));
        assert_eq!(texts.get("main.rs").map(|it| it.0), Some("main.rs"));
    }
}
