//! Every tree that flame graphs are drawn of: in parts, from both ends, of a function's surroundings, of two profiles.

use super::*;
use crate::protocol::FlameBox;

const BASE: FileId = FileId(2);

/// Samples of `kind`, by stacks from the root: `"main;fib 3"`.
fn profile(kind: &str, stacks: &[&str]) -> Profile {
    counted_in("count", kind, stacks)
}

fn counted_in(unit: &str, kind: &str, stacks: &[&str]) -> Profile {
    let mut builder = Builder(ProfileBuilder::new(&[(kind, unit)]));
    let guest = builder.mapping("guest.wasm");
    let mut known: Vec<(String, LocationId)> = Vec::new();
    for stack in stacks {
        let (names, value) = stack.rsplit_once(' ').expect("a value");
        let mut stack: Vec<LocationId> = Vec::new();
        for name in names.split(';').rev() {
            let at = known.iter().position(|it| it.0 == name).unwrap_or_else(|| {
                let address = u64::try_from(known.len()).expect("few") + 1;
                known.push((name.to_owned(), builder.location(guest, address, &[name])));
                known.len() - 1
            });
            stack.push(known[at].1);
        }
        builder.0.sample(&stack, &[value.parse().expect("a number")], &[]);
    }
    builder.0.finish()
}

fn about() -> About {
    About { file: FILE, ..About::default() }
}

fn whole(tree: Tree) -> FlameAsk {
    let (query, function, zoom) = (String::new(), None, Zoom::Root);
    FlameAsk { tree, query, function, zoom, by_name: false, width: 1000, first_row: 0, n_rows: 100 }
}

fn flame(desk: &mut Desk, flame: FlameAsk) -> Flame {
    match ask(desk, about(), Ask::Flame(flame)) {
        Reply::Flame(flame) => flame,
        other => panic!("{other:?}"),
    }
}

fn card(desk: &mut Desk, tree: Tree, node: u32) -> Card {
    match ask(desk, about(), Ask::Card(CardAsk { tree, node, in_full: true })) {
        Reply::Card(card) => card,
        other => panic!("{other:?}"),
    }
}

fn text(flame: &Flame) -> Vec<String> {
    let tell = |b: &FlameBox| {
        let name = b.name.map(|name| flame.names[name as usize].as_str()).unwrap_or_default();
        let change = b.look.change().map(|change| format!(" {change:+}")).unwrap_or_default();
        format!("{} {:.2}+{:.2} {name}{change}", b.row, b.x, b.width)
    };
    flame.boxes.iter().map(tell).collect()
}

#[test]
fn a_function_is_seen_from_both_sides() {
    let stacks = ["main;a;f;x 3", "main;b;f;f 2", "main 5"];
    let (mut desk, _) = on_desk(&profile("n", &stacks));
    let callers = flame(&mut desk, whole(Tree::CallersOf("f".to_owned())));
    let expected =
        ["0 0.00+1.00 root", "1 0.00+1.00 f", "2 0.00+0.60 a", "2 0.60+0.40 b", "3 0.00+0.60 main", "3 0.60+0.40 main"];
    assert_eq!(text(&callers), expected);
    let callees = flame(&mut desk, whole(Tree::CalleesOf("f".to_owned())));
    assert_eq!(text(&callees), ["0 0.00+1.00 root", "1 0.00+1.00 f", "2 0.00+0.60 x"]);
    let of_f = card(&mut desk, Tree::CalleesOf("f".to_owned()), callees.boxes[1].node);
    assert_eq!((of_f.cum.as_str(), of_f.cum_pct.as_str(), of_f.flat.as_str()), ("5", "50.00%", "2"));
}

#[test]
fn a_diff_is_as_wide_as_both_and_tells_the_change() {
    let (mut desk, _) = on_desk(&profile("n", &["main;a 6", "main;c 2"]));
    add(&mut desk, BASE, &profile("n", &["main;a 2", "main;b 2"]));
    let tree = Tree::Diff { base: BASE, normalize: false };
    let diff = flame(&mut desk, whole(tree.clone()));
    let expected = [
        "0 0.00+1.00 root +50",
        "1 0.00+1.00 main +50",
        "2 0.00+0.67 a +66",
        "2 0.67+0.17 b -100",
        "2 0.83+0.17 c +100",
    ];
    assert_eq!(text(&diff), expected);
    let changes: Vec<_> = diff.boxes.iter().map(|b| card(&mut desk, tree.clone(), b.node).change).collect();
    let told = |before: &str, after: &str, change: &str| Some((before.to_owned(), after.to_owned(), change.to_owned()));
    assert_eq!(changes[0], told("4", "8", "+4 (+100%)"));
    assert_eq!(changes[3], told("2", "0", "-2 (-100%)"));
    assert_eq!(changes[4], told("0", "2", "+2 (new)"));
    let normalized = flame(&mut desk, whole(Tree::Diff { base: BASE, normalize: true }));
    assert_eq!(text(&normalized)[0], "0 0.00+1.00 root +0");
}

