//! `callgrind`: the call graph for KCachegrind and QCachegrind.
//!
//! The format is Valgrind's "Callgrind Format Specification": names and addresses are abbreviated where they repeat.

use std::collections::HashMap;
use std::io::{self, Write};

use proto::analysis::Frame;
use proto::analysis::calls::{CallGraph, Purpose};
use proto::analysis::graph::{EdgeIdx, NodeIdx};
use proto::units;

use super::Report;

pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let call_graph = report.call_graph(Purpose::Export { call_tree: report.options.call_tree });
    let names = names(&call_graph);
    writeln!(out, "positions: instr line")?;
    writeln!(out, "events: {}({})", report.value_kind(), call_graph.scale.to)?;
    let mut writer = Writer { call_graph: &call_graph, names, previous: None, ids: Default::default() };
    call_graph.graph.shown().iter().try_for_each(|&it| writer.write(out, it))
}

struct Writer<'a> {
    call_graph: &'a CallGraph,
    /// How calls name each node.
    names: HashMap<NodeIdx, String>,
    previous: Option<Frame<'a>>,
    /// Of binaries, files and functions.
    ids: [HashMap<String, usize>; 3],
}

impl<'a> Writer<'a> {
    fn write(&mut self, out: &mut dyn Write, node: NodeIdx) -> io::Result<()> {
        let frame = self.frame(node);
        let is_same = |it: &Frame<'_>| (it.binary, it.file, it.name) == (frame.binary, frame.file, frame.name);
        if !self.previous.as_ref().is_some_and(is_same) {
            writeln!(out)?;
            writeln!(out, "ob={}", self.abbreviated(0, frame.binary))?;
            writeln!(out, "fl={}", self.abbreviated(1, frame.file))?;
            writeln!(out, "fn={}", self.abbreviated(2, frame.name))?;
        }
        let graph = &self.call_graph.graph;
        let flat = self.whole(graph.node(node).sums.flat_value());
        writeln!(out, "{} {} {flat}", self.address(frame.address), frame.line)?;
        self.call_graph.callees(node).into_iter().try_for_each(|it| self.write_call(out, it))?;
        self.previous = Some(frame);
        Ok(())
    }

    fn write_call(&mut self, out: &mut dyn Write, call: EdgeIdx) -> io::Result<()> {
        let edge = self.call_graph.graph.edge(call);
        let callee = self.frame(edge.to);
        let name = self.names.get(&edge.to).cloned().unwrap_or_else(|| callee.name.to_owned());
        writeln!(out, "cfl={}", self.abbreviated(1, callee.file))?;
        writeln!(out, "cfn={}", self.abbreviated(2, &name))?;
        // How often it was called nobody counted.
        writeln!(out, "calls=0 {} {}", self.address(callee.address), callee.line)?;
        writeln!(out, "* * {}", self.whole(edge.weight))
    }

    fn frame(&self, node: NodeIdx) -> Frame<'a> {
        self.call_graph.frames.get(self.call_graph.graph.node(node).frame)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the format has whole numbers only; cut as pprof cuts")]
    fn whole(&self, value: i64) -> i64 {
        units::scale(value, &self.call_graph.scale.from, &self.call_graph.scale.to).0 as i64
    }

    /// `(3) name` at first, `(3)` later.
    fn abbreviated(&mut self, kind: usize, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let ids = &mut self.ids[kind];
        if let Some(id) = ids.get(name) {
            return format!("({id})");
        }
        let id = ids.len() + 1;
        ids.insert(name.to_owned(), id);
        format!("({id}) {name}")
    }

    /// Relative to the previous one where that is shorter.
    fn address(&self, address: u64) -> String {
        let absolute = format!("{address:#x}");
        match &self.previous {
            None => absolute,
            Some(previous) if previous.address == address => "*".to_owned(),
            Some(previous) => {
                let relative = format!("{:+}", address.wrapping_sub(previous.address).cast_signed());
                if relative.len() < absolute.len() { relative } else { absolute }
            }
        }
    }
}

/// Readers take what has one name and file for one function; those that are not get a number.
fn names(call_graph: &CallGraph) -> HashMap<NodeIdx, String> {
    let graph = &call_graph.graph;
    let frame = |it: NodeIdx| call_graph.frames.get(graph.node(it).frame);
    // In a tree, a function is one below each caller.
    let function = |it: NodeIdx| {
        let parent = graph.callers(it).next().map(|edge| graph.edge(edge).from);
        (graph.is_tree().then_some(parent), frame(it).start_line, frame(it).binary)
    };
    let mut functions: HashMap<(&str, &str), HashMap<_, usize>> = HashMap::new();
    for &node in graph.shown() {
        let of_name = functions.entry((frame(node).file, frame(node).name)).or_default();
        let n_known = of_name.len();
        of_name.entry(function(node)).or_insert(n_known);
    }
    let name = |&node: &NodeIdx| {
        let of_name = &functions[&(frame(node).file, frame(node).name)];
        let number = if 1 < of_name.len() {
            format!(" [{}/{}]", of_name[&function(node)] + 1, of_name.len())
        } else {
            String::new()
        };
        (node, format!("{}{number}", frame(node).name))
    };
    graph.shown().iter().map(name).collect()
}
