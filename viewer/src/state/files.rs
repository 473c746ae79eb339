//! The files that are open, being opened, or could not be; and which of them is on show.

use std::rc::Rc;

use yew::AttrValue;

use super::{Overlay, Phase, State};
use crate::failure::Failure;
use crate::protocol::{FileId, Refusal, Stage, Summary};
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
    /// Compared with what is on show then, the older one as the base.
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

    pub(super) fn opening(&mut self, files: Vec<NewFile>) {
        self.overlay = Overlay::None;
        let shown = files.iter().find(|file| file.intent != Intent::Keep).or(files.first()).map(|file| file.id);
        // What could not be opened before is no longer of interest.
        self.files.retain(|file| !matches!(file.status, FileStatus::Failed(_)));
        // What was meant by a drop that is over says nothing about this one.
        self.files.iter_mut().filter(|file| file.is_profile()).for_each(|file| file.intent = Intent::Keep);
        let opened = files.into_iter().map(|NewFile { id, name, intent }| OpenFile {
            id,
            name,
            intent,
            status: FileStatus::Loading(Stage::Starting),
        });
        self.files.extend(opened);
        if let Some(id) = shown {
            self.phase = Phase::Loading(id);
        }
    }

    fn set_status(&mut self, id: FileId, status: FileStatus) -> bool {
        let file = self.files.iter_mut().find(|file| file.id == id);
        file.map(|file| file.status = status).is_some()
    }

    pub(super) fn staged(&mut self, id: FileId, stage: Stage) {
        self.set_status(id, FileStatus::Loading(stage));
    }

    /// A profile that was closed while it was read is no longer wanted.
    pub(super) fn opened(&mut self, id: FileId, summary: Summary) {
        let Some(intent) = self.file(id).map(|file| file.intent) else { return };
        let name = self.file(id).map(|file| file.name.clone()).unwrap_or_default();
        let lost = summary
            .lost
            .iter()
            .map(|lost| format!("{name} is cut short or damaged, so this is a part of it: {lost}").into());
        self.notices.extend(lost);
        self.set_status(id, FileStatus::Profile(Rc::new(summary)));
        // The base that a link names may come after what it is the base of.
        self.change_session(|session| {
            if session.file != id && session.base.is_none() && session.route.base.as_deref() == Some(name.as_str()) {
                session.base = Some(id);
            }
        });
        let before = self.session.as_ref().map(|session| session.file);
        match (intent, before) {
            (Intent::Base, None) | (Intent::Keep, Some(_)) => self.settle(),
            (Intent::Base, Some(_)) => {
                self.compare_with(id);
                self.settle();
            }
            (Intent::Show, Some(before)) if !self.is_to_be_compared(before) => self.show_file(id),
            // Of two that are opened together either may be there first.
            (Intent::Compare | Intent::Show, Some(before)) => {
                let (base, shown) = if self.time(id) < self.time(before) { (id, before) } else { (before, id) };
                self.show_file(shown);
                self.compare_with(base);
            }
            (Intent::Show, None) => {
                self.show_file(id);
                // The base may have been there first.
                let base = self.files.iter().find(|file| file.intent == Intent::Base && file.is_profile());
                if let Some(base) = base.map(|file| file.id) {
                    self.compare_with(base);
                }
            }
            _ => self.show_file(id),
        }
    }

    fn is_to_be_compared(&self, id: FileId) -> bool {
        self.file(id).is_some_and(|file| file.intent == Intent::Compare)
    }

    /// When a profile was recorded.
    fn time(&self, id: FileId) -> i64 {
        self.profiles().find(|(file, _)| file.id == id).map_or(0, |(_, summary)| summary.time_nanos)
    }

    fn compare_with(&mut self, base: FileId) {
        let name = self.file(base).map(|file| file.name.to_string());
        self.change_session(|session| {
            session.base = Some(base);
            session.route.base = name;
            session.reduce(super::Action::View(View::Diff));
        });
    }

    /// Nothing is being opened that the page waits for: back to what is on show.
    fn settle(&mut self) {
        let waits = matches!(self.phase, Phase::Loading(id)
            if self.file(id).is_some_and(|file| matches!(file.status, FileStatus::Loading(_))));
        if !waits && self.session.is_some() {
            self.phase = Phase::Open;
        }
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

    fn n_attached(&self) -> u32 {
        let n = self.files.iter().filter(|file| matches!(file.status, FileStatus::Attached(_))).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    /// A module or a source tells more about every profile.
    pub(super) fn attached(&mut self, id: FileId, what: String) {
        if !self.set_status(id, FileStatus::Attached(what.into())) {
            return;
        }
        let revision = self.n_attached();
        self.change_session(|session| session.revision = revision);
        if self.session.is_some() {
            self.settle();
        } else if self.phase == Phase::Loading(id) {
            self.wait_for_another();
        }
    }

    /// Some other file may still come; until then there is nothing to show.
    fn wait_for_another(&mut self) {
        let loading = self.files.iter().find(|file| matches!(file.status, FileStatus::Loading(_)));
        let failed = self.files.iter().find_map(|file| match &file.status {
            FileStatus::Failed(failure) => Some(Rc::clone(failure)),
            _ => None,
        });
        self.phase = match (loading, failed) {
            (Some(file), _) => Phase::Loading(file.id),
            (None, Some(failure)) => Phase::Failed(failure),
            (None, None) => Phase::Landing,
        };
    }

    /// One bad file of several does not spoil the others: it is only said.
    pub(super) fn refused(&mut self, id: FileId, refusal: &Refusal) {
        let Some(name) = self.file(id).map(|file| file.name.clone()) else { return };
        if *refusal == Refusal::Cancelled {
            self.files.retain(|file| file.id != id);
            self.back();
            return;
        }
        let failure = Rc::new(Failure::refused(name, refusal));
        self.set_status(id, FileStatus::Failed(Rc::clone(&failure)));
        if self.phase != Phase::Loading(id) {
            self.notices.push(format!("{}: {}. {}", failure.name, failure.title, failure.detail).into());
            return;
        }
        let loading = self.files.iter().find(|file| matches!(file.status, FileStatus::Loading(_)));
        match loading.map(|file| file.id) {
            Some(other) => {
                self.notices.push(format!("{}: {}. {}", failure.name, failure.title, failure.detail).into());
                self.phase = Phase::Loading(other);
            }
            None => self.phase = Phase::Failed(failure),
        }
    }

    /// Back to what was on show before.
    pub(super) fn back(&mut self) {
        self.files.retain(|file| !matches!(file.status, FileStatus::Failed(_)));
        self.phase = if self.session.is_some() { Phase::Open } else { Phase::Landing };
    }

    pub(super) fn close(&mut self, id: FileId) {
        self.files.retain(|file| file.id != id);
        self.change_session(|session| {
            if session.base == Some(id) {
                session.reduce(super::Action::Base(None, None));
            }
        });
        if self.session.as_ref().is_some_and(|session| session.file == id) {
            self.session = None;
            match self.profiles().last().map(|(file, _)| file.id) {
                Some(other) => self.show_file(other),
                None => self.phase = Phase::Landing,
            }
        } else if self.phase == Phase::Loading(id) {
            self.back();
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
