//! Running a guest as `wasmtime run` would: loading it, its WASI world, calling it, and how it ends.

mod call;
mod ending;
mod limits;
mod load;
mod options;
mod sleep;
mod threads;
mod wasi;

pub use call::{Watched, start};
pub use ending::{EXIT_TIMEOUT, Ending};
pub use load::{Code, compile, has_start, read_wasm};
pub use options::GuestOptions;
pub use threads::{Guest, OnEnd, Threads};
pub use wasi::{Baton, GuestState};
