//! Questions in, answers out, on a small profile of a guest and its host.

mod flames;
mod views;

use proto::{FunctionSpec, LabelSpec, Line, LocationId, MappingSpec, ProfileBuilder, encode_gzip};

use super::*;
use crate::protocol::{
    Card, CardAsk, Column, Filter, FilterKind, Flame, FlameAsk, Granularity, Picked, Row, Rows, RowsAsk, Sort, Tree,
    Weights, Zoom,
};

/// What is on the desk.
const FILE: FileId = FileId(1);

/// The second sample type of all of it.
fn about() -> About {
    About { file: FILE, sample_index: 1, ..About::default() }
}

struct Builder(ProfileBuilder);

impl Builder {
    fn mapping(&mut self, filename: &str) -> proto::MappingId {
        self.0.mapping(MappingSpec { limit: 0x10000, filename, has_functions: true, ..MappingSpec::default() })
    }

    fn location(&mut self, mapping: proto::MappingId, address: u64, names: &[&str]) -> LocationId {
        let lines: Vec<Line> = names
            .iter()
            .map(|name| {
                let spec = FunctionSpec { name, filename: "/src/app.rs", start_line: 7, ..FunctionSpec::default() };
                Line { function: self.0.function(spec), line: 9, column: 0 }
            })
            .collect();
        self.0.location(Some(mapping), address, &lines)
    }
}

/// `main` calls `fib` (600 ms) and, through the inlined `log`, the host's `fd_write` (400 ms).
fn desk() -> Desk {
    let mut builder = Builder(ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]));
    let guest = builder.mapping("guest.wasm");
    let host = builder.mapping("[host]");
    let main = builder.location(guest, 1, &["main"]);
    let fib = builder.location(guest, 2, &["app::fib"]);
    let log = builder.location(guest, 3, &["app::log", "main"]);
    let write = builder.location(host, 4, &["wasi.fd_write"]);
    builder.0.sample(&[fib, main], &[60, 600_000_000], &[]);
    builder.0.sample(&[write, log], &[40, 400_000_000], &[]);
    builder.0.duration_nanos(2_000_000_000);
    builder.0.comment("sampler: epoch");
    on_desk(&builder.0.finish()).0
}

fn read(desk: &mut Desk, id: FileId, bytes: &[u8]) -> Result<Taken, Refusal> {
    let mut intake = Intake::new("cpu.prof", Some(bytes.len() as u64));
    intake.push(bytes);
    desk.take(id, "cpu.prof", intake)
}

/// A desk with a profile on it, and what it says of that.
pub(super) fn on_desk(profile: &Profile) -> (Desk, Summary) {
    let mut desk = Desk::default();
    let summary = add(&mut desk, FILE, profile);
    (desk, summary)
}

/// Puts another profile on a desk.
pub(super) fn add(desk: &mut Desk, id: FileId, profile: &Profile) -> Summary {
    match read(desk, id, &encode_gzip(profile)) {
        Ok(Taken::Profile(summary)) => *summary,
        other => panic!("{other:?}"),
    }
}

/// The answer to one question.
pub(super) fn ask(desk: &mut Desk, about: About, ask: Ask) -> Reply {
    let question = Question { about, ask };
    let mut n_parts = 0;
    loop {
        let (reply, is_whole) = desk.answer(&question, n_parts);
        if is_whole {
            return reply;
        }
        n_parts += 1;
    }
}

