//! The viewer's page as its tests use it: opened on a server of its own, given files, held against the command's tables.

use serde_json::json;

use crate::base64;
use crate::webdriver::Browser;
use crate::wprof::{RunningWprof, Wprof};

/// Drops files anywhere on the page, together.
const DROP: &str = "
    const dataTransfer = new DataTransfer();
    for (const [name, coded] of arguments[0]) {
        const bytes = Uint8Array.from(atob(coded), letter => letter.charCodeAt(0));
        dataTransfer.items.add(new File([bytes], name));
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    }";

/// What `wprof view` shows, in a browser of its own; `None` where there is none.
#[must_use]
pub fn open(view: impl FnOnce(Wprof) -> Wprof) -> Option<(Browser, RunningWprof)> {
    let browser = Browser::start()?;
    let mut running = view(Wprof::new("view").arg("--no-open")).start();
    let line = running.process.wait_for_message("the viewer is at ");
    browser.open(line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default());
    Some((browser, running))
}

/// Drops files, by name and content.
pub fn drop_files(browser: &Browser, files: &[(&str, &[u8])]) {
    let coded = files.iter().map(|(name, bytes)| json!([name, base64::encode(bytes)])).collect();
    let _nothing = browser.run(DROP, &[coded]);
}

/// The rows of a printed table that begins with `flat`: `n` cells one by one, the rest as one.
#[must_use]
pub fn table(stdout: &str, n: usize) -> Vec<Vec<String>> {
    let rows = stdout.lines().skip_while(|line| !line.trim_start().starts_with("flat ")).skip(1);
    let cells = |line: &str| {
        let mut words = line.split_whitespace();
        let mut cells: Vec<String> = words.by_ref().take(n).map(str::to_owned).collect();
        cells.push(words.collect::<Vec<_>>().join(" "));
        cells
    };
    rows.map(cells).collect()
}

/// `text` as a part of an address.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
