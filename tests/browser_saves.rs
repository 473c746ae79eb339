//! What leaves the page: the page itself with its profile, as one file, and pictures of what it draws.

use proto::{FunctionSpec, Line, ProfileBuilder, encode_gzip};
use serde_json::{Value, json};
use support::machine::profile;
use support::page;
use support::webdriver::Browser;

/// From now on the page keeps what it would download.
const KEEP: &str = "
    window.kept = [];
    window.real ??= URL.createObjectURL;
    URL.createObjectURL = blob => { window.kept.push(blob); return window.real(blob); };
    HTMLAnchorElement.prototype.click = function () { window.kept.push(this.download); };";

/// Chooses an entry of the menu of what can be saved: the name and the content of the file that comes of it.
fn save(browser: &Browser, entry: &str) -> (String, String) {
    let _nothing = browser.run(&format!("{KEEP} document.querySelector('[data-testid=menu]').click();"), &[]);
    let click =
        "const entry = document.querySelector(`[data-testid=${arguments[0]}]`); entry?.click(); return entry !== null";
    let _chosen = browser.wait_for(entry, click, &[json!(entry)]);
    let _saved = browser.wait_for("a file", "return window.kept.length === 2", &[]);
    // PNG is not text; a letter a byte is.
    let content = "
        const bytes = new Uint8Array(await window.kept[0].arrayBuffer());
        const text = window.kept[0].type === 'image/png' ? String.fromCharCode(...bytes.slice(0, 24)) : new TextDecoder().decode(bytes);
        return [window.kept[1], text];";
    let saved = browser.run(&format!("return (async () => {{ {content} }})()"), &[]);
    let text = |at: usize| saved[at].as_str().unwrap_or_default().to_owned();
    (text(0), text(1))
}

/// A page that was saved opens from disk, with no server, and shows the same.
#[test]
fn a_saved_page_opens_from_disk() {
    let opened = page::open(|view| view.arg(profile("wasm_cpu.pb.gz")));
    let Some((browser, running)) = opened else { return };
    let _nothing = browser.run("location.hash = 'view=top'", &[]);
    let row = "
        const row = document.querySelector('[data-view=top] .top-row:not(.pending)');
        return row && [row.querySelector('.flat').textContent, row.querySelector('.name').title];";
    let shown = browser.wait_for("the first row", row, &[]);
    let (name, page) = save(&browser, "save-html");
    assert_eq!(name, "wasm_cpu.pb.gz.html");
    let file = running.dir().join("saved.html");
    std::fs::write(&file, page).unwrap_or_default();
    browser.open(&format!("file://{}", file.display()));
    let first: Value = browser.wait_for("the first row", row, &[]);
    assert_eq!(first, json!(["0.40s", "core::ptr::read"]));
    assert_eq!(first, shown);
    let errors: Vec<Value> =
        browser.console().as_array().into_iter().flatten().filter(|it| it["level"] == "SEVERE").cloned().collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What an image shows of its own: where a program that knows nothing of the page's style sheet puts which colours.
const LOOKS: &str = "
    const svg = new DOMParser().parseFromString(arguments[0], 'image/svg+xml');
    const all = selector => [...svg.querySelectorAll(selector)];
    const [, , width, height] = svg.documentElement.getAttribute('viewBox').split(' ').map(Number);
    const numbers = ['x', 'y', 'width', 'height'];
    return {
        broken: svg.querySelector('parsererror')?.textContent ?? null,
        title: svg.querySelector('title').textContent,
        size: [width > 100, height > 30, width === Number(svg.documentElement.getAttribute('width'))],
        boxes: all('g > rect').length,
        outside: all('g > rect').filter(it => numbers.some(name => !(Number(it.getAttribute(name)) >= 0))).length,
        fills: [...new Set(all('g > rect, path').map(it => it.getAttribute('fill') ?? it.getAttribute('stroke')))],
        texts: all('text').map(it => it.textContent),
        foreign: all('[class], [style], [tabindex], img, script').map(it => it.outerHTML),
    };";

/// Two stacks, with names that XML would choke on.
fn stacks() -> Vec<u8> {
    let mut builder = ProfileBuilder::new(&[("cpu", "nanoseconds")]);
    let mut location = |name: &str| {
        let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
        builder.location(None, 0, &[Line { function, line: 0, column: 0 }])
    };
    let [main, markup, control, other] =
        ["main", "<img src=x onerror=alert(1)>", "right\u{1}", "other"].map(&mut location);
    builder.sample(&[markup, main], &[70], &[]);
    builder.sample(&[other, control, main], &[30], &[]);
    encode_gzip(&builder.finish())
}

/// Shows a view and waits until what it draws is there.
fn show(browser: &Browser, view: &str, drawn: &str) {
    let _nothing = browser.run("location.hash = arguments[0]", &[json!(format!("view={view}"))]);
    let is_drawn = "return document.querySelector(arguments[0]) !== null && !document.querySelector('.flame-wait')";
    let _drawn = browser.wait_for(view, is_drawn, &[json!(drawn)]);
}

#[test]
fn pictures_need_no_page() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("stacks.prof");
    std::fs::write(&file, stacks()).expect("it is written");
    let Some((browser, _running)) = page::open(|view| view.arg(&file)) else { return };
    for (view, title, drawn, n_boxes) in [
        ("flame", "Flame graph of stacks.prof", ".flame-canvas", 5),
        ("graph", "Call graph of stacks.prof", "svg.graph .graph-node", 4),
    ] {
        show(&browser, view, drawn);
        let (name, svg) = save(&browser, "save-svg");
        assert_eq!(name, "stacks.prof.svg", "{view}");
        let looks = browser.run(LOOKS, &[json!(svg)]);
        assert_eq!(looks["broken"], Value::Null, "{view}: {svg}");
        assert_eq!(looks["title"], title);
        assert_eq!(looks["size"], json!([true, true, true]), "{view}: {svg}");
        assert_eq!(looks["boxes"], n_boxes, "{view}: {svg}");
        assert_eq!(looks["outside"], 0, "{view}: {svg}");
        assert_eq!(looks["foreign"], json!([]), "{view}");
        let fills: Vec<&str> = looks["fills"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let is_known = |it: &&str| it.starts_with('#') || it.starts_with("rgb(") || *it == "none";
        assert!(fills.len() > 1 && fills.iter().all(is_known), "{view}: {fills:?}");
        let texts = looks["texts"].to_string();
        assert!(texts.contains("<img src=x") && texts.contains("right\u{fffd}"), "{view}: {texts}");
    }
    show(&browser, "flame", ".flame-canvas");
    let (name, png) = save(&browser, "save-png");
    assert_eq!(name, "stacks.prof.png");
    assert!(png.starts_with("\u{89}PNG"), "{png:?}");
}
