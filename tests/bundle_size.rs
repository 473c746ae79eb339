//! The bundle stays small enough to be sent: 700 kB in all, as brotli has it.

use std::process::Command;

use serde_json::Value;
use support::machine::{skip, workspace};

const MOST: u64 = 700_000;

#[test]
fn the_bundle_is_at_most_700_kb_of_brotli() {
    let dist = workspace().join("www/dist");
    assert!(dist.is_dir(), "{} is missing: run `cargo xtask test`, which builds it", dist.display());
    let script = include_str!("../xtask/src/bundle/sizes.js");
    let Ok(output) = Command::new("node").args(["-e", script]).arg(&dist).output() else {
        skip("there is no node, which brings brotli");
        return;
    };
    let sizes: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let files = sizes.as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(files.iter().any(|it| it["name"] == "wprof_viewer_bg.wasm"), "{sizes}, {output:?}");
    let sum: u64 = files.iter().filter_map(|it| it["brotli"].as_u64()).sum();
    assert!(sum <= MOST, "{sum} bytes (a bundle made with --quick is larger): {sizes}");
}
