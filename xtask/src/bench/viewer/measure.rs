//! One turn: a fresh browser, one file dropped on a page, and what `page.js` saw of that.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use support::webdriver::Browser;

use crate::setup;

const PAGE: &str = include_str!("page.js");

/// Acts of each kind on a page.
const N_ACTS: usize = 15;

/// Whose page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Speedscope,
}

/// What a page showed, in milliseconds since the drop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) first_paint: f64,
    pub(super) painted: f64,
    pub(super) complete: f64,
    /// Of the main thread, over 50 ms, until all was there.
    pub(super) n_long_tasks: usize,
    pub(super) longest_task: f64,
    /// The most memory that the page's process had, worker and all; 0 where the system does not tell.
    pub(super) peak_mb: f64,
    /// Whether the page says itself when it has drawn; without its marks frames are looked at.
    pub(super) is_marked: bool,
}

/// What acts on a page cost, in milliseconds each: until the second frame, or until the share of a search changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interactions {
    /// Of an act that changes nothing.
    pub(super) floor: Vec<f64>,
    pub(super) hover: Vec<f64>,
    pub(super) zoom: Vec<f64>,
    pub(super) search: Vec<f64>,
    /// Hovers that changed the card.
    pub(super) n_cards: usize,
    /// Clicks that zoomed.
    pub(super) n_zooms: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    is_marked: bool,
    failure: Option<String>,
    first_paint: Option<f64>,
    painted: Option<f64>,
    complete: Option<f64>,
    n_long_tasks: usize,
    longest_task: f64,
}

/// A page with a profile on it.
#[derive(Debug)]
pub(super) struct Loaded {
    browser: Browser,
    pub(super) turn: Turn,
}

/// Drops the file on the page at `url` and waits until all is there.
pub(super) fn load(browser: &setup::Browser, side: Side, url: &str, file: &Path, patience: Duration) -> Result<Loaded> {
    let browser = Browser::launch(&browser.chromium, &browser.driver);
    browser.open(url);
    let ready = match side {
        Side::Ours => "return document.querySelector('[data-phase=landing]') !== null",
        Side::Speedscope => "return document.querySelector('canvas') !== null",
    };
    let _ready = browser.wait_for("its landing page", ready, &[]);
    // Whatever it does when it has started is not to be in what is measured.
    sleep(Duration::from_millis(500));
    run(&browser, PAGE)?;
    let path = file.to_string_lossy();
    match side {
        Side::Ours => {
            browser.type_into("#bench-input", &path);
            run(&browser, "bench.watch(); bench.drop()")?;
        }
        Side::Speedscope => {
            run(&browser, "bench.watchSpeedscope()")?;
            browser.type_into("#file", &path);
        }
    }
    let seen = wait_until_complete(&browser, patience)?;
    let peak_mb = peak_of_renderer(browser.process_id());
    let time = |time: Option<f64>| time.context("a page that is complete has painted");
    let turn = Turn {
        first_paint: time(seen.first_paint)?,
        painted: time(seen.painted)?,
        complete: time(seen.complete)?,
        n_long_tasks: seen.n_long_tasks,
        longest_task: seen.longest_task,
        peak_mb,
        is_marked: seen.is_marked,
    };
    Ok(Loaded { browser, turn })
}

fn wait_until_complete(browser: &Browser, patience: Duration) -> Result<Seen> {
    let deadline = Instant::now() + patience;
    loop {
        // Rarely, as each look takes the page's time.
        sleep(Duration::from_millis(100));
        let seen: Seen =
            serde_json::from_value(run(browser, "return bench.seen()")?).context("read what the page saw")?;
        if let Some(failure) = seen.failure {
            bail!("the page failed: {failure}");
        }
        if seen.complete.is_some() {
            return Ok(seen);
        }
        if deadline < Instant::now() {
            bail!("nothing complete after {} s", patience.as_secs());
        }
    }
}

impl Loaded {
    /// Hovers, zooms and searches.
    pub(super) fn interact(&self) -> Result<Interactions> {
        run(&self.browser, &format!("bench.interact({N_ACTS}).catch((error) => (bench.interactions = `${{error}}`))"))?;
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            sleep(Duration::from_millis(200));
            let interactions = run(&self.browser, "return bench.interactions ?? null")?;
            if !interactions.is_null() {
                return serde_json::from_value(interactions.clone()).with_context(|| interactions.to_string());
            }
            if deadline < Instant::now() {
                bail!("the page did not get through hovers, zooms and searches");
            }
        }
    }
}

fn run(browser: &Browser, script: &str) -> Result<Value> {
    browser.try_run(script, &[]).map_err(anyhow::Error::msg)
}

/// The greatest peak of all renderers among the descendants of a process: Chromium keeps an idle one in reserve.
fn peak_of_renderer(root: u32) -> f64 {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut family = vec![root];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(parents.iter().filter(|it| it.1 == parent).map(|it| it.0));
        at += 1;
    }
    family.into_iter().filter_map(peak_if_renderer).fold(0.0, f64::max)
}

/// The fourth field; the second is a name in parentheses, which may hold anything.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn peak_if_renderer(pid: u32) -> Option<f64> {
    let command_line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    command_line.contains("--type=renderer").then_some(())?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_of_processes_with_any_name() {
        assert_eq!(parent_of("17 (chrome) S 4 17 17 0"), Some(4));
        assert_eq!(parent_of("17 (a) R 9 (b) S 4 17 17 0"), Some(4));
        assert_eq!(parent_of(""), None);
    }
}
