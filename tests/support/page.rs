//! The viewer's page as its tests use it: opened on a server of its own, given files, held against the command's tables.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::base64;
use crate::http::Server;
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
    let (running, server) = view(Wprof::new("view").arg("--no-open")).start_viewer();
    visit(&browser, &server);
    Some((browser, running))
}

/// Opens the page of a server.
pub fn visit(browser: &Browser, server: &Server) {
    browser.open(&format!("{}/", server.url()));
}

/// Waits until a script returns what is expected.
///
/// # Errors
///
/// What it returned last, if it did not in time.
pub fn wait_until(
    browser: &Browser,
    script: &str,
    args: &[Value],
    expected: &Value,
    patience: Duration,
) -> Result<(), Value> {
    let deadline = Instant::now() + patience;
    loop {
        let found = browser.run(script, args);
        if found == *expected {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
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
