//! Every view of the page: seen (screenshots for people to look at), free of faults that axe-core knows, reached and used by
//! keys alone, and never a place where a name could become markup.

use std::path::PathBuf;

use proto::{FunctionSpec, Line, ProfileBuilder, encode_gzip};
use serde_json::json;
use support::machine::{node, profile};
use support::page::{self, escaped};
use support::webdriver::Browser;
use support::wprof::{RunningWprof, Wprof};

const VIEWS: [&str; 10] = ["both", "top", "flame", "sandwich", "tree", "graph", "source", "tags", "diff", "summary"];

/// A function of every profile here that has callers, callees and lines.
const FUNCTION: &str = "app::Worker<T>::hot";

/// The viewer on two profiles, the second one the base of a diff.
fn view() -> Option<(Browser, RunningWprof)> {
    let base = format!("--base={}", profile("wasm_cpu_b.pb.gz").display());
    let (browser, running) = page::open(|view| view.arg(base).arg(profile("wasm_cpu.pb.gz")))?;
    let shown = "return document.querySelector('[data-view=diff] .top-row:not(.pending)') !== null";
    let _diff = browser.wait_for("the diff that --base asks for", shown, &[]);
    Some((browser, running))
}

fn show(browser: &Browser, view: &str) {
    let hash =
        format!("view={view}&function={}&base=wasm_cpu_b.pb.gz", FUNCTION.replace('<', "%3C").replace('>', "%3E"));
    let _nothing = browser.run("location.hash = arguments[0]", &[json!(hash)]);
    let shown = "
        const view = document.querySelector(`[data-view=${arguments[0]}]`);
        return view && !view.querySelector('[role=status]:not(.card):empty, .flame-wait') && view.textContent.trim().length > 20;";
    let _shown = browser.wait_for(view, shown, &[json!(view)]);
    // Boxes of a flame graph come a moment after the rows, and move for 150 ms.
    std::thread::sleep(std::time::Duration::from_millis(400));
}

fn theme(browser: &Browser, theme: &str) {
    let set = "
        for (let n = 0; n < 3 && document.documentElement.dataset.theme !== arguments[0]; n++) {
            document.querySelector('[data-testid=theme]').click();
            await new Promise(done => setTimeout(done, 60));
        }
        return document.documentElement.dataset.theme;";
    let script = format!("return (async (...args) => {{ {} }})(arguments[0])", set.replace("arguments[0]", "args[0]"));
    assert_eq!(browser.run(&script, &[json!(theme)]), json!(theme));
}

