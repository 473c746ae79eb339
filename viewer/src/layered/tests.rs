//! Laws that hold for every drawing, on graphs made by hand and at random.

use std::time::{Duration, Instant};

use super::*;

const BOX: NodeBox = NodeBox { width: 60.0, height: 30.0 };
const LABEL: Option<(f64, f64)> = Some((28.0, 12.0));

/// `"0>1 1>2 2>2"`, each with a label and the weight 1.
fn links(text: &str) -> Vec<Link> {
    let link = |it: &str| {
        let (from, to) = it.split_once('>').unwrap();
        Link { from: from.parse().unwrap(), to: to.parse().unwrap(), weight: 1.0, label: LABEL }
    };
    text.split_whitespace().map(link).collect()
}

/// A box around what is drawn.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn around(at: Point, width: f64, height: f64) -> Area {
        let (x, y) = (width / 2.0, height / 2.0);
        Area { left: at.x - x, top: at.y - y, right: at.x + x, bottom: at.y + y }
    }

    fn meets(self, other: Area) -> bool {
        const TOUCH: f64 = 0.01;
        self.left + TOUCH < other.right
            && other.left + TOUCH < self.right
            && self.top + TOUCH < other.bottom
            && other.top + TOUCH < self.bottom
    }

    fn has(self, point: Point) -> bool {
        let area = Area { left: point.x, top: point.y, right: point.x, bottom: point.y };
        const DEEP: f64 = 0.5;
        self.left + DEEP < area.left
            && area.right < self.right - DEEP
            && self.top + DEEP < area.top
            && area.bottom < self.bottom - DEEP
    }

    fn is_on_border(self, point: Point) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        let is_between = |x: f64, from: f64, to: f64| from - 0.01 <= x && x <= to + 0.01;
        let on_side = near(point.x, self.left) || near(point.x, self.right);
        let on_end = near(point.y, self.top) || near(point.y, self.bottom);
        (on_side && is_between(point.y, self.top, self.bottom))
            || (on_end && is_between(point.x, self.left, self.right))
    }
}

fn areas(nodes: &[NodeBox], drawing: &Drawing) -> Vec<Area> {
    drawing.nodes.iter().zip(nodes).map(|(&at, it)| Area::around(at, it.width, it.height)).collect()
}

fn labels(links: &[Link], drawing: &Drawing) -> Vec<Area> {
    let label = |(link, route): (&Link, &Route)| {
        let (width, height) = link.label?;
        Some(Area::around(route.label_at.expect("a place for the label"), width, height))
    };
    links.iter().zip(&drawing.links).filter_map(label).collect()
}

/// Points along the curves.
fn along(route: &Route) -> Vec<Point> {
    let starts = route.points.iter().step_by(3);
    let curves = starts.zip(route.points[1..].chunks_exact(3)).flat_map(|(&a, rest)| {
        let &[b, c, d] = rest else { unreachable!("chunks of three") };
        (0..=20).map(move |step| {
            let t = f64::from(step) / 20.0;
            let u = 1.0 - t;
            let mix = |a: f64, b: f64, c: f64, d: f64| {
                u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
            };
            Point { x: mix(a.x, b.x, c.x, d.x), y: mix(a.y, b.y, c.y, d.y) }
        })
    });
    curves.collect()
}

/// Lays out and checks all laws.
fn check(nodes: &[NodeBox], links: &[Link]) -> Drawing {
    let drawing = lay_out(nodes, links, &Options::default());
    assert_eq!((drawing.nodes.len(), drawing.links.len()), (nodes.len(), links.len()));
    let boxes = areas(nodes, &drawing);
    let mut filled = boxes.clone();
    filled.extend(labels(links, &drawing));
    for (at, &area) in filled.iter().enumerate() {
        let is_inside = area.left >= -0.01 && area.top >= -0.01;
        assert!(is_inside && area.right <= drawing.width + 0.01 && area.bottom <= drawing.height + 0.01, "{area:?}");
        for (other_at, &other) in filled.iter().enumerate().skip(at + 1) {
            assert!(!area.meets(other), "{at} meets {other_at} of {} boxes: {area:?} {other:?}", boxes.len());
        }
    }
    for (link, route) in links.iter().zip(&drawing.links) {
        check_route(link, route, &boxes, &drawing);
    }
    for (at, area) in labels(links, &drawing).into_iter().enumerate() {
        let crossing = drawing.links.iter().position(|route| along(route).iter().any(|&it| area.has(it)));
        assert_eq!(crossing, None, "crosses label {at}");
    }
    drawing
}

