//! Every profile that other programs wrote, dropped on the page: top, sandwich, tree and diff are the terminal's numbers,
//! and what the terminal refuses gets the failure page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::Limits;
use proto::units::Percent;
use serde_json::{Value, json};
use support::machine::{profile, shared, workspace};
use support::page::{self, escaped};
use support::webdriver::Browser;
use support::wprof::{RunningWprof, Wprof};

/// What is in a row of a table: cells by class, a name as its tip has it, with its marker.
const CELLS: &str = "
    const text = cell => {
        if (!cell) return '';
        if (!cell.classList.contains('name')) return cell.textContent.trim();
        const name = (cell.title || cell.querySelector('[title]')?.title || '').trim();
        const marker = (cell.querySelector('.marker')?.textContent || '').trim();
        return marker ? `${name} ${marker}` : name;
    };
    const cells = (row, classes) => classes.map(it => text(row.querySelector('.' + it)));";

/// The page's phase and the file it is about.
const PHASE: &str = "
    const phase = document.querySelector('.app')?.dataset.phase;
    const name = phase === 'failed' ? '[data-testid=failure-file]' : '[data-testid=file-name]';
    return [phase, document.querySelector(name)?.textContent];";

/// Whether a file got the failure page, or is said to be open in part.
const REFUSED_OR_PART: &str = "
    const has = (id, text) => document.querySelector(`[data-testid=${id}]`)?.textContent.includes(text);
    const failed = document.querySelector('.app')?.dataset.phase === 'failed' && has('failure-file', arguments[0]);
    return Boolean(failed || has('notices', `${arguments[0]} is cut short`));";

fn drop_files(browser: &Browser, files: &[&Path]) {
    let read = |path: &&Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap_or_default())
    };
    let files: Vec<(String, Vec<u8>)> = files.iter().map(read).collect();
    let parts: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    page::drop_files(browser, &parts);
}

/// An empty page of the viewer.
fn viewer() -> Option<(Browser, RunningWprof)> {
    let (browser, running) = page::open(|view| view.arg(profile("wasm_cpu.pb.gz")))?;
    let _open = browser.wait_for("the page", "return document.querySelector('[data-phase=open]') !== null", &[]);
    Some((browser, running))
}

/// All profiles: those of the specification's golden set and of the corpus.
fn profiles() -> Vec<PathBuf> {
    let mut dirs = vec![workspace().join("tests/profiles")];
    dirs.extend(shared("corpus/pprof"));
    let mut found = BTreeMap::new();
    while let Some(dir) = dirs.pop() {
        for path in std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                dirs.push(path);
            } else if [
                ".pb.gz",
                ".pb",
                ".cpu",
                ".heap",
                ".growth",
                ".thread",
                ".contention",
                ".pgo",
                ".pprof",
                ".prof",
                ".none",
            ]
            .iter()
            .any(|it| name.ends_with(it))
            {
                let len = path.metadata().map_or(0, |it| it.len());
                found.insert((name, len), path);
            }
        }
    }
    found.into_values().collect()
}

/// The cells of the terminal's table.
fn terminal_top(file: &Path) -> Option<Vec<Vec<String>>> {
    let run = Wprof::new("top").arg(file).finish();
    if run.code() != 0 {
        return None;
    }
    Some(page::table(&run.stdout(), 5))
}

/// Callers and callees as `wprof peek` prints them: weight, share, name.
fn terminal_peek(file: &Path, name: &str) -> [Vec<Vec<String>>; 2] {
    let run = Wprof::new("peek").arg(format!("^{}$", regex::escape(name))).arg(file).finish().expect_code(0);
    let stdout = run.stdout();
    let rows = stdout.lines().filter(|line| line.contains(" | "));
    let (mut callers, mut callees, mut is_below) = (Vec::new(), Vec::new(), false);
    for row in rows {
        let (numbers, shown) = row.split_once(" | ").unwrap_or_default();
        let mut cells: Vec<String> = numbers.split_whitespace().map(str::to_owned).collect();
        if !shown.starts_with("  ") {
            is_below = true;
            continue;
        }
        cells.push(shown.split_whitespace().collect::<Vec<_>>().join(" "));
        if is_below { callees.push(cells) } else { callers.push(cells) }
    }
    [callers, callees]
}

