//! The parts of the guest `truth`: what its own clock says of each, beside what others saw.
//!
//! A part has what it calls, as it has by the clock, so in profiles it is found by the stack. perf has flat shares only, in
//! which the time of its two host calls is one.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use proto::{LocationId, Profile};

use super::flat::{Place, Shares, cpu_column};
use crate::project::say;

/// Functions of the guest, as it prints them.
const PARTS: [&str; 8] =
    ["straight_line", "after_call", "divide", "tight_loop", "copy_block", "fill_block", DRAW_RANDOM, WRITE_BYTES];
const DRAW_RANDOM: &str = "draw_random";
const WRITE_BYTES: &str = "write_bytes";
/// Those two together.
const HOST_CALLS: &str = "host calls";
/// All else, as the loops in `main` that call the parts.
const OTHER: &str = "other";

/// Percents by part.
type ByPart = BTreeMap<&'static str, f64>;

/// What the guest printed at its end.
#[derive(Debug)]
pub(super) struct Clocks(ByPart);

impl Clocks {
    pub(super) fn read(stderr: &str) -> Result<Self> {
        let nanos_of = |part: &'static str| {
            let nanos = stderr.lines().find_map(|line| line.strip_prefix(part)?.strip_prefix(' ')?.parse::<f64>().ok());
            nanos.map(|nanos| (part, nanos)).with_context(|| format!("the guest said no time of {part}: {stderr}"))
        };
        Ok(Self(percents(PARTS.map(nanos_of).into_iter().collect::<Result<Vec<_>>>()?)))
    }
}

/// A column for each who has a say.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Column>);

#[derive(Debug)]
struct Column {
    name: &'static str,
    shares: ByPart,
    /// From the clocks of the same run.
    distance: Option<f64>,
}

impl Table {
    pub(super) fn add_perf(&mut self, shares: &Shares, names: &BTreeMap<Place, String>) {
        let part = |place| match place {
            Place::MemoryCopy => "copy_block",
            Place::MemoryFill => "fill_block",
            Place::Host => HOST_CALLS,
            Place::Lost => OTHER,
            Place::Function(_) => match names.get(&place).map_or("", |name| last_segment(name)) {
                "touch" => "after_call",
                DRAW_RANDOM | WRITE_BYTES => HOST_CALLS,
                name => part_named(name),
            },
        };
        let shares = percents(shares.iter().map(|(place, share)| (part(place), share)));
        self.0.push(Column { name: "perf", shares, distance: None });
    }

    pub(super) fn add_sampler(&mut self, name: &'static str, profile: &Profile, clocks: Clocks) -> Result<()> {
        let cpu = cpu_column(profile)?;
        let shares =
            percents(profile.samples().map(|sample| (part_of(profile, sample.locations), sample.values[cpu] as f64)));
        let distance = Some(distance(&clocks.0, &shares));
        self.0.push(Column { name: "clocks", shares: clocks.0, distance: None });
        self.0.push(Column { name, shares, distance });
        Ok(())
    }

    pub(super) fn print(&self) {
        println!();
        say("parts of `truth`, % of CPU time; by its clocks, % of wall time; distance: to the clocks of the same run");
        let print_row = |name: &str, cell: &dyn Fn(&Column) -> Option<f64>| {
            let cells =
                self.0.iter().map(|column| cell(column).map_or("–".to_owned(), |value| format!("{value:.2}")));
            println!("{name:<16}{}", cells.map(|cell| format!("{cell:>10}")).collect::<String>());
        };
        println!("{:<16}{}", "", self.0.iter().map(|column| format!("{:>10}", column.name)).collect::<String>());
        for part in PARTS.into_iter().chain([HOST_CALLS, OTHER]) {
            print_row(part, &|column| column.share(part));
        }
        print_row("distance", &|column| column.distance);
    }
}

impl Column {
    fn share(&self, part: &str) -> Option<f64> {
        let of = |part: &str| self.shares.get(part).copied();
        match part {
            DRAW_RANDOM | WRITE_BYTES => of(part),
            HOST_CALLS => of(part).or_else(|| Some(of(DRAW_RANDOM).unwrap_or(0.0) + of(WRITE_BYTES).unwrap_or(0.0))),
            _ => Some(of(part).unwrap_or(0.0)),
        }
    }
}

/// The part that a stack is in.
fn part_of(profile: &Profile, stack: &[LocationId]) -> &'static str {
    let functions = stack.iter().flat_map(|&id| profile.lines(id)).map(|line| profile.function(line.function));
    let parts = functions.map(|function| part_named(last_segment(profile.string(function.name))));
    parts.into_iter().find(|part| *part != OTHER).unwrap_or(OTHER)
}

fn part_named(name: &str) -> &'static str {
    PARTS.into_iter().find(|part| *part == name).unwrap_or(OTHER)
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn percents(weights: impl IntoIterator<Item = (&'static str, f64)>) -> ByPart {
    let mut shares = ByPart::new();
    for (part, weight) in weights {
        *shares.entry(part).or_default() += weight;
    }
    let total: f64 = shares.values().sum();
    shares.values_mut().for_each(|share| *share *= 100.0 / total);
    shares
}

fn distance(one: &ByPart, other: &ByPart) -> f64 {
    let share = |shares: &ByPart, part: &str| shares.get(part).copied().unwrap_or(0.0);
    let parts = PARTS.into_iter().chain([OTHER]);
    parts.map(|part| (share(one, part) - share(other, part)).abs()).sum::<f64>() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{FunctionSpec, Line, ProfileBuilder};

    #[test]
    fn a_part_has_what_it_calls() {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        let mut frame = |name| {
            let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
            builder.location(None, 0, &[Line { function, line: 0, column: 0 }])
        };
        let main = frame("truth::main");
        let [touch, after_call] = [frame("truth::touch"), frame("truth::after_call")];
        let [call, draw_random] = [frame("wasi_snapshot_preview1.random_get"), frame("truth::draw_random")];
        builder.sample(&[touch, after_call, main], &[1, 10], &[]);
        builder.sample(&[call, draw_random, main], &[2, 20], &[]);
        builder.sample(&[main], &[3, 70], &[]);

        let said = "straight_line 6\nafter_call 2\ndivide 0\ntight_loop 0\ncopy_block 0\nfill_block 0\n\
                    draw_random 1\nwrite_bytes 1\n";
        let mut table = Table::default();
        table.add_sampler("epoch", &builder.finish(), Clocks::read(said).unwrap()).unwrap();
        let [clocks, epoch] = &table.0[..] else { panic!("{table:?}") };
        let row = |column: &Column| ["straight_line", "after_call", HOST_CALLS, OTHER].map(|part| column.share(part));
        assert_eq!(row(clocks), [Some(60.0), Some(20.0), Some(20.0), Some(0.0)]);
        assert_eq!(row(epoch), [Some(0.0), Some(10.0), Some(20.0), Some(70.0)]);
        // 60 to straight_line, 10 each to after_call and write_bytes, from 70 of other and 10 of draw_random.
        assert!((epoch.distance.unwrap() - 80.0).abs() < 1e-9, "{epoch:?}");
        assert!(Clocks::read("straight_line 6").is_err());
    }
}