fn rows_of(desk: &mut Desk, about: About, rows: RowsAsk) -> Rows {
    match ask(desk, about, Ask::Rows(RowsAsk { len: 10, ..rows })) {
        Reply::Rows(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn rows(desk: &mut Desk, query: &str, sort: Sort) -> Rows {
    rows_of(desk, about(), RowsAsk { query: query.to_owned(), sort, ..RowsAsk::default() })
}

fn flame_of(desk: &mut Desk, about: About, query: &str, zoom: Zoom) -> Flame {
    let query = query.to_owned();
    let tree = Tree::Callees;
    let flame = FlameAsk { tree, query, function: None, zoom, by_name: false, width: 1000, first_row: 0, n_rows: 10 };
    match ask(desk, about, Ask::Flame(flame)) {
        Reply::Flame(flame) => flame,
        other => panic!("{other:?}"),
    }
}

fn flame(desk: &mut Desk, query: &str, zoom: u32) -> Flame {
    flame_of(desk, about(), query, Zoom::Node(zoom))
}

fn card(desk: &mut Desk, about: About, node: u32) -> Card {
    match ask(desk, about, Ask::Card(CardAsk { tree: Tree::Callees, node, in_full: false })) {
        Reply::Card(card) => card,
        other => panic!("{other:?}"),
    }
}

fn as_text(rows: &Rows) -> Vec<String> {
    let text = |row: &Row| {
        let cells = [&row.flat, &row.flat_pct, &row.sum_pct, &row.cum, &row.cum_pct, &row.name, &row.marker];
        cells.map(String::as_str).join(" ").trim_end().to_owned()
    };
    rows.rows.iter().map(text).collect()
}

#[test]
fn the_table_is_pprofs() {
    let rows = rows(&mut desk(), "", Sort::default());
    let expected = [
        "600ms 60.00% 60.00% 600ms 60.00% app::fib",
        "400ms 40.00% 100% 400ms 40.00% wasi.fd_write",
        "0 0% 100% 400ms 40.00% app::log (inline)",
        "0 0% 100% 1000ms 100% main",
    ];
    assert_eq!(as_text(&rows), expected);
    assert_eq!(rows.accounting, "Showing nodes accounting for 1000ms, 100% of 1000ms total");
}

#[test]
fn rows_are_searched_and_ordered() {
    let mut desk = desk();
    let by_name = Sort { column: Column::Name, descending: false };
    assert_eq!(
        rows(&mut desk, "APP", by_name).rows.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        ["app::fib", "app::log"]
    );
    let by_cum = Sort { column: Column::Cum, descending: true };
    assert_eq!(rows(&mut desk, "", by_cum).rows[0].name, "main");
    assert_eq!(rows(&mut desk, "nothing", by_cum).n_rows, 0);
}

#[test]
fn boxes_tell_host_from_guest() {
    let flame = flame(&mut desk(), "", 0);
    let tell = |b: &crate::protocol::FlameBox| {
        let name = b.name.map(|name| flame.names[name as usize].as_str()).unwrap_or_default();
        format!("{} {:.1}+{:.1} {name}{}", b.row, b.x, b.width, if b.look.is_host() { " host" } else { "" })
    };
    let expected = [
        "0 0.0+1.0 root",
        "1 0.0+1.0 main",
        "2 0.0+0.6 app::fib",
        "2 0.6+0.4 app::log",
        "3 0.6+0.4 wasi.fd_write host",
    ];
    assert_eq!(flame.boxes.iter().map(tell).collect::<Vec<_>>(), expected);
}

#[test]
fn a_zoom_keeps_the_way_to_it() {
    let mut desk = desk();
    let whole = flame(&mut desk, "", 0);
    let fib = flame(&mut desk, "", whole.boxes[2].node);
    assert_eq!(fib.trail.iter().map(|crumb| crumb.name.as_str()).collect::<Vec<_>>(), ["root", "main", "app::fib"]);
    assert_eq!(fib.boxes.iter().filter(|b| b.look.is_ancestor()).count(), 2);
    assert!(fib.boxes.iter().all(|b| (b.x, b.width) == (0.0, 1.0)));
    assert_eq!(flame(&mut desk, "", 999).zoom_row, 0, "a number that is no node is the root");
}

#[test]
fn nested_matches_count_once() {
    let flame = flame(&mut desk(), "app::log|fd_write", 0);
    assert_eq!(flame.matched.as_deref(), Some("40.00%"));
    assert_eq!(flame.boxes.iter().filter(|b| b.look.is_matched()).count(), 2);
}

#[test]
fn a_card_tells_place_and_shares() {
    let mut desk = desk();
    let node = flame(&mut desk, "", 0).boxes[3].node;
    let card = card(&mut desk, about(), node);
    assert_eq!((card.name.as_str(), card.place.as_str()), ("app::log", "/src/app.rs:7"));
    assert_eq!((card.cum.as_str(), card.of_parent.as_str(), card.inlined), ("400ms", "40.00%", true));
}

#[test]
fn filters_leave_a_part_of_the_whole() {
    let mut desk = desk();
    let focus = |relative| About { filters: vec![Filter::exactly(FilterKind::Focus, "app::fib")], relative, ..about() };
    let of_all = rows_of(&mut desk, focus(false), RowsAsk::default());
    assert_eq!(as_text(&of_all)[0], "600ms 60.00% 60.00% 600ms 60.00% app::fib");
    assert_eq!((of_all.total.as_str(), of_all.part.as_deref()), ("1000ms", Some("600ms")));
    let of_part = rows_of(&mut desk, focus(true), RowsAsk::default());
    assert_eq!(as_text(&of_part)[0], "600ms 100% 100% 600ms 100% app::fib");
    let hide = About { filters: vec![Filter::exactly(FilterKind::Hide, "wasi.fd_write")], ..about() };
    let hidden = rows_of(&mut desk, hide, RowsAsk::default());
    assert_eq!(as_text(&hidden)[1], "400ms 40.00% 100% 400ms 40.00% app::log (inline)");
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let bad = About { filters: vec![Filter { kind: FilterKind::Focus, pattern: "(".to_owned() }], ..about() };
    let reply = ask(&mut desk(), bad, Ask::Weights);
    assert!(matches!(&reply, Reply::Refused(why) if why.contains('(')), "{reply:?}");
}

#[test]
fn places_are_as_fine_as_is_wanted() {
    let of = |granularity, noinlines| About { granularity, noinlines, ..about() };
    let check = |about: About, expected: &[&str]| {
        let rows = rows_of(&mut desk(), about, RowsAsk::default());
        assert_eq!(rows.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), expected);
    };
    // One in the guest and one in the host.
    check(of(Granularity::Files, false), &["/src/app.rs", "/src/app.rs"]);
    check(of(Granularity::Modules, false), &["guest.wasm", "[host]"]);
    check(of(Granularity::Functions, true), &["app::fib", "wasi.fd_write", "main"]);
}

#[test]
fn values_are_in_the_unit_that_is_chosen() {
    let mut desk = desk();
    let of = |unit: &str| About { unit: unit.to_owned(), ..about() };
    let values = |desk: &mut Desk, about: About| -> Vec<String> {
        let rows = rows_of(desk, about.clone(), RowsAsk { every_type: true, ..RowsAsk::default() });
        let row = rows.rows.into_iter().find(|it| it.name == "app::fib").expect("it is in the table");
        let every = row.every.into_iter().map(|it| it.0);
        let node = flame_of(desk, about.clone(), "", Zoom::Root).boxes.iter().map(|it| it.node).max().unwrap_or(0);
        [row.flat, rows.total, card(desk, about, node).cum].into_iter().chain(every).collect()
    };
    assert_eq!(values(&mut desk, of("")), ["600ms", "1000ms", "400ms", "60", "600ms"]);
    assert_eq!(values(&mut desk, of("s")), ["0.60s", "1s", "0.40s", "60", "0.60s"]);
    assert_eq!(values(&mut desk, of("us")), ["600000us", "1000000us", "400000us", "60", "600000us"]);
    // No unit of times.
    assert_eq!(values(&mut desk, of("kB")), values(&mut desk, of("")));
}

#[test]
fn a_unit_changes_no_node_numbers() {
    let mut desk = desk();
    let zoom = flame(&mut desk, "", 0).boxes.iter().map(|it| it.node).max().unwrap_or(0);
    let before = flame(&mut desk, "", zoom);
    let in_seconds = About { unit: "s".to_owned(), ..about() };
    assert_eq!(flame_of(&mut desk, in_seconds, "", Zoom::Node(zoom)), before);
}

#[test]
fn a_closed_file_answers_nothing() {
    let mut desk = desk();
    desk.close(FILE);
    assert!(matches!(ask(&mut desk, about(), Ask::Weights), Reply::Refused(_)));
}

#[test]
fn bytes_that_are_no_profile_are_refused() {
    let refusal = read(&mut Desk::default(), FILE, b"\x0a\xff not a profile").expect_err("that is none");
    assert!(matches!(refusal, Refusal::Undecodable { n_bytes: 16, .. }), "{refusal:?}");
}

/// `main` calls `small` (three sizes) and `big` (one), which keeps nothing.
fn heap(sizes: &[i64]) -> (Desk, Summary) {
    let mut builder = Builder(ProfileBuilder::new(&[("alloc_space", "bytes"), ("inuse_space", "bytes")]));
    let guest = builder.mapping("guest.wasm");
    let main = builder.location(guest, 1, &["main"]);
    let small = builder.location(guest, 2, &["small"]);
    let big = builder.location(guest, 3, &["big"]);
    let bytes = |num| [LabelSpec::Num { key: "bytes", num, unit: "" }];
    for &size in sizes {
        builder.0.sample(&[small, main], &[4 * size, size], &bytes(size));
    }
    builder.0.sample(&[big, main], &[1 << 20, 0], &bytes(1 << 20));
    on_desk(&builder.0.finish())
}

fn picked_rows(desk: &mut Desk, picked: Option<Picked>) -> Rows {
    rows_of(desk, About { picked, ..about() }, RowsAsk::default())
}

fn weights(desk: &mut Desk, sample_index: usize) -> Weights {
    match ask(desk, About { sample_index, ..about() }, Ask::Weights) {
        Reply::Weights(weights) => weights,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_size_is_offered_with_its_weight() {
    let (mut desk, summary) = heap(&[64, 1500, 1536]);
    let [measure] = &summary.measures[..] else { panic!("one label was given") };
    let names: Vec<_> = (0..4).filter_map(|at| measure.name(at, at)).collect();
    assert_eq!(names, ["64B", "1500B", "1.50kB", "1MB"]);
    let told: Vec<_> = weights(&mut desk, 0)[0].iter().map(|it| format!("{} {}", it.value, it.percent)).collect();
    assert_eq!(told, ["256B 0.024%", "5.86kB 0.57%", "6kB 0.58%", "1MB 98.83%"]);
    let bars: Vec<_> = weights(&mut desk, 1)[0].iter().map(|it| it.bar.clone()).collect();
    assert_eq!(bars, ["4.17%", "97.66%", "100%", "0%"]);
    assert_eq!(weights(&mut desk, 9), weights(&mut desk, 1), "a number that is no sample type is the usual one");
}

#[test]
fn many_sizes_are_offered_in_ranges() {
    let measure = &heap(&(1..40).collect::<Vec<_>>()).1.measures[0];
    let names: Vec<_> = (0..measure.ranges.len()).filter_map(|at| measure.name(at, at)).collect();
    assert_eq!(names, ["1B", "2B – 4B", "4B – 8B", "8B – 16B", "16B – 32B", "32B – 64B", "1MB – 2MB"]);
}

#[test]
fn what_is_picked_is_a_part_of_the_whole() {
    let (mut desk, _) = heap(&[64, 128, 1024]);
    assert_eq!(picked_rows(&mut desk, None).part, None);
    let first_two = Some(Picked { measure: 0, first: 0, last: 1 });
    let rows = picked_rows(&mut desk, first_two);
    assert_eq!(as_text(&rows), ["192B 15.79% 15.79% 192B 15.79% small", "0 0% 15.79% 192B 15.79% main"]);
    assert_eq!((rows.total.as_str(), rows.part.as_deref()), ("1216B", Some("192B")));
    let part = || About { picked: first_two, ..about() };
    let flame = flame_of(&mut desk, part(), "", Zoom::Root);
    assert_eq!((flame.boxes.len(), flame.boxes[0].width), (3, 1.0));
    let card = card(&mut desk, part(), 0);
    assert_eq!((card.cum.as_str(), card.cum_pct.as_str()), ("192B", "15.79%"));
    assert_eq!(as_text(&picked_rows(&mut desk, None))[0], "1.19kB 100% 100% 1.19kB 100% small");
}

#[test]
fn ranges_that_there_are_not_are_all() {
    let (mut desk, _) = heap(&[64]);
    let all = as_text(&picked_rows(&mut desk, None));
    for picked in [Picked::one(0, 2), Picked::one(1, 0), Picked { measure: 0, first: 1, last: 9 }] {
        assert_eq!(as_text(&picked_rows(&mut desk, Some(picked))), all, "{picked:?}");
    }
}
