//! `dot`: the call graph for Graphviz.

mod color;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use proto::analysis::calls::{CallGraph, Purpose};
use proto::analysis::graph::{EdgeIdx, NodeIdx, Tag};
use proto::analysis::{Frame, base_name, short_name};
use proto::units::Percent;

use super::{Report, header};

pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let call_graph = report.call_graph(Purpose::Drawing { call_tree: report.options.call_tree });
    let ids = call_graph.graph.shown().iter().copied().zip(1..).collect();
    let drawing = Drawing { call_graph: &call_graph, ids, most_flat: most_flat(&call_graph) };
    let title = title(report);
    writeln!(out, "digraph \"{}\" {{", if title.is_empty() { "unnamed" } else { &title })?;
    writeln!(out, "node [style=filled fillcolor=\"#f8f8f8\"]")?;
    write_legend(out, report, &call_graph, &title)?;
    let mut with_tags = HashSet::new();
    for &node in call_graph.graph.shown() {
        if drawing.write_node(out, node)? {
            with_tags.insert(node);
        }
    }
    for edge in drawing.edges() {
        let has_tags = with_tags.contains(&call_graph.graph.edge(edge).from);
        drawing.write_edge(out, edge, has_tags)?;
    }
    writeln!(out, "}}")
}

/// The main binary's name.
fn title(report: &Report<'_>) -> String {
    let main = report.profile().mappings().first().map_or("", |it| report.profile().string(it.filename));
    if main.is_empty() { String::new() } else { escaped(base_name(main)) }
}

fn write_legend(out: &mut dyn Write, report: &Report<'_>, call_graph: &CallGraph, title: &str) -> io::Result<()> {
    let mut lines: Vec<String> = header::legend(report, call_graph).iter().map(|it| escaped(it)).collect();
    lines.push(r"\lSee https://git.io/JfYMW for how to read the graph".to_owned());
    let first = &lines[0];
    write!(out, "subgraph cluster_L {{ \"{first}\" [shape=box fontsize=16 label=\"{}\\l\"", lines.join(r"\l"))?;
    if !title.is_empty() {
        write!(out, " tooltip=\"{title}\"")?;
    }
    writeln!(out, "] }}")
}

struct Drawing<'a> {
    call_graph: &'a CallGraph,
    ids: HashMap<NodeIdx, usize>,
    /// What font sizes are measured by.
    most_flat: i64,
}

fn most_flat(call_graph: &CallGraph) -> i64 {
    let flat = |it: &NodeIdx| call_graph.graph.node(*it).sums.flat_value().saturating_abs();
    call_graph.graph.shown().iter().map(flat).max().unwrap_or(0)
}

