//! The viewer in a real browser: it shows the numbers that `wprof top` prints, and survives what is dropped on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::{FunctionSpec, LabelSpec, Line, ProfileBuilder, encode_gzip};
use serde_json::{Value, json};
use support::machine::{profile, shared};
use support::page;
use support::webdriver::Browser;
use support::wprof::{RunningWprof, Wprof};

/// The cells of the rows that are drawn, as the page shows them; null while no table is open.
const ROWS: &str = "
    const open = document.querySelector('[data-phase=open]');
    const cells = ['flat', 'flat-pct', 'sum-pct', 'cum', 'cum-pct', 'name'];
    const name = cell => [cell.title, cell.querySelector('.marker')?.textContent.trim()].filter(it => it).join(' ');
    const text = cell => cell.classList.contains('name') ? name(cell) : cell.textContent.trim();
    const row = row => cells.map(cell => text(row.querySelector('.' + cell)));
    return open && [...open.querySelectorAll('.top-row:not(.pending)')].map(row);";

/// How long the page may take to show a table.
const PATIENCE: Duration = Duration::from_secs(10);

/// The viewer on some files in a browser of its own; `None` where there is none.
fn view(files: &[PathBuf]) -> Option<(Browser, RunningWprof)> {
    page::open(|view| view.args(files))
}

fn drop_file(browser: &Browser, name: &str, bytes: &[u8]) {
    page::drop_files(browser, &[(name, bytes)]);
}

/// The table of `wprof top`, cell by cell.
fn top(file: &Path, options: &[&str]) -> Value {
    let run = Wprof::new("top").args(options).arg(file).finish().expect_code(0);
    json!(page::table(&run.stdout(), 5))
}

/// Waits until the page shows the table that `wprof top` prints with these options.
fn expect_table(browser: &Browser, file: &Path, options: &[&str]) {
    let expected = top(file, options);
    assert!(expected.as_array().is_some_and(|rows| rows.len() >= 2), "{expected}");
    if let Err(found) = page::wait_until(browser, ROWS, &[], &expected, PATIENCE) {
        let name = file.display();
        assert_eq!(found, expected, "{name}, {options:?}; the console: {}", browser.console());
    }
}

/// Chooses what a list offers.
fn choose(browser: &Browser, list: &str, option: &str) {
    let choose = "
        const select = document.querySelector(`[data-testid=${arguments[0]}]`);
        select.selectedIndex = [...select.options].findIndex(it => it.textContent.trim() === arguments[1]);
        select.dispatchEvent(new Event('change', { bubbles: true }));
        return select.selectedIndex;";
    assert_ne!(browser.run(choose, &[json!(list), json!(option)]), json!(-1), "{list} does not offer {option}");
}

/// Clicks on a size among those that the picker offers, which must be open.
fn pick(browser: &Browser, size: &str, with_shift: bool) {
    let pick = "
        const row = [...document.querySelectorAll('.picker-row')].find(it =>
            it.querySelector('.picker-name').textContent.trim() === arguments[0]);
        row?.querySelector('input').dispatchEvent(
            new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: arguments[1] }));
        return row !== undefined;";
    assert_eq!(browser.run(pick, &[json!(size), json!(with_shift)]), json!(true), "{size} is not offered");
}

