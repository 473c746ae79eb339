//! Random modules against the heap profiler's rewriter: whatever functions are taken for an allocator's, a module does
//! what it did.
//!
//! `generate` makes modules, `hooks` takes some of their functions for allocators, `twin` runs a module beside its
//! rewritten self, `map` checks the address map, `laws` are the tests.

#[cfg(test)]
mod generate;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod map;
#[cfg(test)]
mod twin;
