//! What the viewer is given, found: files, folders and URLs, sorted into profiles and modules.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use proto::{Limits, formats};

use crate::cli::messages::Messages;
use crate::cli::sources::{self, GetOpts};
use crate::serve::{Content, Item};

/// The most that is fetched, in bytes, as for reports.
const MAX_FETCHED: u64 = 2 << 30;

/// How all modules and components begin.
const MAGIC: [u8; 4] = *b"\0asm";

/// Names in a folder that say profile.
const PROFILES: [&str; 7] = [".prof", ".pprof", ".pb.gz", ".pb", ".folded", ".collapsed", ".speedscope.json"];

/// Names in a folder that may be a profile's, as `go test -cpuprofile cpu.out` has it; so may those without any ending.
const PERHAPS: [&str; 4] = [".txt", ".json", ".out", ".gz"];

/// A file that may be a profile is read to tell, if it is not larger, in bytes.
const MAX_TRIED: u64 = 16 << 20;

/// How many of the files that were passed over are named.
const NAMED_SKIPPED: usize = 5;

/// All that was found.
pub(super) struct Gathered {
    pub(super) profiles: Vec<Item>,
    pub(super) modules: Vec<Item>,
}

/// A profile or module.
struct Found {
    /// A file's name, or a URL.
    name: String,
    /// What tells it from others of that name.
    place: String,
    is_module: bool,
    content: Content,
}

/// Finds all of `names`; URLs are fetched, all at once. What cannot be had is said, and the others shown.
///
/// # Errors
///
/// If nothing could be had.
pub(super) fn all(names: &[OsString], opts: &GetOpts, messages: Messages) -> anyhow::Result<Gathered> {
    let names: Vec<&OsStr> = names.iter().map(OsString::as_os_str).collect();
    let mut found = Vec::new();
    for result in sources::at_once(&names, |name| one_or_folder(name, opts, messages)) {
        match result {
            Ok(more) => found.extend(more),
            Err(error) if names.len() == 1 => return Err(error),
            Err(error) => messages.error(&format!("{error:#}")),
        }
    }
    if found.is_empty() {
        bail!("none of {} could be opened", names.len());
    }
    let (modules, profiles) = found.into_iter().partition(|it| it.is_module);
    Ok(Gathered { profiles: items(profiles), modules: items(modules) })
}

/// Finds one profile.
///
/// # Errors
///
/// If it cannot be had, or is something else.
pub(super) fn profile(name: &OsStr, opts: &GetOpts) -> anyhow::Result<Item> {
    let found = one(name, opts)?;
    if found.is_module {
        bail!("{} is a module: expected a profile", found.place);
    }
    Ok(Item { name: found.name, content: found.content })
}

/// Profiles that wprof has written.
pub(super) fn written(paths: &[PathBuf]) -> Vec<Item> {
    items(paths.iter().map(|path| Found::file(path, false)).collect())
}

fn one_or_folder(name: &OsStr, opts: &GetOpts, messages: Messages) -> anyhow::Result<Vec<Found>> {
    let path = Path::new(name);
    if path.is_dir() { folder(path, messages) } else { one(name, opts).map(|found| vec![found]) }
}

fn one(name: &OsStr, opts: &GetOpts) -> anyhow::Result<Found> {
    let Some(target) = opts.target(name) else { return file(Path::new(name)) };
    let url = target.without_user();
    let bytes = opts.get(&target, MAX_FETCHED).with_context(|| format!("failed to fetch {url}"))?;
    Ok(Found::bytes(url, bytes))
}

fn file(path: &Path) -> anyhow::Result<Found> {
    let context = || format!("failed to read {}", path.display());
    let found = fs::metadata(path).with_context(context)?;
    if found.is_dir() {
        bail!("{} is a folder: expected a profile", path.display());
    }
    if !found.is_file() {
        // A pipe can be read once only.
        return Ok(Found::bytes(path.display().to_string(), sources::read(path, MAX_FETCHED).with_context(context)?));
    }
    Ok(Found::file(path, is_module(path).with_context(context)?))
}

fn is_module(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

/// The profiles and modules that lie in a folder, by name; not those in folders below.
fn folder(dir: &Path, messages: Messages) -> anyhow::Result<Vec<Found>> {
    let context = || format!("failed to read {}", dir.display());
    let entries: Result<Vec<_>, _> = fs::read_dir(dir).with_context(context)?.collect();
    let mut paths: Vec<PathBuf> = entries.with_context(context)?.into_iter().map(|it| it.path()).collect();
    paths.retain(|it| it.is_file() && !file_name(it).starts_with('.'));
    paths.sort();
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        match what(&path) {
            Some(is_module) => found.push(Found::file(&path, is_module)),
            None => skipped.push(file_name(&path)),
        }
    }
    let rest = match skipped.len().saturating_sub(NAMED_SKIPPED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    skipped.truncate(NAMED_SKIPPED);
    let skipped = format!("{}{rest}", skipped.join(", "));
    if found.is_empty() {
        let but = if skipped.is_empty() { skipped } else { format!(", only {skipped}") };
        bail!("no profile is in the folder {}{but}", dir.display());
    }
    if !skipped.is_empty() {
        messages.note(&format!("in {}, skipped as no profiles: {skipped}", dir.display()));
    }
    Ok(found)
}

/// Whether a file of a folder is a module or a profile; `None` if it is neither.
fn what(path: &Path) -> Option<bool> {
    let name = file_name(path).to_lowercase();
    if is_module(path).ok()? {
        return Some(true);
    }
    if PROFILES.iter().any(|it| name.ends_with(it)) {
        return Some(false);
    }
    let may_be = PERHAPS.iter().any(|it| name.ends_with(it)) || !name.contains('.');
    if !may_be || MAX_TRIED < fs::metadata(path).ok()?.len() {
        return None;
    }
    let limits = Limits { max_inflated: 4 * MAX_TRIED };
    formats::read(&fs::read(path).ok()?, &limits).ok().map(|_profile| false)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl Found {
    fn file(path: &Path, is_module: bool) -> Self {
        let place = path.display().to_string();
        Self { name: file_name(path), place, is_module, content: Content::File(path.to_owned()) }
    }

    fn bytes(name: String, bytes: Vec<u8>) -> Self {
        let is_module = bytes.starts_with(&MAGIC);
        Self { place: name.clone(), name, is_module, content: Content::Bytes(bytes.into()) }
    }
}

/// Called by their names, or, where several have the same, by their places.
fn items(found: Vec<Found>) -> Vec<Item> {
    let mut n_called: HashMap<String, usize> = HashMap::new();
    for it in &found {
        *n_called.entry(it.name.clone()).or_default() += 1;
    }
    let is_alone = |name: &String| n_called.get(name) == Some(&1);
    let name = |Found { name, place, .. }: &Found| if is_alone(name) { name.clone() } else { place.clone() };
    found.into_iter().map(|it| Item { name: name(&it), content: it.content }).collect()
}