/// What the page's worker and the page itself complained of.
fn expect_no_errors(browser: &Browser) {
    let console = browser.console();
    let errors: Vec<_> = console.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE").collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_table_is_that_of_wprof_top_for_every_sample_type() {
    for (name, sample_types) in [
        ("wasm_cpu.pb.gz", &["samples", "cpu"][..]),
        ("wasm_heap.pb.gz", &["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]),
    ] {
        let file = profile(name);
        let Some((browser, _running)) = view(std::slice::from_ref(&file)) else { return };
        expect_table(&browser, &file, &[]);
        for sample_type in sample_types {
            choose(&browser, "sample-type", sample_type);
            expect_table(&browser, &file, &[&format!("-sample_index={sample_type}")]);
        }
        expect_units(&browser, &file);
        expect_no_errors(&browser);
    }
}

/// Chooses each unit that the options offer.
fn expect_units(browser: &Browser, file: &Path) {
    let _nothing = browser.run("document.querySelector('[data-testid=options]').click()", &[]);
    let units =
        "const it = document.querySelector('[data-testid=unit]'); return it && [...it.options].map(it => it.value)";
    let units = browser.wait_for("the units", units, &[]);
    let units: Vec<&str> = units.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(units.len() > 4, "{units:?}");
    for unit in units {
        let (shown, option) = if unit.is_empty() { ("units that suit them", "minimum") } else { (unit, unit) };
        choose(browser, "unit", shown);
        expect_table(browser, file, &[&format!("-unit={option}")]);
    }
}

/// A heap profile of more sizes than are offered one by one, and of few functions, so that all rows are in view.
fn heap_of_many_sizes() -> Vec<u8> {
    let types =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let mut builder = ProfileBuilder::new(&types);
    for size in 1..60_i64 {
        let mut location = |name: &str| {
            let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
            builder.location(None, 0, &[Line { function, line: 0, column: 0 }])
        };
        let stack = [location(&format!("site_{}", size % 6)), location("allocate"), location("main")];
        let values = [9, 9 * size, size % 5, size % 5 * size];
        builder.sample(&stack, &values, &[LabelSpec::Num { key: "bytes", num: size, unit: "" }]);
    }
    encode_gzip(&builder.finish())
}

#[test]
fn picked_sizes_are_those_of_wprof_tops_tagfocus() {
    let served = profile("wasm_cpu.pb.gz");
    let Some((browser, running)) = view(std::slice::from_ref(&served)) else { return };
    expect_table(&browser, &served, &[]);
    let file = running.dir().join("heap.prof");
    std::fs::write(&file, heap_of_many_sizes()).unwrap_or_default();
    drop_file(&browser, "heap.prof", &heap_of_many_sizes());
    expect_table(&browser, &file, &[]);
    let _nothing = browser.run("document.querySelector('[data-testid=picker]').click()", &[]);
    let is_open = "return document.querySelector('.picker-value')?.textContent.length > 0";
    let _weighed = browser.wait_for("the weights of sizes", is_open, &[]);

    pick(&browser, "8B – 16B", false);
    expect_table(&browser, &file, &["-tagfocus=bytes=8b:15b"]);
    pick(&browser, "32B – 64B", true);
    expect_table(&browser, &file, &["-tagfocus=bytes=8b:63b"]);
    choose(&browser, "sample-type", "alloc_space");
    expect_table(&browser, &file, &["-sample_index=alloc_space", "-tagfocus=bytes=8b:63b"]);
    choose(&browser, "picker-to", "16B");
    expect_table(&browser, &file, &["-sample_index=alloc_space", "-tagfocus=bytes=8b:15b"]);
    let caption = browser.run("return document.querySelector('[data-testid=picker]').textContent.trim()", &[]);
    assert_eq!(caption, json!("size 8B – 16B"));
    // In the flame graph there is no function of another size, and shares are of the whole.
    let rows = top(&file, &["-sample_index=alloc_space", "-tagfocus=bytes=8b:15b"]);
    let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row[5] == "site_2").cloned()).unwrap_or_default();
    browser.type_into("[data-testid=search]", "site_2");
    let matched = "return document.querySelector('[data-testid=matched]').textContent.includes(arguments[0])";
    let _share = browser.wait_for("the share of one site's blocks of 8 to 15 bytes", matched, &[row[4].clone()]);
    let _nothing = browser.run("document.querySelector('[data-testid=picker-clear]').click()", &[]);
    let cleared = "return document.querySelector('[data-testid=picker]').textContent.trim() === 'Any size'";
    let _cleared = browser.wait_for("all samples again", cleared, &[]);
    expect_no_errors(&browser);
}

#[test]
fn sizes_are_picked_in_gos_heap_profile() {
    let Some(golden) = shared("spec/golden/heap_default") else { return };
    let file = golden.join("heap.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&file)) else { return };
    expect_table(&browser, &file, &[]);
    let _nothing = browser.run("document.querySelector('[data-testid=picker]').click()", &[]);
    for sample_type in ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"] {
        choose(&browser, "sample-type", sample_type);
        let sample_type = format!("-sample_index={sample_type}");
        pick(&browser, "1kB", false);
        expect_table(&browser, &file, &[&sample_type, "-tagfocus=bytes=1kb"]);
        pick(&browser, "1.50MB", true);
        expect_table(&browser, &file, &[&sample_type, "-tagfocus=bytes=1kb:1536kb"]);
        pick(&browser, "All samples", false);
        expect_table(&browser, &file, &[&sample_type]);
    }
    expect_no_errors(&browser);
}

#[test]
fn a_click_on_cum_sorts_as_wprof_top_does() {
    let file = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&file)) else { return };
    expect_table(&browser, &file, &[]);
    for (column, options) in [("cum", &["-cum"][..]), ("flat", &[]), ("cum-pct", &["-cum"])] {
        let click = format!("document.querySelector('.table-header .{column} button').click()");
        let _nothing = browser.run(&click, &[]);
        expect_table(&browser, &file, options);
    }
    expect_no_errors(&browser);
}

/// The border between guest and host: its frames are those of a module.
#[test]
fn the_host_is_filtered_from_the_legend_as_wprof_top_filters_it() {
    let file = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&file)) else { return };
    expect_table(&browser, &file, &[]);
    for (item, option) in [("Focus on it", "focus"), ("Ignore", "ignore"), ("Hide", "hide")] {
        let open = "
            document.querySelector('[data-testid=legend-host]')?.click();
            return document.querySelector('[data-testid=row-menu]') !== null";
        let _menu = browser.wait_for("the legend's menu", open, &[]);
        let items = "[...document.querySelectorAll('[data-testid=row-menu] button')]";
        let _nothing = browser
            .run(&format!("{items}.find(it => it.textContent.startsWith(arguments[0])).click()"), &[json!(item)]);
        expect_table(&browser, &file, &[&format!(r"-{option}=^\[host\]$")]);
        let _nothing = browser.run("document.querySelector('[data-testid=step] button').click()", &[]);
        expect_table(&browser, &file, &[]);
    }
    expect_no_errors(&browser);
}