/// The outermost frames by weight, with their shares, of the terminal's folded stacks.
fn terminal_roots(file: &Path, out: &Path) -> Vec<Vec<String>> {
    let folded = out.join("stacks.folded");
    let convert = Wprof::new("convert").args(["--to", "collapsed", "-o"]).arg(&folded).arg(file);
    if convert.finish().code() != 0 {
        // Folded stacks take no negative values.
        return Vec::new();
    }
    let text = std::fs::read_to_string(folded).unwrap_or_default();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let mut total = 0;
    for line in text.lines() {
        let Some((stack, value)) = line.rsplit_once(' ') else { continue };
        let value: i64 = value.parse().unwrap_or(0);
        total += value;
        *sums.entry(stack.split(';').next().unwrap_or_default().to_owned()).or_default() += value;
    }
    let mut roots: Vec<(String, i64)> = sums.into_iter().filter(|it| it.0 != "[no stack]").collect();
    roots.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let row =
        |(name, value): (String, i64)| vec![Percent { part: value, whole: total }.to_string().trim().to_owned(), name];
    roots.into_iter().map(row).collect()
}

/// How long the page may take to show a file.
const PATIENCE: Duration = Duration::from_secs(20);

fn wait_until(browser: &Browser, script: &str, args: &[Value], expected: &Value) -> Result<(), Value> {
    page::wait_until(browser, script, args, expected, PATIENCE)
}

fn go(browser: &Browser, hash: &str) {
    // Browsers refuse changes of the address beyond 200 in ten seconds.
    std::thread::sleep(Duration::from_millis(60));
    let _nothing = browser.run("location.hash = arguments[0]", &[json!(hash)]);
}

/// What differs between page and terminal, for one file.
fn differences(browser: &Browser, file: &Path, out: &Path) -> Vec<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    drop_files(browser, &[file]);
    let Some(top) = terminal_top(file) else {
        // What is refused there is refused here, unless whole samples could be saved.
        return match wait_until(browser, REFUSED_OR_PART, &[json!(name)], &json!(true)) {
            Ok(()) => Vec::new(),
            Err(_) => vec![format!("{name}: refused in the terminal, but here {}", browser.run(PHASE, &[]))],
        };
    };
    let mut faults = Vec::new();
    let mut check = |what: &str, script: String, args: &[Value], expected: Value| {
        if let Err(found) = wait_until(browser, &script, args, &expected) {
            faults.push(format!("{name}, {what}\n  expected {expected}\n  found    {found}"));
        }
    };
    check("name", PHASE.to_owned(), &[], json!(["open", name]));
    go(browser, "view=top");
    // A table is drawn as far as it is in view.
    let rows = format!(
        "{CELLS} const classes = ['flat', 'flat-pct', 'sum-pct', 'cum', 'cum-pct', 'name'];
         return [...document.querySelectorAll('.top-row:not(.pending)')].slice(0, arguments[0]).map(row => cells(row, classes));"
    );
    let first: Vec<&Vec<String>> = top.iter().take(30).collect();
    check("top", rows, &[json!(first.len())], json!(first));

    let bare = |name: &String| name.trim_end_matches(" (inline)").trim_end_matches(" (partial-inline)").to_owned();
    for function in top.iter().filter_map(|row| row.last()).take(2).map(bare) {
        go(browser, &format!("view=sandwich&function={}", escaped(&function)));
        let script = format!(
            "{CELLS} const name = document.querySelector('[data-testid=sandwich-name]')?.textContent.trim();
             const rows = id => [...document.querySelectorAll(`[data-testid=${{id}}] tbody tr`)].map(row => [...cells(row, ['cell:nth-child(1)', 'cell:nth-child(2)', 'cell:nth-child(3)'])]);
             return [name, rows('callers'), rows('callees')];"
        );
        let [callers, callees] = terminal_peek(file, &function);
        check(&format!("sandwich of {function}"), script, &[], json!([function, callers, callees]));
    }

    let roots = terminal_roots(file, out);
    if !roots.is_empty() {
        go(browser, "view=tree");
        // The heaviest way is open at first, and only what is in view is drawn.
        let closed = "
            const [all, row] = ['[data-testid=tree-collapse]', '.top-row[aria-level=\"2\"]'].map(it => document.querySelector(it));
            if (row) all.click();
            return Boolean(row);";
        let _closed = browser.wait_for("the tree", closed, &[]);
        let script = format!(
            "{CELLS} const rows = [...document.querySelectorAll('.top-row[aria-level=\"2\"]')].slice(0, arguments[0]);
             return rows.map(row => cells(row, ['cum-pct', 'name']).map(it => it.replaceAll(';', ':')));"
        );
        let first: Vec<&Vec<String>> = roots.iter().take(10).collect();
        check("tree", script, &[json!(first.len())], json!(first));
    }
    go(browser, "view=both");
    faults
}

