//! `tree` and `peek`: each place with its callers above and its callees below.

use std::io::Write;

use proto::analysis::calls::{CallGraph, Purpose};
use proto::analysis::graph::{EdgeIdx, NodeIdx};
use proto::units::Percent;

use super::{Error, Report, compile, header};

const RULE: &str = "----------------------------------------------------------+-------------";
const TITLES: &str = "      flat  flat%   sum%        cum   cum%   calls calls% + context 	 	 ";

/// With a pattern, only of the places whose name matches it.
pub(super) fn write(out: &mut dyn Write, report: &Report<'_>, pattern: Option<&str>) -> Result<(), Error> {
    let wanted = pattern.map(compile).transpose()?;
    let call_graph = report.call_graph(Purpose::Table);
    let shown: Vec<NodeIdx> = (call_graph.graph.shown().iter().copied())
        .filter(|&it| wanted.as_ref().is_none_or(|wanted| wanted.is_match(&call_graph.name(it))))
        .collect();
    if let Some(pattern) = pattern
        && shown.is_empty()
    {
        return Err(Error::NoMatch { pattern: pattern.to_owned() });
    }
    header::write(out, report, &call_graph)?;
    writeln!(out, "{RULE}\n{TITLES}")?;
    let mut sum = 0_i64;
    for node in shown {
        sum = sum.saturating_add(call_graph.graph.node(node).sums.flat_value());
        write_node(out, &call_graph, node, sum)?;
    }
    if !call_graph.graph.shown().is_empty() {
        writeln!(out, "{RULE}")?;
    }
    Ok(())
}

fn write_node(out: &mut dyn Write, call_graph: &CallGraph, node: NodeIdx, sum: i64) -> std::io::Result<()> {
    let graph = &call_graph.graph;
    let sums = graph.node(node).sums;
    let (flat, cum) = (sums.flat_value(), sums.cum_value());
    let percent = |part| Percent { part, whole: call_graph.total };
    let amount = |value| call_graph.scale.amount(value);
    writeln!(out, "{RULE}")?;
    for edge in call_graph.callers(node) {
        write_edge(out, call_graph, edge, graph.edge(edge).from, cum)?;
    }
    writeln!(
        out,
        "{:>10} {} {} {:>10} {}                | {}",
        amount(flat),
        percent(flat),
        percent(sum),
        amount(cum),
        percent(cum),
        call_graph.name(node)
    )?;
    for edge in call_graph.callees(node) {
        write_edge(out, call_graph, edge, graph.edge(edge).to, cum)?;
    }
    Ok(())
}

fn write_edge(
    out: &mut dyn Write,
    call_graph: &CallGraph,
    edge: EdgeIdx,
    other: NodeIdx,
    cum: i64,
) -> std::io::Result<()> {
    let edge = call_graph.graph.edge(edge);
    let amount = call_graph.scale.amount(edge.weight);
    let percent = Percent { part: edge.weight, whole: cum };
    let marker = if edge.is_inline { " (inline)" } else { "" };
    writeln!(out, "{amount:>50} {percent} |   {}{marker}", call_graph.name(other))
}
