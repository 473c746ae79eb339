//! The lines of a text, counted, and what is asked of them.

use std::borrow::Cow;

use crate::codec::error::{Error, ErrorKind, Format};

/// A text, line by line: the one being looked at, and what is left.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    format: Format,
    rest: &'a [u8],
    /// Without its end; empty before the first line and after the last.
    line: &'a [u8],
    /// Whether the line ends as a line does.
    is_whole: bool,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8], format: Format) -> Self {
        Lines { format, rest: text, line: b"", is_whole: false, number: 0 }
    }

    /// Goes on to the next line; false after the last.
    pub(super) fn advance(&mut self) -> bool {
        (self.line, self.is_whole) = (b"", false);
        if self.rest.is_empty() {
            return false;
        }
        let end = self.rest.iter().position(|it| *it == b'\n');
        let (line, rest) = end.and_then(|it| self.rest.split_at_checked(it)).unwrap_or((self.rest, b""));
        self.is_whole = end.is_some();
        self.rest = rest.get(1..).unwrap_or_default();
        self.line = line.strip_suffix(b"\r").unwrap_or(line);
        self.number += 1;
        true
    }

    /// Goes on to the first line, from the next one on, that is neither empty nor a comment; false if there is none.
    pub(super) fn skip_comments(&mut self) -> bool {
        while self.advance() {
            if !is_comment(self.line) {
                return true;
            }
        }
        false
    }

    /// The line.
    pub(super) fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Whether the line ends as a line does, and not with the file.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The line without white space at its ends.
    pub(super) fn trimmed(&self) -> &'a [u8] {
        trim(self.line)
    }

    /// That this line is not what the format wants.
    #[cold]
    pub(super) fn expected(&self, expected: &'static str) -> Error {
        const SHOWN: usize = 60;
        let text = text(self.trimmed());
        let mut found: String = text.chars().take(SHOWN).collect();
        if found.len() < text.len() {
            found.push('…');
        }
        let found = if self.number == 0 || found.is_empty() { "nothing".to_owned() } else { format!("{found:?}") };
        ErrorKind::Legacy { format: self.format, found, expected }.at_line(self.number.max(1))
    }
}

/// Whether a line is empty or begins with `#`.
pub(super) fn is_comment(line: &[u8]) -> bool {
    trim(line).first().is_none_or(|it| *it == b'#')
}

/// Whether a memory map begins after this line.
pub(super) fn is_map_title(line: &[u8]) -> bool {
    contains(line, b"--- Memory map: ---") || contains(line, b"MAPPED_LIBRARIES:")
}

pub(super) fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|it| it == part)
}

/// Without white space at both ends, the vertical tab counting as such.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let is_ink = |it: &u8| !it.is_ascii_whitespace() && *it != 0x0b;
    let start = line.iter().position(is_ink).unwrap_or(line.len());
    let end = line.iter().rposition(is_ink).map_or(start, |it| it + 1);
    line.get(start..end).unwrap_or_default()
}

/// As text, with U+FFFD for what is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
