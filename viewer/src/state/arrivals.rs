//! Files that come in: what each was meant for, in whichever order they are there, and what becomes of the others when
//! one is no profile.

use std::rc::Rc;

use super::files::{FileStatus, Intent, NewFile, OpenFile};
use super::{Action, Overlay, Phase, State};
use crate::failure::Failure;
use crate::protocol::{FileId, Refusal, Stage, Summary};
use crate::route::View;

impl State {
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
            session.reduce(Action::View(View::Diff));
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
}