#[test]
fn every_profile_shows_the_terminals_numbers() {
    let Some((browser, running)) = viewer() else { return };
    let profiles = profiles();
    assert!(profiles.len() >= 40, "{} profiles", profiles.len());
    let faults: Vec<String> = profiles.iter().flat_map(|file| differences(&browser, file, running.dir())).collect();
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

/// The first cells of `wprof diff`'s table; none where it refuses.
fn terminal_diff(base: &Path, file: &Path) -> Option<Vec<Vec<String>>> {
    let run = Wprof::new("diff").args([base, file]).finish();
    if run.code() != 0 {
        return None;
    }
    // A table is drawn as far as it is in view.
    let mut rows: Vec<Vec<String>> = page::table(&run.stdout(), 8).into_iter().take(10).collect();
    for name in rows.iter_mut().filter_map(|row| row.last_mut()) {
        // The page has these as a dash in a column of their own.
        *name = name.trim_end_matches(" (new)").trim_end_matches(" (gone)").to_owned();
    }
    Some(rows)
}

/// When a profile was recorded; `None` if it is none.
fn time_of(file: &Path) -> Option<i64> {
    let bytes = std::fs::read(file).ok()?;
    Some(proto::formats::read(&bytes, &Limits::default()).ok()?.time_nanos())
}

/// Two files dropped together are compared, the older one as the base.
#[test]
fn two_profiles_show_the_terminals_changes() {
    let Some((browser, _running)) = viewer() else { return };
    let script = "
        const rows = [...document.querySelectorAll('[data-view=diff] .top-row:not(.pending)')];
        return rows.slice(0, arguments[0]).map(row => {
            const [flat0, flat1, flat, flatPct, cum0, cum1, cum, cumPct] =
                [...row.querySelectorAll('.cell:not(.name)')].map(it => it.textContent.trim());
            const name = row.querySelector('.name').title.replaceAll(/\\s+/g, ' ').trim();
            return [flat, flatPct, flat0, flat1, cum, cumPct, cum0, cum1, name];
        });";
    let mut n_compared = 0;
    let mut faults = Vec::new();
    // Neighbours have names alike, and mostly the same sample types.
    for pair in profiles().windows(2) {
        let [first, second] = pair else { continue };
        let (Some(time), Some(next)) = (time_of(first), time_of(second)) else { continue };
        let (base, file) = if next < time { (second, first) } else { (first, second) };
        let Some(expected) = terminal_diff(base, file) else { continue };
        n_compared += 1;
        drop_files(&browser, &[first, second]);
        if let Err(found) = wait_until(&browser, script, &[json!(expected.len().max(1))], &json!(expected)) {
            faults.push(format!(
                "{} to {}\n  expected {expected:?}\n  found    {found}",
                base.display(),
                file.display()
            ));
        }
    }
    assert!(faults.is_empty(), "{} differences:\n{}\n{}", faults.len(), faults.join("\n"), browser.console());
    assert!(n_compared >= 20, "{n_compared} pairs");
}
