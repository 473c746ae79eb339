//! `wprof view`: the viewer on given profiles, served on loopback.

mod gather;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::messages::{Color, Messages};
use super::sources::GetOpts;
use crate::serve::{self, Base, Shown, Sources};

/// Options of `wprof view`; those that reports have too may be spelt as pprof spells them.
#[derive(Debug, clap::Args)]
pub struct Opts {
    /// Profiles to show: files, folders of them, hosts with a port, or URLs. Modules (.wasm) among them are for names and
    /// instructions.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<OsString>,

    /// Take this profile away from each.
    #[arg(long, value_name = "FILE")]
    base: Option<OsString>,

    /// The same, and percentages are of it.
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    diff_base: Option<OsString>,

    /// Prefixes to take off file names, separated by colons.
    #[arg(long, value_name = "PATHS", default_value = "", hide_default_value = true)]
    trim_path: String,

    /// Where source files are looked for, separated by colons; by default in the current folder. Only those are shown
    /// that a profile mentions.
    #[arg(long, value_name = "PATHS", default_value = "", hide_default_value = true)]
    source_path: String,

    /// Do not open the browser; print the address only.
    #[arg(long)]
    no_open: bool,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    #[command(flatten)]
    get: GetOpts,
}

/// Serves the viewer until Ctrl-C.
///
/// # Errors
///
/// When there is nothing to show or the address is taken.
pub fn run(opts: &Opts) -> anyhow::Result<ExitCode> {
    let messages = Messages::new(false, Color::Auto);
    check_bundle()?;
    for dir in opts.source_path.split(':').filter(|it| !it.is_empty() && !Path::new(it).is_dir()) {
        messages.warn(&format!("there is no folder {dir} to look for sources in"));
    }
    let [base, diff_base] = [(&opts.base, false), (&opts.diff_base, true)].map(|(name, is_diff)| {
        let base = name.as_ref().map(|name| gather::profile(name, &opts.get)).transpose()?;
        Ok::<_, anyhow::Error>(base.map(|item| Base { item, is_diff }))
    });
    let base = base?.or(diff_base?);
    let gathered = gather::all(&opts.files, &opts.get, messages)?;
    if gathered.profiles.is_empty() {
        bail!("there are modules only: expected a profile too");
    }
    let sources = Sources::new(&opts.source_path, &opts.trim_path);
    let shown = Shown::new(gathered.profiles, base, gathered.modules, sources);
    listen(shown, opts.port, !opts.no_open, messages)
}

/// The viewer on what `wprof run --view` has written.
pub(super) fn serve(files: &[PathBuf], messages: Messages) -> anyhow::Result<ExitCode> {
    check_bundle()?;
    listen(Shown::new(gather::written(files), None, Vec::new(), Sources::new("", "")), 0, true, messages)
}

fn check_bundle() -> anyhow::Result<()> {
    if !serve::has_bundle() {
        bail!("this wprof was built without the viewer: run `cargo xtask bundle`, then build wprof again");
    }
    Ok(())
}

fn listen(shown: Shown, port: u16, open_browser: bool, messages: Messages) -> anyhow::Result<ExitCode> {
    let server = serve::Server::bind(port, shown)?;
    let url = server.url();
    messages.note(&format!("the viewer is at {url} (Ctrl-C ends it)"));
    if open_browser && let Err(error) = open::that_detached(&url) {
        messages.warn(&format!("the browser could not be opened ({error}); open {url} yourself"));
    }
    server.run()?;
    Ok(ExitCode::SUCCESS)
}
