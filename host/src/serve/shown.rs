//! What the viewer is to show: profiles, a base to compare with, modules, and where sources are.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use serde_json::{Value, json};

use super::sources::{Mentioned, Sources};

/// All of it.
#[derive(Debug)]
pub struct Shown {
    /// In the order given.
    pub(super) profiles: Vec<Item>,
    /// What the profiles are compared with.
    pub(super) base: Option<Base>,
    /// Modules that profiles may be of, for names and instructions.
    pub(super) modules: Vec<Item>,
    sources: Sources,
    mentioned: Mentioned,
}

/// A profile or module.
#[derive(Debug)]
pub struct Item {
    /// What the page calls it.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// Where bytes are.
#[derive(Debug)]
pub enum Content {
    /// In a file, which is read anew each time.
    File(PathBuf),
    /// In memory, as they were fetched.
    Bytes(Bytes),
}

/// A profile to take away from the others.
#[derive(Debug)]
pub struct Base {
    /// The profile.
    pub item: Item,
    /// Whether percentages are of it, as pprof's `-diff_base` has it; if not, it is a `-base`.
    pub is_diff: bool,
}

impl Shown {
    /// To be served; the page shows the first profile first.
    #[must_use]
    pub fn new(profiles: Vec<Item>, base: Option<Base>, modules: Vec<Item>, sources: Sources) -> Self {
        let mentioned = Mentioned::of(profiles.len() + 1);
        Self { profiles, base, modules, sources, mentioned }
    }

    /// What there is, and where: the answer to `/api/profiles`.
    pub(super) fn list(&self) -> Value {
        let items = |items: &[Item], folder: &str| -> Vec<Value> {
            items.iter().enumerate().map(|(idx, item)| item.entry(&format!("/api/{folder}/{idx}"))).collect()
        };
        let base = self.base.as_ref().map(|base| {
            let mut entry = base.item.entry("/api/base");
            entry["is_diff"] = base.is_diff.into();
            entry
        });
        json!({
            "profiles": items(&self.profiles, "profiles"),
            "base": base,
            "modules": items(&self.modules, "modules"),
            "sources": self.sources.is_any(),
        })
    }

    /// A source file's text, if a profile that is served mentions this path; or why there is none.
    pub(super) fn source(&self, path: &str) -> Result<Vec<u8>, String> {
        let bases = self.base.iter().map(|it| &it.item.content);
        let profiles = self.profiles.iter().map(|it| &it.content).chain(bases);
        if !self.mentioned.is(path, profiles) {
            return Err(format!("no profile that is served mentions {path}"));
        }
        self.sources.read(path)
    }
}

impl Item {
    /// `size` is null if the file is gone.
    fn entry(&self, url: &str) -> Value {
        json!({ "name": self.name, "url": url, "size": self.content.size() })
    }
}

impl Content {
    fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => fs::metadata(path).ok().map(|it| it.len()),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
        }
    }

    /// For messages.
    pub(super) fn place(&self, name: &str) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Bytes(_) => name.to_owned(),
        }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Bytes(_) => None,
        }
    }
}