fn check_route(link: &Link, route: &Route, boxes: &[Area], drawing: &Drawing) {
    let Route { points, arrow, .. } = route;
    assert_eq!(points.len() % 3, 1, "{points:?}");
    let is_inside =
        |it: &Point| (-0.01..=drawing.width + 0.01).contains(&it.x) && (-0.01..=drawing.height + 0.01).contains(&it.y);
    assert!(points.iter().all(is_inside), "{link:?} {points:?} in {} x {}", drawing.width, drawing.height);
    let (first, last) = (points[0], points[points.len() - 1]);
    assert!(boxes[link.from].is_on_border(first), "{link:?} begins at {first:?}: {:?}", boxes[link.from]);
    assert!(boxes[link.to].is_on_border(last), "{link:?} ends at {last:?}: {:?}", boxes[link.to]);
    assert!((arrow.x.hypot(arrow.y) - 1.0).abs() < 1e-9, "{arrow:?}");
    if link.from != link.to {
        assert_eq!(first.y < last.y, !route.is_reversed, "{link:?} {points:?}");
    }
    for point in along(route) {
        let crossed = boxes.iter().position(|it| it.has(point));
        assert_eq!(crossed, None, "{link:?} crosses a box at {point:?}");
    }
}

#[test]
fn nothing_has_no_size() {
    assert_eq!(lay_out(&[], &[], &Options::default()), Drawing::default());
}

#[test]
fn one_box_is_all() {
    let drawing = check(&[BOX], &[]);
    assert_eq!((drawing.width, drawing.height, drawing.nodes[0]), (60.0, 30.0, Point { x: 30.0, y: 15.0 }));
}

#[test]
fn a_link_to_itself_is_at_the_right() {
    let drawing = check(&[BOX], &links("0>0"));
    assert!(drawing.links[0].label_at.unwrap().x > 60.0 && drawing.width > 88.0, "{drawing:?}");
    check(&[BOX; 2], &links("0>0 0>1 1>1 1>1"));
}

#[test]
fn small_graphs() {
    for (n_nodes, text) in [
        (2, "0>1"),
        (2, "0>1 1>0"),
        (2, "0>1 0>1 0>1 1>0"),
        (3, "0>1 1>2 2>0"),
        (4, "0>1 0>2 1>3 2>3"),
        (4, "0>1 2>3"),
        (6, "0>3 0>4 0>5 1>3 1>4 1>5 2>3 2>4 2>5"),
        (5, "0>1 1>2 2>3 3>4 0>4 0>3 1>4"),
        (3, ""),
    ] {
        check(&vec![BOX; n_nodes], &links(text));
    }
}

#[test]
fn links_point_down_but_for_the_one_that_closes_a_cycle() {
    let check = |n_nodes: usize, text: &str, expected: &[bool]| {
        let drawing = check(&vec![BOX; n_nodes], &links(text));
        assert_eq!(drawing.links.iter().map(|it| it.is_reversed).collect::<Vec<_>>(), expected, "{text}");
    };
    check(2, "0>1 1>0", &[false, true]);
    check(4, "0>1 1>2 2>3 3>1", &[false, false, false, true]);
    check(4, "0>1 0>2 1>3 2>3", &[false; 4]);
}

#[test]
fn a_chain_is_a_straight_line() {
    let text: Vec<String> = (0..300).map(|it| format!("{it}>{}", it + 1)).collect();
    let drawing = check(&[BOX; 301], &links(&text.join(" ")));
    assert!(drawing.nodes.windows(2).all(|it| it[0].x == it[1].x && it[0].y < it[1].y));
    assert!(drawing.links.iter().all(|it| it.points.len() == 4), "one straight piece each");
}

