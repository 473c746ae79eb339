//! What the tests share: how to run the built `wprof`, what to read in the profiles it writes, and what this machine has.
//!
//! Nothing here knows wprof's insides: the tests see its command line, its files and its HTTP server.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test helper may stop the test")]
#![expect(clippy::missing_panics_doc, reason = "every helper stops the test when the machine fails it")]

pub mod base64;
pub mod books;
pub mod gos;
pub mod http;
pub mod machine;
pub mod page;
pub mod pprof;
pub mod proxy;
pub mod running;
pub mod sampler;
pub mod sections;
pub mod stacks;
pub mod webdriver;
pub mod wprof;
