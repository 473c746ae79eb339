//! `cargo xtask bench http`: what it costs a guest that its profiles are asked for, by the time that the system lets it have a
//! core and by its own count of its work; and how fast they are answered.
//!
//! A guest's pace may halve by itself from one second to the next where machines are shared, and it falls when the other core
//! is busy, with whatever it be. So it is held against that of moments in which another wprof, whose guest has ended, is asked
//! the same: the clients are at work then too, and whoever answers them, but nobody looks at the guest.

mod clients;
mod guest;

use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;

use super::spread::Spread;
use crate::project::{Project, say};
use guest::Guest;

const GUEST: &str = include_str!("paced.wat");
/// Others than that of the profiler's tests may be in use.
const ADDRESS: &str = "127.0.0.1:6068";
const ELSEWHERE: &str = "127.0.0.1:6067";
const TURNS: usize = 30;
const REQUESTS: usize = 1000;
const CONNECTIONS: usize = 16;
/// How long the guest is left alone in each turn.
const PAUSE: Duration = Duration::from_millis(400);

/// Of every turn.
#[derive(Default)]
struct Ratios {
    core: Vec<f64>,
    core_elsewhere: Vec<f64>,
    pace: Vec<f64>,
    seconds: Vec<f64>,
}

pub(super) fn run(project: &Project, flags: &[String]) -> Result<()> {
    let folder = project.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("paced.wat"), GUEST)?;
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let elsewhere = [&flags[..], &["--http-wait", "--invoke=some", "paced.wat"]].concat();
    let _elsewhere = Guest::start(&project.wprof(), &folder, ELSEWHERE, &elsewhere)?;
    let guest = Guest::start(&project.wprof(), &folder, ADDRESS, &[&flags[..], &["paced.wat"]].concat())?;
    guest.wait_until_it_works()?;
    guest::wait_until("the other wprof listens", || TcpStream::connect(ELSEWHERE).is_ok())?;
    let ask = |address: &str| -> Result<_> {
        let (measured, answers) = guest.during(|| clients::ask(address, REQUESTS, CONNECTIONS))?;
        answers.check()?;
        Ok((measured, answers.took))
    };
    let mut ratios = Ratios::default();
    for turn in 0..TURNS {
        let (alone, ()) = guest.during(|| {
            std::thread::sleep(PAUSE);
            Ok(())
        })?;
        // Neither is always the first.
        let early = if turn % 2 == 0 { None } else { Some(ask(ELSEWHERE)?) };
        let (asked, took) = ask(ADDRESS)?;
        let (elsewhere, _) = early.map_or_else(|| ask(ELSEWHERE), Ok)?;
        ratios.core.push(asked.core / alone.core);
        ratios.core_elsewhere.push(elsewhere.core / alone.core);
        ratios.pace.push(asked.pace / elsewhere.pace);
        ratios.seconds.push(took.as_secs_f64());
    }
    say(&format!(
        "{TURNS} turns of {REQUESTS} requests over {CONNECTIONS} connections, all answered, each body a profile"
    ));
    let show = |what: &str, values: Vec<f64>, unit: &str| println!("{what:34}{}", Spread::of(values).with_unit(unit));
    show("core, asked / alone", ratios.core, "");
    show("core, another asked / alone", ratios.core_elsewhere, "");
    show("pace, asked / another asked", ratios.pace, "");
    show("all requests", ratios.seconds, " s");
    Ok(())
}
