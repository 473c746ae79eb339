//! Where finished profiles go.

pub mod file;
