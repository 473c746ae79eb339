//! The profiles that a report is of: read, decoded and added up.

use std::path::Path;

use anyhow::{Context, bail};
use proto::{Limits, Profile};

/// Reads all `files` and adds them up. Those that cannot be read are named on stderr, and the others shown; only if
/// none can, that is an error. (pprof does the same.)
///
/// # Errors
///
/// If no file could be read, or they have no sample type in common.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
pub(super) fn load(files: &[impl AsRef<Path>]) -> anyhow::Result<Profile> {
    let mut profiles = Vec::with_capacity(files.len());
    for file in files.iter().map(AsRef::as_ref) {
        match read(file) {
            Ok(profile) => profiles.push(profile),
            Err(error) => eprintln!("{}: {error:#}", file.display()),
        }
    }
    if profiles.is_empty() {
        bail!("failed to fetch any source profiles");
    }
    let merged = proto::merge(&profiles).context("problem fetching source profiles")?;
    if profiles.len() < files.len() {
        eprintln!("Fetched {} source profiles out of {}", profiles.len(), files.len());
    }
    Ok(merged)
}

fn read(file: &Path) -> anyhow::Result<Profile> {
    let bytes = std::fs::read(file)?;
    proto::decode(&bytes, &Limits::default()).context("parsing profile")
}
