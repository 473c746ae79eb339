//! wprof runs a WebAssembly guest on wasmtime and tells where its time goes.
//!
//! The data flows one way:
//!
//! ```text
//! guest stack → sample::RawSamples → record → proto::Profile → bytes → sink
//!                                    symbols ↗
//! ```
//!
//! [`guest`] runs the module as `wasmtime run` would, [`sample`] looks at its stack, the crate [`symbols`] knows names
//! for module offsets, [`record`] joins the two, [`supervise`] sees to it that a profile comes out however the guest
//! ends. [`report`] prints what [`proto::analysis`] computes; [`locate`] finds the modules of profiles that others
//! recorded; [`serve`] shows it in the browser; [`debug`] serves the profiles of guests that run.
//!
//! A program that runs guests itself has them profiled by a [`Profiler`].

#![deny(unsafe_code)]

pub mod abi;
pub mod cli;
pub mod contention;
pub mod contexts;
pub mod custom;
pub mod debug;
pub mod delta;
pub mod guest;
pub mod heap;
pub mod labels;
pub mod locate;
pub mod measure;
mod memory;
pub mod profiler;
pub mod record;
pub mod registry;
pub mod report;
mod said;
pub mod sample;
pub mod serve;
pub mod sink;
pub mod stack;
pub mod stats;
pub mod supervise;

pub use profiler::Profiler;
