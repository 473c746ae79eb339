//! The viewer on a guest that runs: it opens a profile by itself, takes it again, and takes others.

use std::time::Duration;

use serde_json::{Value, json};
use support::machine::workspace;
use support::page;
use support::webdriver::Browser;
use support::wprof::Wprof;

/// A CPU profile takes five seconds, and the machine may be slow.
const PATIENCE: Duration = Duration::from_secs(40);

/// The name of what is on show without the time it was taken, whether it has one, and whether there is something to see.
const SHOWN: &str = "
    if (!document.querySelector('[data-phase=open]')) return null;
    const text = id => document.querySelector(`[data-testid=${id}]`)?.textContent || '';
    const [name, at] = text('file-name').split(' at ');
    return [name, Boolean(at && /[0-9]/.test(at)), /[1-9]/.test(text('total'))];";

const CLICK: &str = "document.querySelector(`[data-testid=${arguments[0]}]`).click();";

fn expect_shown(browser: &Browser, expected: &Value) {
    if let Err(found) = page::wait_until(browser, SHOWN, &[], expected, PATIENCE) {
        assert_eq!(found, *expected, "the console: {}", browser.console());
    }
}

/// Takes a profile from the list of files.
fn take(browser: &Browser, name: &str) {
    let _clicked = browser.run("document.querySelector('.file-name').click();", &[]);
    let click = "
        const rows = [...document.querySelectorAll('.file-row')].filter(it => it.querySelector('[data-testid=open-served]'));
        const row = rows.find(it => it.querySelector('bdi').textContent === arguments[0]);
        row?.querySelector('button').click();
        return row?.querySelector('button').textContent;";
    assert_eq!(browser.wait_for("the profile's row", click, &[json!(name)]), json!("Take"), "{name}");
    browser.press("\u{e00c}");
}

#[test]
fn a_running_guests_profiles_are_taken_and_taken_again() {
    let Some(browser) = Browser::start() else { return };
    let options = ["--http=:0", "--memprofilerate=1"];
    let mut running = Wprof::run(&options, workspace().join("tests/http/busy.wat"), &[]).start();
    let server = running.http();
    running.process.wait_for_line("ready");
    page::visit(&browser, &server);
    expect_shown(&browser, &json!(["heap", false, true]));
    let _clicked = browser.run(CLICK, &[json!("again")]);
    expect_shown(&browser, &json!(["heap", true, true]));
    take(&browser, "goroutine");
    expect_shown(&browser, &json!(["goroutine", true, true]));
    take(&browser, "CPU, 5 s");
    expect_shown(&browser, &json!(["CPU, 5 s", true, true]));
    let _clicked = browser.run("document.querySelector('.file-name').click();", &[]);
    let n_files =
        browser.wait_for("the files", "return document.querySelectorAll('[data-testid=show-file]').length", &[]);
    assert_eq!(n_files, json!(3), "all are kept");
}
