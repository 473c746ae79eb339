//! Sandwich, tree, tags, diff and all sample types at once, on small profiles. What `wprof peek`, `tags` and `diff`
//! print of the same profiles is the same.

use super::*;
use crate::protocol::{
    DiffAsk, DiffCells, DiffRows, Reveal, Sandwich, SandwichAsk, TagValue, Tags, TagsAsk, TreeAsk, TreeRows,
};

fn sandwich(desk: &mut Desk, function: &str) -> Sandwich {
    match ask(desk, about(), Ask::Sandwich(SandwichAsk { function: function.to_owned() })) {
        Reply::Sandwich(sandwich) => sandwich,
        other => panic!("{other:?}"),
    }
}

fn tree(desk: &mut Desk, tree: TreeAsk) -> TreeRows {
    match ask(desk, about(), Ask::Tree(TreeAsk { len: 10, ..tree })) {
        Reply::Tree(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn tags(desk: &mut Desk, about: About) -> Tags {
    match ask(desk, about, Ask::Tags(TagsAsk {})) {
        Reply::Tags(tags) => tags,
        other => panic!("{other:?}"),
    }
}

fn diff(desk: &mut Desk, about: About, diff: DiffAsk) -> DiffRows {
    match ask(desk, about, Ask::Diff(DiffAsk { base: BASE, len: 10, ..diff })) {
        Reply::Diff(rows) => rows,
        other => panic!("{other:?}"),
    }
}

const BASE: FileId = FileId(2);

#[test]
fn a_sandwich_is_what_peek_prints() {
    let mut desk = desk();
    let log = sandwich(&mut desk, "app::log");
    assert_eq!((log.flat.as_str(), log.cum.as_str(), log.cum_pct.as_str()), ("0", "400ms", "40.00%"));
    assert_eq!(log.place, "/src/app.rs:7");
    let tell = |it: &crate::protocol::Neighbour| format!("{} {} {}{}", it.weight, it.share, it.name, it.marker);
    assert_eq!(log.callers.iter().map(tell).collect::<Vec<_>>(), ["400ms 100% main(inline)"]);
    assert_eq!(log.callees.iter().map(tell).collect::<Vec<_>>(), ["400ms 100% wasi.fd_write"]);
    let main = sandwich(&mut desk, "main");
    let callees: Vec<_> = main.callees.iter().map(tell).collect();
    assert_eq!(callees, ["600ms 60.00% app::fib", "400ms 40.00% app::log(inline)"]);
    assert!(main.callers.is_empty() && main.is_found);
    assert!(!sandwich(&mut desk, "nobody").is_found);
}

fn tree_text(rows: &TreeRows) -> Vec<String> {
    let row = |row: &crate::protocol::TreeRow| {
        let sign = match (row.has_children, row.is_open) {
            (false, _) => "·",
            (true, true) => "−",
            (true, false) => "+",
        };
        let indent = "  ".repeat(row.depth as usize);
        format!("{indent}{sign}{} {} {} {}", row.name, row.cum, row.flat, row.of_parent).trim_end().to_owned()
    };
    rows.rows.iter().map(row).collect()
}

#[test]
fn a_tree_opens_where_one_wants() {
    let mut desk = desk();
    let closed = tree(&mut desk, TreeAsk::default());
    assert_eq!(tree_text(&closed), ["−root 1000ms 0", "  +main 1000ms 0 100%"]);
    let main = closed.rows[1].node;
    let open = tree(&mut desk, TreeAsk { open: vec![main], chosen: Some(main), ..TreeAsk::default() });
    let expected =
        ["−root 1000ms 0", "  −main 1000ms 0 100%", "    ·app::fib 600ms 600ms 60.00%", "    +app::log 400ms 0 40.00%"];
    assert_eq!(tree_text(&open), expected);
    let chosen = open.chosen.expect("its row is open");
    assert_eq!((chosen.row, chosen.path.as_str(), chosen.name.as_str()), (1, "0", "main"));
    let scrolled = tree(&mut desk, TreeAsk { open: vec![main], first: 3, ..TreeAsk::default() });
    assert_eq!((scrolled.n_rows, scrolled.first, tree_text(&scrolled).len()), (4, 3, 1));
}

#[test]
fn the_heaviest_way_is_opened_as_long_as_there_is_one() {
    let mut desk = desk();
    let start = tree(&mut desk, TreeAsk { reveal: Some(Reveal::Start), ..TreeAsk::default() });
    assert_eq!((start.n_rows, start.chosen), (4, None));
    let hottest = tree(&mut desk, TreeAsk { reveal: Some(Reveal::Hottest(0)), ..TreeAsk::default() });
    assert_eq!(hottest.chosen.as_ref().map(|chosen| chosen.name.as_str()), Some("app::fib"));
    assert_eq!(tree_text(&hottest).len(), 4);
}

#[test]
fn a_link_opens_the_way_to_its_node() {
    let reveal = |path: &str| TreeAsk { reveal: Some(Reveal::Path(path.to_owned())), ..TreeAsk::default() };
    let check = |path: &str, expected: Option<(&str, &str)>| {
        let rows = tree(&mut desk(), reveal(path));
        let chosen = rows.chosen.as_ref().map(|chosen| (chosen.name.as_str(), chosen.path.as_str()));
        assert_eq!(chosen, expected, "{path}");
    };
    check("0.1.0", Some(("wasi.fd_write", "0.1.0")));
    check("0x2", Some(("app::fib", "0x2")));
    check("0.7", Some(("main", "0")));
    check("zap", None);
}

#[test]
fn an_inverted_tree_begins_at_the_leaf() {
    let rows = tree(&mut desk(), TreeAsk { tree: Tree::Callers, query: "FIB".to_owned(), ..TreeAsk::default() });
    let expected = ["−root 1000ms 0", "  +app::fib 600ms 0 60.00%", "  +wasi.fd_write 400ms 0 40.00%"];
    assert_eq!(tree_text(&rows), expected);
    let matches: Vec<bool> = rows.rows.iter().map(|row| row.look.is_matched()).collect();
    assert_eq!(matches, [false, true, false]);
}

fn values(values: &[TagValue]) -> Vec<String> {
    values.iter().map(|it| format!("{} {} {} {}", it.weight, it.share, it.bar, it.name)).collect()
}

#[test]
fn numbers_are_told_as_histograms() {
    let (mut desk, _) = heap(&[64, 1500]);
    let tags = tags(&mut desk, About { sample_index: 0, ..about() });
    let [bytes] = &tags.keys[..] else { panic!("one label was given: {tags:?}") };
    assert_eq!((bytes.key.as_str(), bytes.total.as_str(), bytes.share.as_str()), ("bytes", "1.01MB", "100%"));
    let expected = ["256B 0.024% 0.024% 64B", "5.86kB 0.57% 0.57% 1500B", "1MB 99.41% 100% 1MB"];
    assert_eq!(values(&bytes.numbers), expected);
    let focus: Vec<_> = bytes.numbers.iter().filter_map(|it| it.focus.as_deref()).collect();
    assert_eq!(focus, ["bytes=64b", "bytes=1500b", "bytes=1048576b"]);
}

/// `main` for several users.
fn with_users(users: &[(&str, i64)]) -> Desk {
    let mut builder = Builder(ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]));
    let guest = builder.mapping("guest.wasm");
    let main = builder.location(guest, 1, &["main"]);
    for (user, value) in users {
        builder.0.sample(&[main], &[1, *value], &[LabelSpec::Str { key: "user", value: user }]);
    }
    on_desk(&builder.0.finish()).0
}

#[test]
fn a_click_on_a_text_leaves_its_samples_alone() {
    let names = ["ann", "a.n", "10ms", "a,b", "x=y", "^a|b$ ü"];
    let users: Vec<(&str, i64)> = names.iter().zip(1..).map(|(name, at)| (*name, at * 100)).collect();
    let mut desk = with_users(&users);
    let all = tags(&mut desk, about());
    assert_eq!(values(&all.keys[0].texts)[0], "600ns 28.57% 100% ^a|b$ ü");
    for text in &all.keys[0].texts {
        let pattern = text.focus.clone().expect("its key has no equals sign");
        let filters = vec![Filter { kind: FilterKind::TagFocus, pattern }];
        let left = tags(&mut desk, About { filters, ..about() });
        let left: Vec<_> = left.keys[0].texts.iter().map(|it| (it.name.as_str(), it.weight.as_str())).collect();
        assert_eq!(left, [(text.name.as_str(), text.weight.as_str())]);
    }
}

#[test]
fn samples_without_labels_have_none() {
    assert_eq!(tags(&mut desk(), about()), Tags { total: "1s".to_owned(), keys: Vec::new() });
}

/// A base in which `fib` took 200 ms and something else is gone.
fn with_base() -> Desk {
    let mut builder = Builder(ProfileBuilder::new(&[("cpu", "milliseconds")]));
    let guest = builder.mapping("guest.wasm");
    let main = builder.location(guest, 1, &["main"]);
    let fib = builder.location(guest, 2, &["app::fib"]);
    let gone = builder.location(guest, 3, &["app::gone"]);
    builder.0.sample(&[fib, main], &[200], &[]);
    builder.0.sample(&[gone, main], &[300], &[]);
    let mut desk = desk();
    add(&mut desk, BASE, &builder.0.finish());
    desk
}

fn diff_text(rows: &DiffRows) -> Vec<String> {
    let cells = |DiffCells { before, after, change, share }: &DiffCells| format!("{before} {after} {change} {share}");
    rows.rows.iter().map(|row| format!("{} {}: {}", row.name, row.mark, cells(&row.flat))).collect()
}

#[test]
fn changes_are_those_of_wprof_diff() {
    let mut desk = with_base();
    let rows = diff(&mut desk, about(), DiffAsk::default());
    let expected = [
        "app::fib : 200ms 600ms +400ms +80.00%",
        "wasi.fd_write new: - 400ms +400ms +80.00%",
        "main : 0 0 0 0%",
        "app::log new: - 0 0 0%",
        "app::gone gone: 300ms - -300ms -60.00%",
    ];
    assert_eq!(diff_text(&rows), expected);
    assert_eq!((rows.before.as_str(), rows.after.as_str()), ("500ms", "1000ms"));
    assert_eq!(rows.change, ("+500ms".to_owned(), "+100%".to_owned()));
    let normalized = diff(&mut desk, about(), DiffAsk { normalize: true, ..DiffAsk::default() });
    assert_eq!(normalized.after, "500ms");
    assert_eq!(diff_text(&normalized)[0], "wasi.fd_write new: - 200ms +200ms +40.00%");
}

#[test]
fn changes_are_searched_ordered_and_filtered() {
    let mut desk = with_base();
    let up = Sort { column: Column::Flat, descending: false };
    let rows = diff(&mut desk, about(), DiffAsk { sort: up, query: "app".to_owned(), ..DiffAsk::default() });
    let names: Vec<_> = rows.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["app::gone", "app::log", "app::fib"]);
    let focus = About { filters: vec![Filter::exactly(FilterKind::Focus, "app::fib")], ..about() };
    let rows = diff(&mut desk, focus, DiffAsk::default());
    assert_eq!((rows.before.as_str(), rows.after.as_str()), ("200ms", "600ms"), "both are filtered");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let mut desk = with_base();
    let samples = About { sample_index: 0, ..about() };
    let why = diff(&mut desk, samples, DiffAsk::default()).refused.expect("the base has no samples");
    assert!(why.contains("The base has no samples: it has cpu."), "{why}");
    desk.close(BASE);
    assert!(diff(&mut desk, about(), DiffAsk::default()).refused.is_some());
}

#[test]
fn all_sample_types_are_shown_at_once() {
    let (mut desk, _) = heap(&[64, 128]);
    let every = RowsAsk { every_type: true, ..RowsAsk::default() };
    let rows = rows_of(&mut desk, about(), every);
    let tell = |row: &Row| {
        let cells: Vec<String> = row.every.iter().map(|(flat, cum)| format!("{flat}/{cum}")).collect();
        format!("{} {} {}", row.name, cells.join(" "), row.kept.as_deref().unwrap_or("-"))
    };
    let told: Vec<String> = rows.rows.iter().map(tell).collect();
    assert_eq!(told, ["small 0.75kB/0.75kB 192B/192B 25.00%", "main 0/1024.75kB 0/192B 0.018%"]);
    assert!(rows.has_kept);
    assert!(!rows_of(&mut desk, about(), RowsAsk::default()).has_kept);
}
