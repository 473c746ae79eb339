//! What was measured of a case, beside what is asked of it.

use super::measure::{Interactions, Turn};
use crate::bench::spread::Spread;

/// The most that a figure may be: milliseconds, or megabytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Targets {
    pub(super) first_paint: Option<f64>,
    pub(super) painted: Option<f64>,
    pub(super) complete: Option<f64>,
    pub(super) peak_mb: Option<f64>,
    pub(super) search: Option<f64>,
}

impl Targets {
    pub(super) const NONE: Self =
        Targets { first_paint: None, painted: None, complete: None, peak_mb: None, search: None };
}

/// Of hover and zoom, over an act that changes nothing.
const OVER_FLOOR: f64 = 5.0;

pub(super) fn lines(
    targets: &Targets,
    turns: &[Turn],
    theirs: &[Turn],
    interactions: Option<&Interactions>,
) -> Vec<String> {
    let of = |value: fn(&Turn) -> f64| Spread::of(turns.iter().map(value));
    let painted = of(|it| it.painted);
    let mut lines = vec![
        line("first paint", of(|it| it.first_paint), "ms", targets.first_paint),
        line("painted", painted, "ms", targets.painted),
        line("complete", of(|it| it.complete), "ms", targets.complete),
        line("peak memory", of(|it| it.peak_mb), "MB", targets.peak_mb),
        line("longest task", of(|it| it.longest_task), "ms", Some(50.0)),
    ];
    let n_long: usize = turns.iter().map(|it| it.n_long_tasks).sum();
    lines.push(format!("{n_long} tasks over 50 ms in {} turns", turns.len()));
    if !turns.iter().all(|it| it.is_marked) {
        lines
            .push("the page sets no marks: frames were looked at, so these times are late by up to a frame".to_owned());
    }
    if !theirs.is_empty() {
        let their_painted = Spread::of(theirs.iter().map(|it| it.painted));
        lines.push(line("speedscope painted", their_painted, "ms", None));
        lines.push(line("speedscope memory", Spread::of(theirs.iter().map(|it| it.peak_mb)), "MB", None));
        let ratios = Spread::of(turns.iter().zip(theirs).map(|(ours, theirs)| theirs.painted / ours.painted));
        lines.push(line("speedscope ÷ ours", ratios, "", None));
    }
    lines.extend(interactions.into_iter().flat_map(|it| interaction_lines(targets, it)));
    lines
}

fn interaction_lines(targets: &Targets, interactions: &Interactions) -> Vec<String> {
    let of = |values: &[f64]| Spread::of(values.iter().copied());
    let floor = of(&interactions.floor);
    let over = |name: &str, values: &[f64], n_seen: usize| {
        let spread = of(values);
        let beyond = spread.median - floor.median;
        let verdict = verdict(beyond, Some(OVER_FLOOR));
        let unseen = values.len() - n_seen.min(values.len());
        let unseen =
            if unseen == 0 { String::new() } else { format!("; {unseen} of {} changed nothing", values.len()) };
        format!("{name:<20}{}, {beyond:+.1} ms{verdict}{unseen}", spread.with_unit(" ms"))
    };
    vec![
        line("floor, two frames", floor, "ms", None),
        over("hover", &interactions.hover, interactions.n_cards),
        over("zoom", &interactions.zoom, interactions.n_zooms),
        line("search", of(&interactions.search), "ms", targets.search),
    ]
}

fn line(name: &str, spread: Spread, unit: &str, most: Option<f64>) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    format!("{name:<20}{}{}", spread.with_unit(&unit), verdict(spread.median, most))
}

/// Whether a figure is below what it may be.
fn verdict(value: f64, most: Option<f64>) -> String {
    match most {
        None => String::new(),
        Some(most) if value < most => format!("  < {most:.0}: PASS"),
        Some(most) => format!("  < {most:.0}: over"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Turn = Turn {
        first_paint: 80.0,
        painted: 90.0,
        complete: 200.0,
        n_long_tasks: 0,
        longest_task: 0.0,
        peak_mb: 120.0,
        is_marked: true,
    };

    #[test]
    fn figures_beside_targets() {
        let targets = Targets { painted: Some(100.0), complete: Some(150.0), ..Targets::NONE };
        let slow = Turn { painted: 110.0, n_long_tasks: 2, longest_task: 60.0, ..TURN };
        let theirs = [Turn { painted: 900.0, ..TURN }];
        let lines = lines(&targets, &[TURN, slow, TURN], &theirs, None);
        let check = |expected: &str| assert!(lines.iter().any(|it| it == expected), "{expected}: {lines:#?}");
        check("first paint         80.00 ms (80.00–80.00)");
        check("painted             90.00 ms (90.00–110.00)  < 100: PASS");
        check("complete            200 ms (200–200)  < 150: over");
        check("2 tasks over 50 ms in 3 turns");
        check("speedscope ÷ ours   10.00 (10.00–10.00)");
    }

    #[test]
    fn acts_are_held_against_the_floor() {
        let interactions = Interactions {
            floor: vec![30.0, 32.0, 31.0],
            hover: vec![33.0, 34.0, 35.0],
            zoom: vec![40.0, 41.0, 42.0],
            search: vec![20.0],
            n_cards: 2,
            n_zooms: 3,
        };
        let lines = interaction_lines(&Targets { search: Some(50.0), ..Targets::NONE }, &interactions);
        assert_eq!(
            lines[1..],
            [
                "hover               34.00 ms (33.00–35.00), +3.0 ms  < 5: PASS; 1 of 3 changed nothing",
                "zoom                41.00 ms (40.00–42.00), +10.0 ms  < 5: over",
                "search              20.00 ms (20.00–20.00)  < 50: PASS",
            ]
        );
    }
}
