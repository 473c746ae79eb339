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
        // What was meant by an earlier drop says nothing about this one.
        self.files.iter_mut().for_each(|file| file.intent = Intent::Keep);
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
            (Intent::Show, _) => match (self.profile_to(Intent::Compare), self.profile_to(Intent::Base)) {
                (Some(other), _) => self.compare(id, other),
                (None, base) => {
                    self.show_file(id);
                    if let Some(base) = base {
                        self.compare_with(base);
                    }
                }
            },
            // Of two that are opened together either may be there first; what is still on show is neither of them.
            (Intent::Compare, _) if self.loads_what_is_to_be_shown() => {}
            (Intent::Compare, Some(before)) => self.compare(before, id),
            (Intent::Compare | Intent::Keep, None) => self.show_file(id),
        }
    }

    fn profile_to(&self, intent: Intent) -> Option<FileId> {
        self.files.iter().find(|file| file.intent == intent && file.is_profile()).map(|file| file.id)
    }

    fn loads_what_is_to_be_shown(&self) -> bool {
        self.files.iter().any(|file| file.intent == Intent::Show && file.is_loading())
    }

    /// Shows what has changed from the older one to the other; of the same age, the first is the base.
    fn compare(&mut self, first: FileId, second: FileId) {
        let (base, shown) = if self.time(second) < self.time(first) { (second, first) } else { (first, second) };
        self.show_file(shown);
        self.compare_with(base);
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
        let waits = matches!(self.phase, Phase::Loading(id) if self.file(id).is_some_and(OpenFile::is_loading));
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
        if let Some(other) = self.instead_of(id) {
            self.show_file(other);
        } else if self.session.is_some() {
            self.settle();
        } else if self.phase == Phase::Loading(id) {
            self.wait_for_another();
        }
    }

    /// What was to be compared with a file that turned out to be no profile is to be shown alone: this one, if it is
    /// there already.
    fn instead_of(&mut self, id: FileId) -> Option<FileId> {
        if self.file(id).is_none_or(|file| file.intent != Intent::Show) {
            return None;
        }
        let there = self.profile_to(Intent::Compare);
        self.intend_instead(Intent::Show);
        there
    }

    /// What was to be compared is not, as the other file is gone.
    pub(super) fn intend_instead(&mut self, intent: Intent) {
        self.files.iter_mut().filter(|file| file.intent == Intent::Compare).for_each(|file| file.intent = intent);
    }

    fn first_loading(&self) -> Option<FileId> {
        self.files.iter().find(|file| file.is_loading()).map(|file| file.id)
    }

    /// Some other file may still come; until then there is nothing to show.
    fn wait_for_another(&mut self) {
        let failed = self.files.iter().find_map(|file| match &file.status {
            FileStatus::Failed(failure) => Some(Rc::clone(failure)),
            _ => None,
        });
        self.phase = match (self.first_loading(), failed) {
            (Some(coming), _) => Phase::Loading(coming),
            (None, Some(failure)) => Phase::Failed(failure),
            (None, None) => Phase::Landing,
        };
    }

    /// One bad file of several does not spoil the others: it is only said.
    pub(super) fn refused(&mut self, id: FileId, refusal: &Refusal) {
        let Some(name) = self.file(id).map(|file| file.name.clone()) else { return };
        if *refusal == Refusal::Cancelled {
            self.close(id);
            return;
        }
        let failure = Rc::new(Failure::refused(name, refusal));
        self.set_status(id, FileStatus::Failed(Rc::clone(&failure)));
        let there = self.instead_of(id);
        let coming = self.first_loading();
        let is_awaited = self.phase == Phase::Loading(id);
        if is_awaited && there.or(coming).is_none() {
            self.phase = Phase::Failed(failure);
            return;
        }
        self.notices.push(format!("{}: {}. {}", failure.name, failure.title, failure.detail).into());
        if let Some(there) = there {
            self.show_file(there);
        } else if is_awaited && let Some(coming) = coming {
            self.phase = Phase::Loading(coming);
        }
    }
}
