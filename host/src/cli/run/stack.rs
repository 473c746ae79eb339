//! Where the guest is, for a user who asks with Ctrl-\\.

use std::time::Duration;

use symbols::Symbolizer;

use crate::cli::messages::Messages;
use crate::registry::Registry;
use crate::sample::Leaf;

/// How long a guest may take to show its stack.
const PATIENCE: Duration = Duration::from_secs(1);

/// Frames that are printed, from the innermost on.
const MAX_FRAMES: usize = 50;

/// Prints the guest's stack to stderr, innermost frame first, as a trap's backtrace is printed.
pub(super) fn show(registry: &Registry, messages: Messages) {
    let module = registry.module();
    let contexts = registry.handle().contexts.live();
    let Some((mut offsets, leaf)) = contexts.first().and_then(|main| main.cpu.stack(PATIENCE)) else {
        messages.error("the guest's stack cannot be seen now: it is not running code that can be interrupted");
        return;
    };
    module.map.map_stack(&mut offsets);
    let symbolizer = Symbolizer::new(&module.bytes, None);
    let mut lines = Vec::new();
    if leaf == Leaf::HostCall {
        lines.extend(symbolizer.host_call(&offsets));
    }
    for &offset in offsets.iter().take(MAX_FRAMES) {
        lines.extend(symbolizer.frames(offset).iter().map(|frame| match (frame.file.as_str(), frame.line) {
            ("", _) => format!("{} at {offset:#x}", frame.name),
            (file, line) => format!("{} at {file}:{line}", frame.name),
        }));
    }
    let more = offsets.len().saturating_sub(MAX_FRAMES);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    let lines: Vec<String> = lines.iter().enumerate().map(|(idx, line)| format!("{idx:5}: {line}")).collect();
    // It was asked for, so also when wprof is to be quiet.
    messages.guest_error(&format!("wprof: the guest's stack:\n{}", lines.join("\n")));
}
