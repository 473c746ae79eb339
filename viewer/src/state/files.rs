//! The files that are open, being opened, or could not be; and which of them is on show.

use std::rc::Rc;

use yew::AttrValue;

use super::{Phase, State};
use crate::failure::Failure;
use crate::protocol::{FileId, Stage, Summary};
use crate::route::{Route, View};
use crate::same::Same;
use crate::session::Session;

/// A file that the worker is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewFile {
    pub(crate) id: FileId,
    pub(crate) name: AttrValue,
    pub(crate) intent: Intent,
}

/// What is to be done with a profile once it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Intent {
    /// On show at once.
    #[default]
    Show,
    /// Only in the list.
    Keep,
    /// Compared with what is on show then, or with what was opened to be shown together with it; the older one is the
    /// base.
    Compare,
    /// The base of a diff.
    Base,
}

/// A file of the page's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenFile {
    pub(crate) id: FileId,
    pub(crate) name: AttrValue,
    pub(crate) intent: Intent,
    pub(crate) status: FileStatus,
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FileStatus {
    Loading(Stage),
    Profile(Rc<Summary>),
    /// A module or a source: what it is.
    Attached(AttrValue),
    Failed(Rc<Failure>),
}

impl OpenFile {
    pub(crate) fn is_profile(&self) -> bool {
        matches!(self.status, FileStatus::Profile(_))
    }

    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.status, FileStatus::Loading(_))
    }

    /// How far it is; one that is there waits for nothing.
    pub(crate) fn stage(&self) -> Stage {
        match &self.status {
            FileStatus::Loading(stage) => *stage,
            _ => Stage::Preparing { n_samples: 0 },
        }
    }
}

impl State {
    pub(crate) fn file(&self, id: FileId) -> Option<&OpenFile> {
        self.files.iter().find(|file| file.id == id)
    }

    /// Profiles that are open.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = (&OpenFile, &Rc<Summary>)> {
        self.files.iter().filter_map(|file| match &file.status {
            FileStatus::Profile(summary) => Some((file, summary)),
            _ => None,
        })
    }

    pub(super) fn profile_named(&self, name: &str) -> Option<FileId> {
        self.profiles().find(|(file, _)| file.name == name).map(|(file, _)| file.id)
    }

    /// The profile in the view that the last one was in; what was chosen of that does not carry over, nor do filters.
    pub(super) fn show_file(&mut self, id: FileId) {
        let found = self.profiles().find(|(file, _)| file.id == id);
        let Some((name, summary)) = found.map(|(file, summary)| (file.name.clone(), Rc::clone(summary))) else {
            return;
        };
        if self.session.as_ref().is_none_or(|session| session.file != id) {
            let route = match &self.session {
                Some(session) => session.route.for_another_file(),
                None => std::mem::take(&mut self.wanted),
            };
            let several = self.profiles().count() > 1;
            let route = Route { file: several.then(|| name.to_string()), ..route };
            let base = route.base.as_deref().and_then(|name| self.profile_named(name)).filter(|base| *base != id);
            let mut session = Session::new(id, name, summary, route);
            session.base = base;
            session.revision = self.n_attached();
            self.session = Some(Same::new(session));
        }
        self.phase = Phase::Open;
    }

    pub(super) fn n_attached(&self) -> u32 {
        let n = self.files.iter().filter(|file| matches!(file.status, FileStatus::Attached(_))).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    /// Back to what was on show before.
    pub(super) fn back(&mut self) {
        self.files.retain(|file| !matches!(file.status, FileStatus::Failed(_)));
        self.phase = if self.session.is_some() { Phase::Open } else { Phase::Landing };
    }

    pub(super) fn close(&mut self, id: FileId) {
        if self.file(id).is_some_and(|file| file.intent == Intent::Show) {
            self.intend_instead(Intent::Keep);
        }
        self.files.retain(|file| file.id != id);
        self.change_session(|session| {
            if session.base == Some(id) {
                session.reduce(super::Action::Base(None, None));
            }
        });
        let was_shown = self.session.as_ref().is_some_and(|session| session.file == id);
        if was_shown {
            self.session = None;
        }
        if was_shown || self.phase == Phase::Loading(id) {
            match self.profiles().last().map(|(file, _)| file.id) {
                Some(other) if self.session.is_none() => self.show_file(other),
                _ => self.back(),
            }
        }
    }

    /// The worker is gone, and all that it had. Without a file on hand nothing was lost, and the page stays as it is.
    pub(super) fn lose_all(&mut self, failure: impl FnOnce(AttrValue) -> Failure) {
        let name = self.file_name().filter(|_| matches!(self.phase, Phase::Loading(_) | Phase::Open));
        if let Some(name) = name {
            self.phase = Phase::Failed(Rc::new(failure(name)));
        }
        self.files.clear();
        self.session = None;
    }
}

impl Route {
    /// How a profile was looked at, for another one.
    fn for_another_file(&self) -> Route {
        let zoomless = crate::route::FlameLook { zoom: String::new(), ..self.flame.clone() };
        Route {
            filters: Vec::new(),
            picked: None,
            function: None,
            query: String::new(),
            node: String::new(),
            view: if self.view == View::Diff { View::Both } else { self.view },
            flame: zoomless,
            ..self.clone()
        }
    }
}