/// Whoever changes the looks looks at these: all views, light and dark, on a desk and in a hand.
#[test]
fn every_view_is_seen() {
    let Some((browser, running)) = view() else { return };
    let dir = std::env::var_os("WPROF_SCREENSHOTS").map_or_else(|| running.dir().join("seen"), PathBuf::from);
    std::fs::create_dir_all(&dir).unwrap_or_default();
    let mut faults = Vec::new();
    for (width, height) in [(1280, 800), (390, 844)] {
        browser.resize(width, height);
        for colours in ["light", "dark"] {
            theme(&browser, colours);
            for view in VIEWS {
                show(&browser, view);
                browser.screenshot_to(&dir.join(format!("{view}-{colours}-{width}.png")));
                // What lies outside the window can be seen by nobody, as the page itself does not scroll.
                let spilt = "
                    const spills = element => {
                        const place = element.getBoundingClientRect();
                        return place.width > 0 && place.right > innerWidth + 1 && !element.closest('.visually-hidden, [aria-hidden=true]');
                    };
                    const scrolls = element => element && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
                    return [...document.querySelectorAll('.app *')].filter(it => spills(it) && !scrolls(it.parentElement)).map(it => it.outerHTML.slice(0, 120)).slice(0, 3);";
                let found = browser.run(spilt, &[]);
                if found != json!([]) {
                    faults.push(format!("{view}, {colours}, {width}: {found}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "outside the window:\n{}", faults.join("\n"));
}

#[test]
fn no_view_has_serious_faults_of_access() {
    let Some(axe) = node("WPROF_AXE") else { return };
    let Some((browser, _running)) = view() else { return };
    let axe = std::fs::read_to_string(axe).unwrap_or_default();
    let judge = format!(
        "{axe}; return axe.run(document, {{ resultTypes: ['violations'] }}).then(found => found.violations
            .filter(it => it.impact === 'serious' || it.impact === 'critical')
            .map(it => [it.id, it.help, it.nodes.slice(0, 3).map(node => node.html.slice(0, 160))]));"
    );
    let mut faults = Vec::new();
    for colours in ["light", "dark"] {
        theme(&browser, colours);
        for view in VIEWS {
            show(&browser, view);
            let found = browser.run(&judge, &[]);
            if found != json!([]) {
                faults.push(format!("{view}, {colours}: {found:#}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Without a pointer: each view by its key, a row, its sandwich, a filter and its undoing, the list of keys.
#[test]
fn keys_alone_do_everything() {
    let Some((browser, _running)) = view() else { return };
    let is_shown = "return document.querySelector(`[data-view=${arguments[0]}]`) !== null";
    let keys = [
        ("t", "top"),
        ("f", "flame"),
        ("w", "sandwich"),
        ("e", "tree"),
        ("g", "graph"),
        ("o", "source"),
        ("l", "tags"),
    ];
    for (key, view) in keys.into_iter().chain([("d", "diff"), ("i", "summary"), ("b", "both")]) {
        browser.press(key);
        let _shown = browser.wait_for(view, is_shown, &[json!(view)]);
    }
    browser.press("t");
    let _rows = browser.wait_for("rows", "return document.querySelector('.top-row:not(.pending)') !== null", &[]);
    browser.press(ARROW_DOWN);
    let chosen = browser.wait_for("a chosen row", "return document.querySelector('.top-row.chosen .name')?.title", &[]);
    browser.press("w");
    let name = "return document.querySelector('[data-testid=sandwich-name]')?.textContent.trim()";
    assert_eq!(browser.wait_for("its sandwich", name, &[]), chosen);
    browser.press("+");
    let _form = browser.wait_for("the form", "return document.activeElement.dataset.testid === 'filter-pattern'", &[]);
    browser.type_into("[data-testid=filter-pattern]", "main\u{e007}");
    let steps = "return [...document.querySelectorAll('[data-testid=step]')].map(it => it.textContent)";
    let has_step = "return document.querySelectorAll('[data-testid=step]').length === arguments[0]";
    let _added = browser.wait_for("a step", has_step, &[json!(1)]);
    assert!(browser.run(steps, &[]).to_string().contains("focus main"));
    browser.press(ESCAPE);
    let _undone = browser.wait_for("no step", has_step, &[json!(0)]);
    browser.press("?");
    let _keys = browser.wait_for("the list of keys", "return document.querySelector('dialog .keys') !== null", &[]);
    browser.press(ESCAPE);
    let _closed = browser.wait_for("no dialog", "return document.querySelector('dialog') === null", &[]);
}

const ARROW_DOWN: &str = "\u{e015}";
const ESCAPE: &str = "\u{e00c}";

/// A link shows what it was copied from, on another page too.
#[test]
fn a_link_reproduces_the_view() {
    let Some((browser, _running)) = view() else { return };
    let hash = "view=flame&sample_index=samples&focus=fib&inverted&search=main";
    let url = browser.run("return location.origin + '/#' + arguments[0]", &[json!(hash)]);
    browser.open("about:blank");
    browser.open(url.as_str().unwrap_or_default());
    let state = "
        const [type, search] = ['sample-type', 'search'].map(id => document.querySelector(`[data-testid=${id}]`));
        const step = document.querySelector('[data-testid=step]')?.textContent;
        return type && [document.querySelector('#view')?.dataset.view, type.selectedOptions[0].textContent.trim(), search.value, step];";
    let expected = json!(["flame", "samples", "main", "focus fib×"]);
    let is_it = format!(
        "const found = (() => {{ {state} }})(); return JSON.stringify(found) === JSON.stringify(arguments[0]) || null"
    );
    let _same = browser.wait_for("the linked view", &is_it, &[expected]);
}

/// An address that changes while the page is being put up, just before it listens, is not written over.
#[test]
fn a_link_followed_while_the_page_begins_is_not_lost() {
    let Some(browser) = Browser::start() else { return };
    browser.run_first(
        "const listen = window.addEventListener;
         window.addEventListener = function (kind, ...others) {
             if (kind === 'popstate') location.hash = 'view=top';
             return listen.call(this, kind, ...others);
         };",
    );
    let (_running, server) = Wprof::new("view").arg("--no-open").arg(profile("wasm_cpu.pb.gz")).start_viewer();
    page::visit(&browser, &server);
    let row = "return document.querySelector('.top-row:not(.pending)') && document.querySelector('#view').dataset.view";
    assert_eq!(browser.wait_for("the first row", row, &[]), "top");
    // Addresses are written a moment after what they tell of is on show.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(browser.run("return location.hash", &[]), "#view=top");
}

/// Names are text wherever they are shown.
#[test]
fn a_name_is_never_markup() {
    const NAME: &str = "<img src=x onerror=\"document.title='broken'\">";
    let mut builder = ProfileBuilder::new(&[("cpu", "nanoseconds")]);
    let function = builder.function(FunctionSpec { name: NAME, filename: NAME, ..FunctionSpec::default() });
    let location = builder.location(None, 7, &[Line { function, line: 3, column: 0 }]);
    builder.sample(&[location], &[9], &[proto::LabelSpec::Str { key: NAME, value: NAME }]);
    builder.comment(NAME);
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("markup.prof");
    std::fs::write(&file, encode_gzip(&builder.finish())).unwrap_or_default();
    let Some((browser, _running)) = page::open(|view| view.arg(&file)) else { return };
    let shown = "return document.querySelector('[data-testid=file-name]')?.textContent === 'markup.prof'";
    let _open = browser.wait_for("the file", shown, &[]);
    for view in VIEWS {
        let hash = format!("view={view}&function={}", escaped(NAME));
        let _nothing = browser.run("location.hash = arguments[0]", &[json!(hash)]);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let injected =
            browser.run("return [document.querySelectorAll('img').length, document.title.includes('broken')]", &[]);
        assert_eq!(injected, json!([0, false]), "{view}");
    }
    let _nothing = browser.run("location.hash = 'view=top'", &[]);
    let name = "return document.querySelector('.top-row .name')?.title === arguments[0]";
    let _text = browser.wait_for("the name as text", name, &[json!(NAME)]);
}
