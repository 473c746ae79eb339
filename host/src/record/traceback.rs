//! Execution contexts one by one, as Go's tracebacks show goroutines: `goroutine?debug=2`.

use std::fmt::Write as _;
use std::io;

use super::{Names, Run};
use crate::contexts::Snapshot;
use crate::sample::Leaf;

/// Frames of one context that are printed at each end; those between are only counted.
const MAX_FRAMES: usize = 50;

/// Bytes of all of them together, as Go has it.
const MAX_BYTES: usize = 64 << 20;

/// What to print.
#[derive(Debug)]
pub struct Traceback<'a> {
    /// The contexts, in the order in which they are printed.
    pub snapshots: &'a [Snapshot],
    /// The one that asks, if it is one of them.
    pub own: Option<u32>,
}

/// Prints them: what each does and for how long it has been there, its labels, its stack, and what has started it.
///
/// # Errors
///
/// When `out` takes no more.
pub fn traceback(of: &Traceback<'_>, out: &mut impl io::Write, names: &mut Names<'_>, run: &Run<'_>) -> io::Result<()> {
    let mut n_bytes = 0;
    for snapshot in of.snapshots {
        let text = one(snapshot, of.own == Some(snapshot.id), names, run);
        n_bytes += text.len();
        if n_bytes > MAX_BYTES {
            return writeln!(out, "...more contexts, which do not fit");
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn one(snapshot: &Snapshot, is_own: bool, names: &mut Names<'_>, run: &Run<'_>) -> String {
    let mut offsets = snapshot.stack.as_ref().map(|(offsets, _)| offsets.clone()).unwrap_or_default();
    run.map.map_stack(&mut offsets);
    names.look_up(offsets.iter().copied());
    let state = match &snapshot.stack {
        None => "running, not sampled".to_owned(),
        Some((_, Leaf::HostCall)) if !is_own => state_in(names.symbolizer.host_call(&offsets).as_deref()),
        Some(_) => "running".to_owned(),
    };
    let minutes = snapshot.age.as_secs() / 60;
    let age = if minutes > 0 && state != "running" { format!(", {minutes} minutes") } else { String::new() };
    let mut text = format!("goroutine {} [{state}{age}]{}:\n", snapshot.id, labels(snapshot, run));
    let n_elided = offsets.len().saturating_sub(2 * MAX_FRAMES);
    for (n, &offset) in offsets.iter().enumerate() {
        if n_elided > 0 && n == MAX_FRAMES {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "...{n_elided} frames elided...");
        }
        if n_elided == 0 || n < MAX_FRAMES || n >= MAX_FRAMES + n_elided {
            write_frames(&mut text, offset, names);
        }
    }
    write_creation(&mut text, snapshot, names, run);
    text.push('\n');
    text
}

/// What a context does in a host call.
fn state_in(call: Option<&str>) -> String {
    match call {
        Some(call) if call.contains("memory.atomic.wait") => "atomic wait".to_owned(),
        Some(call) if call.ends_with("poll_oneoff") => "poll".to_owned(),
        Some(call) => format!("host call: {call}"),
        None => "host call".to_owned(),
    }
}

/// ` {key: value, …}`, with quotes where they are needed.
fn labels(snapshot: &Snapshot, run: &Run<'_>) -> String {
    let pairs = run.labels.pairs(snapshot.labels).unwrap_or_default();
    if pairs.is_empty() {
        return String::new();
    }
    let plain = |text: &str| !text.is_empty() && text.chars().all(|it| it.is_alphanumeric() || "_-./".contains(it));
    let shown = |text: &str| if plain(text) { text.to_owned() } else { format!("{text:?}") };
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}: {}", shown(key), shown(value))).collect();
    format!(" {{{}}}", pairs.join(", "))
}

/// The calls at a place: a function, and below it the line and how far that is from the function's start.
fn write_frames(text: &mut String, offset: u32, names: &Names<'_>) {
    let start = names.symbolizer.function_at(offset).map_or(0, |it| it.body.start);
    for frame in names.at(offset) {
        let file = if frame.file.is_empty() { "?" } else { &frame.file };
        let _ = writeln!(text, "{}(...)\n\t{file}:{} +{:#x}", frame.name, frame.line, offset.saturating_sub(start));
    }
}

fn write_creation(text: &mut String, snapshot: &Snapshot, names: &mut Names<'_>, run: &Run<'_>) {
    let mut offsets = snapshot.creation.offsets.clone();
    run.map.map_stack(&mut offsets);
    let Some(&offset) = offsets.first() else { return };
    names.look_up([offset]);
    let mut frame = String::new();
    write_frames(&mut frame, offset, names);
    // The innermost call stands for the place.
    let mut lines = frame.lines();
    let (function, place) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let function = function.strip_suffix("(...)").unwrap_or(function);
    let _ = writeln!(text, "created by {function} in goroutine {}\n{place}", snapshot.creation.by);
}
