//! The viewer in a real browser: it shows the numbers that `wprof top` prints, and survives what is dropped on it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::machine::workspace;
use support::webdriver::Browser;
use support::wprof::{RunningWprof, Wprof};

/// The cells of the rows that are drawn, as the page shows them; null while no table is open.
const ROWS: &str = "
    const open = document.querySelector('[data-phase=open]');
    const cells = ['flat', 'flat-pct', 'sum-pct', 'cum', 'cum-pct', 'name'];
    const row = row => cells.map(cell => row.querySelector('.' + cell).textContent.trim());
    return open && [...open.querySelectorAll('.top-row')].map(row);";

/// Drops a file anywhere on the page.
const DROP: &str = "
    const [name, bytes] = arguments;
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
    for (const kind of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    }";

fn profile(name: &str) -> PathBuf {
    workspace().join("tests/profiles/synth").join(name)
}

/// The viewer on some files in a browser of its own; `None` where there is none.
fn view(files: &[PathBuf]) -> Option<(Browser, RunningWprof)> {
    let browser = Browser::start()?;
    let mut running = Wprof::new("view").arg("--no-open").args(files).start();
    let line = running.process.wait_for_message("the viewer is at ");
    browser.open(line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default());
    Some((browser, running))
}

fn drop_file(browser: &Browser, name: &str, bytes: &[u8]) {
    let _nothing = browser.run(DROP, &[json!(name), json!(bytes)]);
}

/// The table of `wprof top`, cell by cell.
fn top(file: &Path, options: &[&str]) -> Value {
    let run = Wprof::new("top").args(options).arg(file).finish().expect_code(0);
    let stdout = run.stdout();
    let table = stdout.lines().skip_while(|line| !line.trim_start().starts_with("flat ")).skip(1);
    let cells = |line: &str| -> Value {
        let mut words = line.split_whitespace();
        let mut cells: Vec<String> = words.by_ref().take(5).map(str::to_owned).collect();
        cells.push(words.collect::<Vec<_>>().join(" "));
        cells.into()
    };
    table.map(cells).collect()
}

/// Waits until the page shows the table that `wprof top` prints with these options.
fn expect_table(browser: &Browser, file: &Path, options: &[&str]) {
    let expected = top(file, options);
    assert!(expected.as_array().is_some_and(|rows| rows.len() >= 2), "{expected}");
    let differs = format!(
        "const rows = (() => {{{ROWS}}})(); return JSON.stringify(rows) === JSON.stringify(arguments[0]) || rows;"
    );
    for _ in 0..200 {
        if browser.run(&differs, std::slice::from_ref(&expected)) == json!(true) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let name = file.display();
    assert_eq!(browser.run(ROWS, &[]), expected, "{name}, {options:?}; the console: {}", browser.console());
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
            let choose = "
                const select = document.querySelector('[data-testid=sample-type]');
                select.selectedIndex = [...select.options].findIndex(it => it.textContent.trim() === arguments[0]);
                select.dispatchEvent(new Event('change', { bubbles: true }));
                return select.selectedIndex;";
            assert_ne!(browser.run(choose, &[json!(sample_type)]), json!(-1), "{sample_type} is not offered");
            expect_table(&browser, &file, &[&format!("-sample_index={sample_type}")]);
        }
        expect_no_errors(&browser);
    }
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
    let cut = &good[..good.len() / 2];
    for (name, bytes) in [
        ("words.prof", &b"this is no profile"[..]),
        ("empty.prof", b""),
        ("cut.prof", cut),
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
         return rows.length > 0 && rows.every(row => row.textContent.includes('Worker<T>::hot'))",
        &[],
    );
    expect_no_errors(&browser);
}

/// The page without a server's list: a bare web server may hold it as well, so the landing page must stand alone.
#[test]
fn a_served_file_that_vanished_is_named() {
    let Some(browser) = Browser::start() else { return };
    let mut running = Wprof::new("view").args(["--no-open", "gone.prof"]).file("gone.prof", "x").start();
    let line = running.process.wait_for_message("the viewer is at ");
    std::fs::remove_file(running.dir().join("gone.prof")).unwrap_or_default();
    browser.open(line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default());
    let failure = "
        const page = document.querySelector('[data-phase=failed]');
        return page && page.innerText.includes('gone.prof')";
    let _named = browser.wait_for("the failure page", failure, &[]);
}
