//! `wprof view`: the viewer on given profiles, served on loopback.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::messages::{Color, Messages};
use crate::serve;

/// Options of `wprof view`.
#[derive(Debug, clap::Args)]
pub struct Opts {
    /// Profiles to show.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Do not open the browser; print the address only.
    #[arg(long)]
    no_open: bool,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

/// Serves the viewer until Ctrl-C.
///
/// # Errors
///
/// When a file cannot be read or the address is taken.
pub fn run(opts: &Opts) -> anyhow::Result<ExitCode> {
    listen(&opts.files, opts.port, !opts.no_open, Messages::new(false, Color::Auto))
}

/// The same, as `wprof run --view` does.
pub(super) fn serve(files: &[PathBuf], messages: Messages) -> anyhow::Result<ExitCode> {
    listen(files, 0, true, messages)
}

fn listen(files: &[PathBuf], port: u16, open_browser: bool, messages: Messages) -> anyhow::Result<ExitCode> {
    if !serve::has_bundle() {
        bail!("this wprof was built without the viewer: run `cargo xtask bundle`, then build wprof again");
    }
    for file in files {
        check_readable(file)?;
    }
    let server = serve::Server::bind(port, files)?;
    let url = server.url();
    messages.note(&format!("the viewer is at {url} (Ctrl-C ends it)"));
    if open_browser && let Err(error) = open::that_detached(&url) {
        messages.warn(&format!("the browser could not be opened ({error}); open {url} yourself"));
    }
    server.run()?;
    Ok(ExitCode::SUCCESS)
}

fn check_readable(file: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(file).with_context(|| format!("failed to read {}", file.display()))?;
    if found.is_dir() {
        bail!("{} is a folder: expected a profile", file.display());
    }
    Ok(())
}