impl Drawing<'_> {
    fn amount(&self, value: i64) -> String {
        self.call_graph.scale.amount(value).to_string()
    }

    fn with_share(&self, value: i64) -> String {
        let share = Percent { part: value, whole: self.call_graph.total }.to_string();
        format!("{} ({})", self.amount(value), share.trim())
    }

    /// Says whether it has tags.
    fn write_node(&self, out: &mut dyn Write, node: NodeIdx) -> io::Result<bool> {
        let id = self.ids[&node];
        let frame = self.call_graph.frames.get(self.call_graph.graph.node(node).frame);
        let cum = self.call_graph.graph.node(node).sums.cum_value();
        let label = format!("{}{}", name_lines(&frame), self.value_lines(node));
        let [color, fill] = [false, true].map(|it| color::of_share(cum, self.call_graph.total, it));
        writeln!(
            out,
            "N{id} [label=\"{label}\" id=\"node{id}\" fontsize={} shape=box tooltip=\"{} ({})\" color=\"{color}\" fillcolor=\"{fill}\"]",
            self.font_size(node),
            escaped(&frame.label()),
            self.amount(cum),
        )?;
        self.write_tags(out, node, id)
    }

    fn value_lines(&self, node: NodeIdx) -> String {
        let sums = self.call_graph.graph.node(node).sums;
        let (flat, cum) = (sums.flat_value(), sums.cum_value());
        let own = if flat == 0 { "0".to_owned() } else { self.with_share(flat) };
        let between = if flat == 0 { " " } else { r"\n" };
        if cum == flat { own } else { format!("{own}{between}of {}", self.with_share(cum)) }
    }

    /// From 8 to 24, by the root of the share of the greatest flat.
    fn font_size(&self, node: NodeIdx) -> u32 {
        #[expect(clippy::cast_precision_loss, reason = "a font's size needs no more than 53 bits")]
        let share = self.call_graph.graph.node(node).sums.flat_value().unsigned_abs() as f64 / self.most_flat as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 16")]
        let growth = if share <= 1.0 { (16.0 * share.sqrt()).ceil() as u32 } else { 0 };
        8 + growth
    }

    /// A box for each label's share, below the place; says whether there is one.
    fn write_tags(&self, out: &mut dyn Write, node: NodeIdx, id: usize) -> io::Result<bool> {
        // Below a leaf they tell of all, since what it called may have been left out.
        let by_flat = self.call_graph.graph.callees(node).next().is_some();
        let (texts, sizes) = self.call_graph.graph.tags(node, by_flat);
        let from = format!("N{id}");
        let mut has_tags = false;
        for (idx, text) in texts.iter().enumerate() {
            let value = if by_flat { text.tag.sums.flat_value() } else { text.tag.sums.cum_value() };
            if value != 0 {
                let to = format!("{from}_{idx}");
                self.write_box(out, &from, &to, &escaped_tag(&text.tag.name), value, "")?;
                self.write_sizes(out, &text.sizes, by_flat, &to)?;
                has_tags = true;
            }
        }
        Ok(self.write_sizes(out, &sizes, by_flat, &from)? || has_tags)
    }

    fn write_sizes(&self, out: &mut dyn Write, sizes: &[Tag], by_flat: bool, from: &str) -> io::Result<bool> {
        let mut has_sizes = false;
        for (idx, Tag { name, sums }) in sizes.iter().enumerate() {
            let is_own = by_flat || sums.flat_value() == sums.cum_value();
            let (value, style) = if is_own { (sums.flat_value(), "") } else { (sums.cum_value(), " style=\"dotted\"") };
            if value != 0 {
                self.write_box(out, from, &format!("N{from}_{idx}"), name, value, style)?;
                has_sizes = true;
            }
        }
        Ok(has_sizes)
    }

    fn write_box(
        &self,
        out: &mut dyn Write,
        from: &str,
        to: &str,
        name: &str,
        value: i64,
        style: &str,
    ) -> io::Result<()> {
        let weight = self.amount(value);
        writeln!(out, "{to} [label = \"{name}\" id=\"{to}\" fontsize=8 shape=box3d tooltip=\"{weight}\"]")?;
        writeln!(
            out,
            "{from} -> {to} [label=\" {weight}\" weight=100 tooltip=\"{weight}\" labeltooltip=\"{weight}\"{style}]"
        )
    }

    /// Between places that are shown, the heaviest first, which Graphviz takes for a hint.
    fn edges(&self) -> Vec<EdgeIdx> {
        let graph = &self.call_graph.graph;
        let edges = graph.shown().iter().flat_map(|&it| graph.callees(it));
        self.call_graph.sorted(edges.filter(|&it| self.ids.contains_key(&graph.edge(it).to)))
    }

    /// Below a place with tags there is more room.
    fn write_edge(&self, out: &mut dyn Write, edge: EdgeIdx, has_tags: bool) -> io::Result<()> {
        let edge = self.call_graph.graph.edge(edge);
        let (value, total) = (edge.value(), self.call_graph.total);
        let weight = self.amount(value);
        let inline = if edge.is_inline { r"\n (inline)" } else { "" };
        write!(out, "N{} -> N{} [label=\" {weight}{inline}\"", self.ids[&edge.from], self.ids[&edge.to])?;
        if total != 0 {
            // In differences a call may weigh more than all.
            let steps = |n: i64| 1 + (value.wrapping_mul(n) / total).saturating_abs().min(n);
            if 1 < steps(100) {
                write!(out, " weight={}", steps(100))?;
            }
            if 1 < steps(5) {
                write!(out, " penwidth={}", steps(5))?;
            }
            write!(out, " color=\"{}\"", color::of_share(value, total, false))?;
        }
        let [from, to] = [edge.from, edge.to].map(|it| escaped(&self.call_graph.name(it)));
        let tip = format!("\"{from} {} {to} ({weight})\"", if edge.is_residual { "..." } else { "->" });
        write!(out, " tooltip={tip} labeltooltip={tip}")?;
        let style = if edge.is_residual { " style=\"dotted\"" } else { "" };
        let apart = if has_tags { " minlen=2" } else { "" };
        writeln!(out, "{style}{apart}]")
    }
}

/// The place's name, broken where its parts end.
fn name_lines(frame: &Frame<'_>) -> String {
    let name = escaped(&short_name(frame.name)).replace("::", r"\n").replace("[...]", "[…]").replace('.', r"\n");
    let file = if frame.file.is_empty() { "" } else { base_name(frame.file) };
    let parts = Frame { name: &name, file, ..*frame }.label_parts();
    format!("{}\\n", parts.join(r"\n"))
}

/// For a string in Graphviz's language, lines broken to the left.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\l")
}

/// The same for labels, each of which is a line of its own.
fn escaped_tag(text: &str) -> String {
    text.split('\n').map(|it| it.replace('\\', r"\\").replace('"', "\\\"")).collect::<Vec<_>>().join(r"\n")
}
