//! `top`, `tree`, `peek` and `traces` as JSON, for programs: values as they are, not scaled.

use std::io::Write;

use proto::analysis::Frames;
use proto::analysis::calls::{CallGraph, Purpose};
use proto::analysis::graph::{Edge, EdgeIdx, NodeIdx};
use proto::{LabelValue, Profile, SampleRef};
use serde_json::{Value, json};

use super::{Error, Kind, Report, compile};

pub(super) fn write(out: &mut dyn Write, kind: &Kind, report: &Report<'_>) -> Result<(), Error> {
    let value = match kind {
        Kind::Top => places(report, Purpose::Places, None)?,
        Kind::Tree => places(report, Purpose::Table, None)?,
        Kind::Peek(pattern) => places(report, Purpose::Table, Some(pattern))?,
        Kind::Traces => traces(report),
        _ => return Err(Error::NoJson),
    };
    serde_json::to_writer_pretty(&mut *out, &value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// What is said of every report.
fn header(report: &Report<'_>) -> Value {
    let profile = report.profile();
    let main = profile.mappings().first();
    json!({
        "file": main.map(|it| profile.string(it.filename)),
        "build_id": main.map(|it| profile.string(it.build_id)),
        "comments": profile.comments().collect::<Vec<_>>(),
        "type": report.value_kind(),
        "unit": report.scale().from,
        "time_nanos": profile.time_nanos(),
        "duration_nanos": profile.duration_nanos(),
        "total": report.selection.total,
        "filters": report.options.select.filters.active().map(|(option, text)| (option.to_owned(), json!(text)))
            .collect::<serde_json::Map<String, Value>>(),
    })
}

fn with(mut header: Value, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    more.into_iter().for_each(|(key, value)| header[key] = value);
    header
}

fn places(report: &Report<'_>, purpose: Purpose, pattern: Option<&str>) -> Result<Value, Error> {
    let wanted = pattern.map(compile).transpose()?;
    let call_graph = report.call_graph(purpose);
    let is_wanted = |it: &&NodeIdx| wanted.as_ref().is_none_or(|wanted| wanted.is_match(&call_graph.name(**it)));
    let nodes: Vec<Value> =
        call_graph.graph.shown().iter().filter(is_wanted).map(|&it| place(&call_graph, it, purpose)).collect();
    if let (Some(pattern), []) = (pattern, nodes.as_slice()) {
        return Err(Error::NoMatch { pattern: pattern.to_owned() });
    }
    Ok(with(
        header(report),
        [
            ("shown", json!(call_graph.shown)),
            ("dropped", json!(call_graph.n_dropped)),
            ("dropped_cum", json!(call_graph.dropped_cum)),
            ("places", json!(call_graph.n_places)),
            ("rows", Value::Array(nodes)),
        ],
    ))
}

fn place(call_graph: &CallGraph, node: NodeIdx, purpose: Purpose) -> Value {
    let graph = &call_graph.graph;
    let sums = graph.node(node).sums;
    let frame = call_graph.frames.get(graph.node(node).frame);
    let mut value = json!({
        "name": frame.label(),
        "flat": sums.flat_value(),
        "cum": sums.cum_value(),
        "inline": graph.inline(node).marker().trim_matches(['(', ')']),
    });
    if !frame.file.is_empty() {
        value["file"] = json!(frame.file);
        value["line"] = json!(frame.line);
    }
    if purpose == Purpose::Table {
        let calls = |edges: Vec<EdgeIdx>, other: fn(&Edge) -> NodeIdx| -> Vec<Value> {
            let call = |it: EdgeIdx| {
                let edge = graph.edge(it);
                json!({ "name": call_graph.name(other(edge)), "value": edge.weight, "inline": edge.is_inline })
            };
            edges.into_iter().map(call).collect()
        };
        value["callers"] = json!(calls(call_graph.callers(node), |it| it.from));
        value["callees"] = json!(calls(call_graph.callees(node), |it| it.to));
    }
    value
}

fn traces(report: &Report<'_>) -> Value {
    let profile = report.profile();
    let frames = Frames::new(profile, &report.options.table.frames);
    let traces: Vec<Value> = profile.samples().map(|it| trace(report, &frames, it)).collect();
    with(header(report), [("traces", Value::Array(traces))])
}

/// The stack is from leaf to root, as in pprof files.
fn trace(report: &Report<'_>, frames: &Frames, sample: SampleRef<'_>) -> Value {
    let mut stack = Vec::new();
    for &location in sample.locations {
        let at = frames.at(location);
        let frame = |(idx, &id): (usize, &_)| json!({ "name": frames.get(id).label(), "inline": idx + 1 < at.len() });
        stack.extend(at.iter().enumerate().map(frame));
    }
    json!({
        "value": report.value(sample),
        "labels": labels(report.profile(), sample),
        "stack": stack,
    })
}

fn labels(profile: &Profile, sample: SampleRef<'_>) -> Value {
    let mut labels = serde_json::Map::new();
    for label in sample.labels {
        let value = match label.value {
            LabelValue::Str(text) => json!(profile.string(text)),
            LabelValue::Num { num, unit } if unit.index() == 0 => json!(num),
            LabelValue::Num { num, unit } => json!({ "value": num, "unit": profile.string(unit) }),
        };
        let values = labels.entry(profile.string(label.key)).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(value);
        }
    }
    Value::Object(labels)
}