#[test]
fn a_dropped_file_is_shown() {
    let served = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&served)) else { return };
    expect_table(&browser, &served, &[]);
    for name in ["wasm_heap.pb.gz", "wasm_cpu_b.pb.gz"] {
        let file = profile(name);
        let bytes = std::fs::read(&file).unwrap_or_default();
        drop_file(&browser, name, &bytes);
        expect_table(&browser, &file, &[]);
        let shown = browser.run("return document.querySelector('[data-testid=file-name]').textContent", &[]);
        assert_eq!(shown, json!(name));
    }
    expect_no_errors(&browser);
}

#[test]
fn a_bad_file_is_named_and_the_next_drop_works() {
    let served = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&served)) else { return };
    expect_table(&browser, &served, &[]);
    let good = std::fs::read(&served).unwrap_or_default();
    for (name, bytes) in [
        ("words.prof", &b"this is no profile"[..]),
        ("empty.prof", b""),
        ("cut.prof", &good[..20]),
        ("elf.prof", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00"),
        ("<b>bold</b>.prof", b"\x1f\x8b\x08\x00rubbish"),
    ] {
        drop_file(&browser, name, bytes);
        let failure = "
            const page = document.querySelector('[data-phase=failed]');
            return page && page.innerText.includes(arguments[0]) && page.innerText;";
        let text = browser.wait_for(&format!("the failure page of {name}"), failure, &[json!(name)]);
        assert!(text.as_str().is_some_and(|text| text.len() > name.len() + 40), "it says what is wrong: {text}");

        drop_file(&browser, "wasm_cpu.pb.gz", &good);
        expect_table(&browser, &served, &[]);
    }
}

#[test]
fn the_flame_graph_is_drawn_and_search_tells_the_matched_share() {
    let file = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&file)) else { return };
    expect_table(&browser, &file, &[]);
    // Some pixel of it is not like the first.
    let drawn = "
        const canvas = document.querySelector('[data-testid=flame-canvas]');
        if (!canvas || canvas.width < 100 || canvas.height < 100) return false;
        const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        return new Set(pixels).size > 5;";
    let _drawn = browser.wait_for("a flame graph", drawn, &[]);
    let matched = "return document.querySelector('[data-testid=matched]').textContent.trim()";
    assert_eq!(browser.run(matched, &[]), json!(""), "nothing is searched for yet");

    // Everything below it counts, so the share of a function is its cum.
    let row =
        top(&file, &[]).as_array().and_then(|rows| rows.iter().find(|row| row[5] == "app::Worker<T>::hot").cloned());
    let cum_pct = row.as_ref().and_then(|row| row[4].as_str()).unwrap_or("no such row").to_owned();
    browser.type_into("[data-testid=search]", "Worker<T>::hot");
    // The page answers every key, so other shares come by until the last one is typed.
    let is_it = format!("{matched}.includes(arguments[0])");
    let _share = browser.wait_for(&format!("{cum_pct} as the matched share"), &is_it, &[json!(cum_pct)]);
    let _found = browser.wait_for(
        "only the rows that match",
        "const rows = [...document.querySelectorAll('.top-row .name')];
         return rows.length > 0 && rows.every(row => row.title.includes('Worker<T>::hot'))",
        &[],
    );
    expect_no_errors(&browser);
}

/// The page without a server's list: a bare web server may hold it as well, so the landing page must stand alone.
#[test]
fn a_served_file_that_vanished_is_named() {
    let Some(browser) = Browser::start() else { return };
    let (running, server) = Wprof::new("view").args(["--no-open", "gone.prof"]).file("gone.prof", "x").start_viewer();
    std::fs::remove_file(running.dir().join("gone.prof")).unwrap_or_default();
    page::visit(&browser, &server);
    let failure = "
        const page = document.querySelector('[data-phase=failed]');
        return page && page.innerText.includes('gone.prof')";
    let _named = browser.wait_for("the failure page", failure, &[]);
}

/// A file that breaks off shows what came before, and says so.
#[test]
fn a_cut_file_shows_what_came_before_the_cut() {
    let served = profile("wasm_cpu.pb.gz");
    let Some((browser, _running)) = view(std::slice::from_ref(&served)) else { return };
    expect_table(&browser, &served, &[]);
    let whole = std::fs::read(&served).unwrap_or_default();
    drop_file(&browser, "cut.prof", &whole[..whole.len() / 2]);
    let said = "
        const name = document.querySelector('[data-phase=open] [data-testid=file-name]')?.textContent;
        return name === 'cut.prof' && document.querySelector('[data-testid=notices]').textContent;";
    let said = browser.wait_for("what is left of it", said, &[]);
    assert!(said.as_str().is_some_and(|it| it.contains("cut.prof is cut short") && it.contains("8 samples")), "{said}");
    expect_no_errors(&browser);
}