#[test]
fn a_box_is_in_the_middle_of_what_it_leads_to() {
    let drawing = check(&[BOX; 3], &links("0>1 0>2"));
    let [top, left, right] = [0, 1, 2].map(|it| drawing.nodes[it].x);
    assert!((f64::midpoint(left, right) - top).abs() < (right - left) / 10.0, "{:?}", drawing.nodes);
}

/// A chain that has to go aside goes at once, not box by box.
#[test]
fn a_chain_is_no_stair() {
    let mut all = links("0>1 1>2 2>3 3>4 0>5 5>6 6>7 7>4 0>4");
    all[8].weight = 100.0;
    let drawing = check(&[BOX; 8], &all);
    for chain in [[1, 2, 3], [5, 6, 7]] {
        let x = chain.map(|it| drawing.nodes[it].x);
        assert!(x[0] == x[1] && x[1] == x[2], "{x:?}");
    }
}

#[test]
fn a_tree_has_no_crossings() {
    let text: Vec<String> = (1..40).map(|it| format!("{}>{it}", (it - 1) / 3)).collect();
    let drawing = check(&[BOX; 40], &links(&text.join(" ")));
    let mut of_rank: Vec<(f64, usize)> = (13..40).map(|it| (drawing.nodes[it].x, (it - 1) / 3)).collect();
    of_rank.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut parents: Vec<usize> = of_rank.into_iter().map(|it| it.1).collect();
    parents.dedup();
    assert_eq!(parents.len(), 9, "children of one are neighbours: {parents:?}");
}

#[test]
fn parts_do_not_make_one_long_row() {
    let drawing = check(&[BOX; 64], &[]);
    assert!(drawing.width < 4.0 * drawing.height, "{} x {}", drawing.width, drawing.height);
}

#[test]
fn links_to_nowhere_are_left_out() {
    let drawing = lay_out(&[BOX; 2], &links("0>1 1>7"), &Options::default());
    assert_eq!(drawing.links[1], Route::default());
    assert!(!drawing.links[0].points.is_empty());
}

/// A generator of its own, so that a fault stays found.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn size(&mut self, from: u32, to: u32) -> f64 {
        let steps = usize::try_from(to - from).unwrap();
        f64::from(from) + f64::from(u32::try_from(self.below(steps)).unwrap())
    }

    fn graph(&mut self, n_nodes: usize, n_links: usize) -> (Vec<NodeBox>, Vec<Link>) {
        let nodes = (0..n_nodes).map(|_| NodeBox { width: self.size(20, 160), height: self.size(12, 90) }).collect();
        let links = (0..n_links).map(|_| {
            let has_label = self.below(4) > 0;
            // As in call graphs: a few are called by many, and most calls lead on.
            let from = self.below(n_nodes);
            let to = match self.below(10) {
                0 => self.below(n_nodes),
                1 => self.below(n_nodes.min(4)),
                _ => (from + 1 + self.below(6)).min(n_nodes - 1),
            };
            let label = has_label.then(|| (self.size(10, 50), self.size(8, 30)));
            Link { from, to, weight: self.size(1, 101), label }
        });
        let links = links.collect();
        (nodes, links)
    }
}

#[test]
fn random_graphs_keep_all_laws() {
    for seed in 0..150 {
        let mut random = Random(seed);
        let (n_nodes, n_links) = (1 + random.below(30), random.below(70));
        let (nodes, links) = random.graph(n_nodes, n_links);
        check(&nodes, &links);
    }
}

#[test]
fn a_large_graph_keeps_all_laws_and_its_drawing() {
    let (nodes, links) = Random(1).graph(80, 160);
    assert_eq!(check(&nodes, &links), lay_out(&nodes, &links, &Options::default()));
}

/// Far more links over far more ranks than a profile has: less neat, but drawn, and by the same laws.
#[test]
fn a_huge_graph_is_drawn() {
    let (nodes, links) = Random(3).graph(500, 2_000);
    let start = Instant::now();
    let drawing = lay_out(&nodes, &links, &Options::default());
    // Half a second where nothing else runs.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let boxes = areas(&nodes, &drawing);
    for (link, route) in links.iter().zip(&drawing.links) {
        check_route(link, route, &boxes, &drawing);
    }
}
