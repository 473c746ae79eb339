//! The flame graph in a real browser, as one zooms: by clicks on boxes and on rows of the table.

use serde_json::{Value, json};
use support::page;
use support::webdriver::Browser;
use support::wprof::RunningWprof;

/// `left` has three quarters of `main`.
const STACKS: &str = "main;left;deep 70\nmain;left 5\nmain;right;other 25\n";

/// The viewer on [`STACKS`]; `None` where there is no browser.
fn view() -> Option<(Browser, RunningWprof)> {
    let (browser, running) = page::open(|view| view.arg("stacks.folded").file("stacks.folded", STACKS))?;
    let drawn = "return document.querySelectorAll('.top-row:not(.pending)').length === 5";
    let _drawn = browser.wait_for("the stacks", drawn, &[]);
    Some((browser, running))
}

/// Where the graph is zoomed to, by the names above the graph.
const TRAIL: &str = "return [...document.querySelectorAll('[data-testid=breadcrumbs] li')].map(it => it.textContent)";

fn expect_trail(browser: &Browser, trail: &Value) {
    if let Err(found) = page::wait_until(browser, TRAIL, &[], trail, std::time::Duration::from_secs(10)) {
        assert_eq!(found, *trail, "the console: {}", browser.console());
    }
}

/// An answer that is taken in between two frames of the motion would delay the second.
#[test]
fn nothing_but_the_graph_changes_while_a_zoom_moves() {
    let Some((browser, _running)) = view() else { return };
    // The change of what is above the graph, in milliseconds since the click on `left`.
    let click = "
        const [graph, above] = ['flame-graph', 'breadcrumbs'].map(it => document.querySelector(`[data-testid=${it}]`));
        const place = graph.getBoundingClientRect();
        return new Promise(done => {
            const start = performance.now();
            new MutationObserver(() => done(performance.now() - start)).observe(above, { childList: true, subtree: true });
            setTimeout(() => done(null), 5000);
            const [clientX, clientY] = [place.left + place.width / 4, place.top + 2 * 18 + 9];
            graph.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, view: window, clientX, clientY }));
        });";
    let after = browser.run(click, &[]).as_f64();
    assert!(after.is_some_and(|it| it >= 149.0), "the motion takes 150 ms, the trail changed after {after:?}");
    expect_trail(&browser, &json!(["root", "main", "left"]));
}

#[test]
fn a_double_click_on_a_row_zooms_to_its_function() {
    let Some((browser, _running)) = view() else { return };
    for (name, trail) in
        [("right", json!(["root", "main", "right"])), ("deep", json!(["root", "main", "left", "deep"]))]
    {
        let click = "
            const row = [...document.querySelectorAll('.top-row')].find(it => it.querySelector('.name').title === arguments[0]);
            for (const kind of ['click', 'click', 'dblclick']) row.dispatchEvent(new MouseEvent(kind, { bubbles: true }));";
        let _nothing = browser.run(click, &[json!(name)]);
        expect_trail(&browser, &trail);
        let _nothing = browser.run("document.querySelector('[data-testid=zoom-reset]').click()", &[]);
        expect_trail(&browser, &json!(["root"]));
    }
}
