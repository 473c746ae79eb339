//! Source files for the page. A profile may come from anywhere and mention any path, so two things must hold of a file
//! that is served: a profile mentions it, and it lies in the folders that the user looks for sources in.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use proto::analysis::{clean_path, trim_source};
use proto::{Limits, Profile, formats};

use super::shown::Content;
use crate::said::go_error;

/// No source that people read in a page is larger, in bytes.
const MAX_SIZE: u64 = 4 << 20;

/// Where source files may be.
#[derive(Debug)]
pub struct Sources {
    /// Real folders: no links in their paths.
    roots: Vec<PathBuf>,
    trim_path: String,
}

impl Sources {
    /// Looks in the folders of `search_path`, separated by `:`; in the current one if that is empty, unless it is the root
    /// of all files. `trim_path` is what to take off paths first. Unlike for reports, the folders above are not searched.
    #[must_use]
    pub fn new(search_path: &str, trim_path: &str) -> Self {
        let named = search_path.split(':').filter(|it| !it.is_empty()).map(PathBuf::from);
        let current = || std::env::current_dir().ok().filter(|it| it.parent().is_some());
        let dirs: Vec<PathBuf> = if search_path.is_empty() { current().into_iter().collect() } else { named.collect() };
        let roots = dirs.iter().filter_map(|it| it.canonicalize().ok()).filter(|it| it.is_dir()).collect();
        Self { roots, trim_path: trim_path.to_owned() }
    }

    /// Whether there is a folder to look in.
    pub(super) fn is_any(&self) -> bool {
        !self.roots.is_empty()
    }

    /// The text of the file that a profile calls so; or why there is none.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found =
            self.find(path).ok_or_else(|| format!("{path} is not in the source path, which --source_path names"))?;
        let said = |error: std::io::Error| format!("failed to read {path}: {}", go_error(&error));
        let file = File::open(found).map_err(said)?;
        let mut text = Vec::new();
        file.take(MAX_SIZE + 1).read_to_end(&mut text).map_err(said)?;
        if MAX_SIZE < text.len() as u64 {
            return Err(format!("{path} is larger than the 4 MB that are shown of a source file"));
        }
        Ok(text)
    }

    /// The real file behind a path, if it lies in one of the folders. What begins with a dot there, as keys and settings
    /// do, is no source.
    fn find(&self, path: &str) -> Option<PathBuf> {
        let search_path: Vec<_> = self.roots.iter().map(|it| it.to_string_lossy()).collect();
        let trimmed = trim_source(path, &self.trim_path, &search_path.join(":"));
        let is_open = |real: &Path| {
            let below = self.roots.iter().filter_map(|root| real.strip_prefix(root).ok());
            let is_hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
            below.into_iter().any(|it| !it.components().any(is_hidden))
        };
        let candidates =
            [trimmed, path].into_iter().flat_map(|path| self.roots.iter().map(move |root| root.join(path)));
        // The links are followed first, so that what is asked is where the file really is.
        candidates.filter_map(|it| it.canonicalize().ok()).find(|real| is_open(real) && real.is_file())
    }
}

/// Which source files each profile mentions, read when first asked for and kept while the file stays the same.
#[derive(Debug)]
pub(super) struct Mentioned(Mutex<Vec<Option<Paths>>>);

#[derive(Debug)]
struct Paths {
    version: Version,
    paths: HashSet<String>,
}

/// What changes when a file is written again: its length, and when that was.
type Version = (u64, Option<SystemTime>);

impl Mentioned {
    /// By so many profiles.
    pub(super) fn of(n_profiles: usize) -> Self {
        Self(Mutex::new((0..n_profiles).map(|_| None).collect()))
    }

    /// Whether one of `profiles`, the same at each call, mentions `path`.
    pub(super) fn is<'a>(&self, path: &str, profiles: impl Iterator<Item = &'a Content>) -> bool {
        let path = clean_path(path);
        // Each is read once even if the page asks for several files at a time. What is kept is sound after a panic.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter_mut().zip(profiles).any(|(kept, content)| {
            let version = version(content);
            if kept.as_ref().is_none_or(|it| it.version != version) {
                *kept = Some(Paths { version, paths: mentioned(content) });
            }
            kept.as_ref().is_some_and(|it| it.paths.contains(&path))
        })
    }
}

fn version(content: &Content) -> Version {
    let found = content.path().and_then(|it| fs::metadata(it).ok());
    found.map_or((0, None), |it| (it.len(), it.modified().ok()))
}

/// The paths of a profile, as analysis shows them; of a broken one none.
fn mentioned(content: &Content) -> HashSet<String> {
    let profile = match content {
        Content::File(path) => fs::read(path).ok().and_then(|bytes| decode(&bytes)),
        Content::Bytes(bytes) => decode(bytes),
    };
    let Some(profile) = profile else { return HashSet::new() };
    let paths = profile.functions().iter().map(|it| profile.string(it.filename));
    paths.filter(|it| !it.is_empty()).map(clean_path).collect()
}

fn decode(bytes: &[u8]) -> Option<Profile> {
    formats::read(bytes, &Limits::default()).ok()
}
