//! Rewriting a module or component so that its allocator tells of what it does.
//!
//! `layout` reads a core module, `code` is what goes into the allocator's functions, `body` puts it in,
//! `atomics` has waiting threads tell of that, `module` writes
//! the new module, `component` does so with the core modules inside a component, `map` leads back to the original file.

mod atomics;
mod body;
mod code;
mod component;
mod layout;
mod map;
mod module;

pub use atomics::{NOTIFIES, RESULT_SHIFT, TAKEN, WAITS};
pub use code::{FILTER_FULL, IS_TELLING, QUEUE, QUEUE_LENGTH, QUEUE_NAMES, SUSPENDED, filter_slot};
pub use component::{ComponentRewrite, rewrite_component};
pub(in crate::heap) use layout::Layout;
pub use layout::THREAD_SPAWN;
pub use map::{AddressMap, Origin, Segment};
pub use module::{Armed, CoreRewrite, FILTER, FILTER_PAGES, HOOK_SLOTS, rewrite_module};

#[cfg(test)]
mod tests;
