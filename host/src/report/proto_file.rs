//! `proto` and `topproto`: what is left of a profile, and its heaviest places, as files.

use std::io::{self, Write};

use proto::analysis::calls::Purpose;
use proto::analysis::{FrameOptions, divided, without_inlined};
use proto::{FunctionSpec, Line, ProfileBuilder, encode_gzip, units};

use super::Report;

/// The profile after filters and comparison, values divided.
pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let &FrameOptions { noinlines, show_columns, .. } = &report.options.table.frames;
    let profile = divided(report.profile(), report.options.table.divide_by);
    let profile = if noinlines { without_inlined(&profile, show_columns) } else { profile };
    out.write_all(&encode_gzip(&profile))
}

/// A profile whose samples are the places of `top`, with cum and flat as values in the report's unit.
pub(super) fn write_top(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let call_graph = report.call_graph(Purpose::Places);
    let units::Scale { from, to, .. } = &call_graph.scale;
    let mut builder = ProfileBuilder::new(&[("cum", to), ("flat", to)]);
    let profile = report.profile();
    builder.time_nanos(profile.time_nanos());
    builder.duration_nanos(profile.duration_nanos());
    if let Some(it) = profile.period_type() {
        builder.period(profile.string(it.kind), profile.string(it.unit), profile.period());
    }
    #[expect(clippy::cast_possible_truncation, reason = "cut as pprof cuts")]
    let whole = |value| units::scale(value, from, to).0 as i64;
    for &node in call_graph.graph.shown() {
        let frame = call_graph.frames.get(call_graph.graph.node(node).frame);
        let function =
            FunctionSpec { name: frame.name, system_name: "", filename: frame.file, start_line: frame.start_line };
        let function = builder.function(function);
        let line = Line { function, line: frame.line, column: frame.column };
        let location = builder.location(None, frame.address, &[line]);
        let sums = call_graph.graph.node(node).sums;
        builder.sample(&[location], &[whole(sums.cum_value()), whole(sums.flat_value())], &[]);
    }
    out.write_all(&encode_gzip(&builder.finish()))
}
