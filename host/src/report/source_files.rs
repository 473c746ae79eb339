//! Source files: found as pprof finds them, each read once.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use proto::analysis::trim_source;

use crate::said::go_error;

/// No source that people read is larger, in bytes.
const MAX_SIZE: u64 = 64 << 20;

/// The sources of a report.
#[derive(Debug)]
pub(super) struct SourceFiles {
    /// Folders, separated by `:`.
    search_path: String,
    trim_path: String,
    files: HashMap<String, Result<Source, String>>,
}

/// One file's text, in whatever encoding.
#[derive(Debug)]
pub(super) struct Source {
    bytes: Vec<u8>,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl SourceFiles {
    /// To be looked for in the folders of `search_path` and those above them; in the current one if that is empty.
    pub(super) fn new(search_path: &str, trim_path: &str) -> Self {
        let search_path = if search_path.is_empty() {
            std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            search_path.to_owned()
        };
        Self { search_path, trim_path: trim_path.to_owned(), files: HashMap::new() }
    }

    /// The file of a path, as a profile gives it; or what to say in its place.
    pub(super) fn get(&mut self, path: &str) -> Result<&Source, &str> {
        let Self { search_path, trim_path, files } = self;
        let source = files.entry(path.to_owned()).or_insert_with(|| {
            let path = trim_source(path, trim_path, search_path);
            find(path, search_path).and_then(|it| Source::read(&it).map_err(|err| said(&it, &err)))
        });
        source.as_ref().map_err(String::as_str)
    }

    /// The same of a file that was asked for before.
    pub(super) fn known(&self, path: &str) -> Option<Result<&Source, &str>> {
        self.files.get(path).map(|it| it.as_ref().map_err(String::as_str))
    }
}

fn find(path: &str, search_path: &str) -> Result<PathBuf, String> {
    if Path::new(path).is_absolute() {
        return Ok(path.into());
    }
    let dirs = search_path.split(':').filter(|it| !it.is_empty()).flat_map(|it| Path::new(it).ancestors());
    dirs.map(|it| it.join(path))
        // Opening something else than a file, as a pipe, could take for ever.
        .find(|it| it.is_file())
        .ok_or_else(|| format!("could not find file {path} on path {search_path}"))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("open {}: {}", path.display(), go_error(error))
}

impl Source {
    fn read(path: &Path) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("not a file"));
        }
        file.take(MAX_SIZE).read_to_end(&mut bytes)?;
        Ok(Self::new(bytes))
    }

    fn new(bytes: Vec<u8>) -> Self {
        let after_ends = (0..).zip(&bytes).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let mut starts: Vec<usize> = std::iter::once(0).chain(after_ends).collect();
        // What follows the last line's end is no line.
        starts.pop_if(|it| *it == bytes.len());
        Self { bytes, starts }
    }

    /// Those lines of `numbers` that there are, without their ends. The first line is 1.
    pub(super) fn lines(&self, numbers: &RangeInclusive<i64>) -> impl Iterator<Item = (i64, &[u8])> {
        let first = numbers.start().max(&1) - 1;
        let (first, last) = (usize::try_from(first), usize::try_from(*numbers.end()));
        let shown = first.unwrap_or(usize::MAX).min(self.starts.len())..last.unwrap_or(0).min(self.starts.len());
        shown.map(|idx| {
            let end = self.starts.get(idx + 1).map_or(self.bytes.len(), |it| it - 1);
            let line = self.bytes.get(self.starts[idx]..end).unwrap_or_default();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            // Fewer lines than bytes.
            (i64::try_from(idx + 1).unwrap_or(i64::MAX), line.strip_suffix(b"\r").unwrap_or(line))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_numbered_from_1() {
        let check = |text: &str, numbers: RangeInclusive<i64>, expected: &[(i64, &str)]| {
            let source = Source::new(text.as_bytes().to_vec());
            let lines: Vec<_> = source.lines(&numbers).map(|(at, it)| (at, str::from_utf8(it).unwrap())).collect();
            assert_eq!(lines, expected, "{text:?} {numbers:?}");
        };
        check("a\nb\nc\n", 1..=9, &[(1, "a"), (2, "b"), (3, "c")]);
        check("a\n\r\nc", 2..=3, &[(2, ""), (3, "c")]);
        check("a\n\n", 1..=i64::MAX, &[(1, "a"), (2, "")]);
        check("a\n", 2..=3, &[]);
        check("a\n", i64::MAX..=i64::MAX, &[]);
        check("a\n", RangeInclusive::new(1, -7), &[]);
        check("", 1..=3, &[]);
    }

    #[test]
    fn files_are_looked_for_in_folders_and_those_above() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("app/src")).unwrap();
        fs::create_dir(root.join("app/src/above.c")).unwrap();
        fs::write(root.join("app/src/x.c"), "in src").unwrap();
        fs::write(root.join("above.c"), "in the root").unwrap();
        let check = |search: &[&str], trim: &str, path: &str, expected: Result<&str, &str>| {
            let search: Vec<String> = search.iter().map(|it| root.join(it).display().to_string()).collect();
            let mut sources = SourceFiles::new(&search.join(":"), trim);
            let found = sources.get(path).map(|it| String::from_utf8_lossy(&it.bytes).into_owned());
            let expected = expected.map(str::to_owned).map_err(|it| it.replace("ROOT", root.to_str().unwrap()));
            assert_eq!(found.map_err(str::to_owned), expected, "{search:?} {trim} {path}");
        };
        check(&["app/src"], "", "x.c", Ok("in src"));
        check(&["none", "app/src"], "", "x.c", Ok("in src"));
        check(&["app/src"], "", "above.c", Ok("in the root"));
        check(&["app/src"], "/build", "/build/x.c", Ok("in src"));
        check(&["app"], "", "/elsewhere/app/src/x.c", Ok("in src"));
        check(&["app"], "", "y.c", Err("could not find file y.c on path ROOT/app"));
        check(&["app"], "", "/no/such.c", Err("open /no/such.c: no such file or directory"));
    }
}
