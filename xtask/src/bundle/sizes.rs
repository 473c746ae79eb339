//! How large the bundle's files are, as they lie there and as web servers send them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::project::{on_path, run_quietly, say};

/// What node's zlib makes of files, by way of `sizes.js`.
const SCRIPT: &str = include_str!("sizes.js");

#[derive(Debug, Clone, Deserialize)]
struct FileSize {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// Prints the sizes of a folder's files and their sum; without node it says that it cannot.
pub(super) fn print(dir: &Path) -> Result<()> {
    if on_path(&["node"]).is_none() {
        say("there is no node to compress the bundle's files, so their sizes are not known");
        return Ok(());
    }
    let output = run_quietly(Command::new("node").args(["-e", SCRIPT]).arg(dir))?;
    let mut files: Vec<FileSize> = serde_json::from_slice(&output.stdout).context("read the sizes that node found")?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    for line in table(&files) {
        say(&line);
    }
    Ok(())
}

fn table(files: &[FileSize]) -> Vec<String> {
    let sum = |of: fn(&FileSize) -> u64| files.iter().map(of).sum();
    let all = FileSize {
        name: "in all".to_owned(),
        raw: sum(|it| it.raw),
        gzip: sum(|it| it.gzip),
        brotli: sum(|it| it.brotli),
    };
    let row = |name: &str, cells: [String; 3]| {
        let [raw, gzip, brotli] = cells;
        format!("{name:<24}{raw:>12}{gzip:>12}{brotli:>12}")
    };
    let head = row("bytes", ["raw", "gzip", "brotli"].map(str::to_owned));
    let rows = files.iter().chain([&all]);
    let rows = rows.map(|it| row(&it.name, [it.raw, it.gzip, it.brotli].map(|size| size.to_string())));
    [head].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_their_sum() {
        let file = |name: &str, raw, gzip, brotli| FileSize { name: name.to_owned(), raw, gzip, brotli };
        let expected = [
            "bytes                            raw        gzip      brotli",
            "a.js                            1000         100          90",
            "b.wasm                       2000000      300000      200000",
            "in all                       2001000      300100      200090",
        ];
        assert_eq!(table(&[file("a.js", 1000, 100, 90), file("b.wasm", 2_000_000, 300_000, 200_000)]), expected);
    }
}