/// The values in a diff's tree are in the base's unit, the table's in the other's.
#[test]
fn a_diff_of_files_that_count_in_different_units_tells_the_change_in_one() {
    let (mut desk, _) = on_desk(&counted_in("nanoseconds", "cpu", &["main;a 6000000"]));
    add(&mut desk, BASE, &counted_in("microseconds", "cpu", &["main;a 2000", "main;b 1000"]));
    let tree = Tree::Diff { base: BASE, normalize: false };
    let diff = flame(&mut desk, whole(tree.clone()));
    let told: Vec<Card> = diff.boxes.iter().map(|b| card(&mut desk, tree.clone(), b.node)).collect();
    let changes: Vec<_> = told
        .iter()
        .filter_map(|it| it.change.as_ref())
        .map(|(before, after, change)| [before, after, change])
        .collect();
    assert_eq!(changes[0], ["3ms", "6ms", "+3ms (+100%)"]);
    assert_eq!(changes[2], ["2ms", "6ms", "+4ms (+200.00%)"]);
    assert_eq!(changes[3], ["1ms", "0", "-1ms (-100%)"]);
    assert!(told.iter().all(|it| it.everywhere.is_none()), "sums of one file are no sums of a diff");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (mut desk, _) = on_desk(&profile("cpu", &["main 1"]));
    add(&mut desk, BASE, &profile("space", &["main 1"]));
    for (base, expected) in [(BASE, "The base has no cpu."), (FileId(9), "The base is no longer open.")] {
        let question = Question { about: about(), ask: Ask::Flame(whole(Tree::Diff { base, normalize: false })) };
        assert_eq!(desk.answer(&question, 0).0, Reply::Refused(expected.to_owned()));
    }
}

/// More samples than are laid out at once, 60 rows deep.
fn large() -> Profile {
    let deep: String = (0..58).map(|row| format!(";d{row}")).collect();
    let stacks: Vec<String> = (0..20_100).map(|at| format!("main{deep};x{};y{} 1", at % 150, at / 150)).collect();
    profile("n", &stacks.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn of_a_large_profile_the_first_rows_come_first() {
    let (mut desk, _) = on_desk(&large());
    let question = Question { about: about(), ask: Ask::Flame(whole(Tree::Callees)) };
    let mut answers = Vec::new();
    for n_parts in 0.. {
        let (Reply::Flame(flame), is_whole) = desk.answer(&question, n_parts) else { panic!("a flame graph") };
        assert_eq!(flame.is_partial, !is_whole);
        answers.push((flame.n_rows, flame.boxes.len(), flame.legend.is_empty()));
        if is_whole {
            break;
        }
    }
    assert_eq!(answers, [(12, 12, true), (40, 40, true), (61, 210, false)]);
    // What is known is not asked for in parts again: scrolling goes on where it was.
    assert!(desk.answer(&question, 0).1);
    // Another one does not begin with less than is on show by now.
    let by_name = FlameAsk { by_name: true, ..whole(Tree::Callees) };
    let question = Question { about: about(), ask: Ask::Flame(by_name) };
    let (Reply::Flame(flame), is_whole) = desk.answer(&question, 0) else { panic!("a flame graph") };
    assert_eq!((flame.n_rows, is_whole), (40, false));
}

#[test]
fn siblings_are_ordered_by_weight_or_name() {
    let (mut desk, _) = on_desk(&profile("n", &["b 2", "c 3", "a 1"]));
    let names = |flame: &Flame| flame.names[1..].join(" ");
    assert_eq!(names(&flame(&mut desk, whole(Tree::Callees))), "c b a");
    assert_eq!(names(&flame(&mut desk, FlameAsk { by_name: true, ..whole(Tree::Callees) })), "a b c");
}

#[test]
fn links_lead_to_the_same_box() {
    let (mut desk, _) = on_desk(&profile("n", &["m;a;a;a;b 3", "m;a;a;c 1", "m;z 9"]));
    let all = flame(&mut desk, whole(Tree::Callees));
    for b in &all.boxes {
        let zoomed = flame(&mut desk, FlameAsk { zoom: Zoom::Node(b.node), ..whole(Tree::Callees) });
        let by_path = flame(&mut desk, FlameAsk { zoom: Zoom::Path(zoomed.zoom_path.clone()), ..whole(Tree::Callees) });
        assert_eq!((zoomed.zoom, by_path.zoom), (b.node, b.node), "{}", zoomed.zoom_path);
    }
    let lost = flame(&mut desk, FlameAsk { zoom: Zoom::Path("0.0.99".to_owned()), ..whole(Tree::Callees) });
    assert_eq!(lost.trail.last().map(|it| it.name.as_str()), Some("z"), "as far as it leads");
}

#[test]
fn a_box_knows_who_is_around_it() {
    let (mut desk, _) = on_desk(&profile("n", &["m;a;x 3", "m;a;y 1", "m;b 6"]));
    let all = flame(&mut desk, whole(Tree::Callees));
    let a = all.boxes.iter().find(|b| b.name.is_some_and(|name| all.names[name as usize] == "a")).expect("a").node;
    let kin = card(&mut desk, Tree::Callees, a).kin;
    let told: Vec<String> = kin
        .iter()
        .map(|it| {
            format!("{} {} {} {}/{} {:?}", it.level, it.name, it.share, it.position, it.n_siblings, it.n_children)
        })
        .collect();
    let expected = [
        "1 root 100% 1/1 Some(1)",
        "2 m 100% 1/1 Some(2)",
        "3 b 60.00% 1/2 None",
        "3 a 40.00% 2/2 Some(2)",
        "4 x 30.00% 1/2 None",
        "4 y 10.00% 2/2 None",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_legend_weighs_packages_by_their_own_frames() {
    let (mut desk, _) = on_desk(&profile("n", &["core::a 1", "app::m;core::b 3", "app::m 6"]));
    let legend = flame(&mut desk, whole(Tree::Callees)).legend;
    let told: Vec<String> = legend.iter().map(|key| format!("{} {}", key.package, key.share)).collect();
    assert_eq!(told, ["app 60.00%", "core 40.00%"]);
}
