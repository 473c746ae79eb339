//! Answers questions about what is open. Pure: runs in the worker, is tested without one.
//!
//! Every number comes from `proto::analysis` and is written by `proto::units`; here they are only put in rows and boxes.

mod catalog;
mod changes;
mod flames;
mod intake;
mod labels;
mod lines;
mod modules;
mod neighbours;
mod nodes;
mod picture;
mod ranks;
mod subject;
mod summary;
mod table;
mod texts;

use std::collections::HashMap;
use std::rc::Rc;

use proto::Profile;
use proto::analysis::{PrepareOptions, prepare, sample_index};

use crate::protocol::{About, Ask, FileId, Question, Refusal, Reply, Summary};
use labels::Labels;
use modules::Modules;
use subject::Subject;
use texts::Texts;

use intake::Content;
pub(crate) use intake::{Intake, Taken};

/// All that is open, and what was worked out for the questions that were asked last.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    profiles: HashMap<FileId, Opened>,
    subject: Option<Subject>,
    texts: Texts,
    modules: Modules,
}

/// A profile as it was read.
#[derive(Debug, Clone)]
struct Opened {
    profile: Rc<Profile>,
    labels: Rc<Labels>,
    /// The one pprof shows when none is asked for.
    sample_index: usize,
}

impl Desk {
    /// Keeps what was read, whatever it is.
    pub(crate) fn take(&mut self, id: FileId, name: &str, intake: Intake) -> Result<Taken, Refusal> {
        let (profile, lost) = match intake.finish()? {
            Content::Source(text) => {
                let n_lines = text.lines().count();
                self.texts.drop_in(name, text);
                return Ok(Taken::Attached(format!("source, {n_lines} lines")));
            }
            Content::Module(bytes) => return self.take_module(id, name, bytes).map(Taken::Attached),
            Content::Profile(profile, lost) => (*profile, lost),
        };
        let (profile, warnings) = prepare(profile, &PrepareOptions::default());
        let Ok(sample_index) = sample_index(&profile, None) else { return Err(Refusal::NoSampleTypes) };
        let remarks: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let (profile, remarks) = match self.modules.resolved(&profile) {
            Some((resolved, said)) => (resolved, remarks.into_iter().chain(said).collect()),
            None => (profile, remarks),
        };
        let labels = Rc::new(Labels::new(&profile));
        let summary = summary::summary(&profile, sample_index, &labels, remarks, lost);
        self.profiles.insert(id, Opened { profile: Rc::new(profile), labels, sample_index });
        Ok(Taken::Profile(Box::<Summary>::new(summary)))
    }

    /// Has every open profile learn from a module.
    fn take_module(&mut self, id: FileId, name: &str, bytes: Vec<u8>) -> Result<String, Refusal> {
        let what = self.modules.add(id, name, bytes).map_err(Refusal::Unreadable)?;
        let mut said = vec![what];
        for opened in self.profiles.values_mut() {
            let (known, told) = self.modules.resolved_by_last(&opened.profile);
            said.extend(told);
            if let Some(known) = known {
                opened.profile = Rc::new(known);
            }
        }
        self.subject = None;
        Ok(said.join(": "))
    }

    /// Forgets a file.
    pub(crate) fn close(&mut self, id: FileId) {
        self.modules.close(id);
        self.profiles.remove(&id);
        if self.subject.as_ref().is_some_and(|subject| subject.about().file == id) {
            self.subject = None;
        }
    }

    /// The answer, and whether it is whole; `n_parts` are behind already.
    pub(crate) fn answer(&mut self, question: &Question, n_parts: u32) -> (Reply, bool) {
        if let Err(refused) = self.show(&question.about) {
            return (Reply::Refused(refused), true);
        }
        let Desk { profiles, subject: Some(subject), texts, modules } = self else {
            return (Reply::Refused("nothing is open".to_owned()), true);
        };
        let reply = match &question.ask {
            Ask::Flame(ask) => {
                return match subject.flame(ask, n_parts, profiles) {
                    Ok(flame) => {
                        let is_whole = !flame.is_partial;
                        (Reply::Flame(flame), is_whole)
                    }
                    Err(why) => (Reply::Refused(why), true),
                };
            }
            Ask::Card(ask) => Reply::Card(subject.card(ask)),
            Ask::Rows(ask) => Reply::Rows(subject.rows(ask)),
            Ask::Sandwich(ask) => Reply::Sandwich(subject.sandwich(ask)),
            Ask::Tree(ask) => Reply::Tree(subject.tree_rows(ask)),
            Ask::Graph(ask) => Reply::Graph(subject.picture(ask)),
            Ask::Source(ask) => Reply::Source(subject.source(ask, texts, modules)),
            Ask::Tags(ask) => Reply::Tags(subject.tags(ask)),
            Ask::Diff(ask) => Reply::Diff(subject.changes(ask, profiles)),
            Ask::Weights => Reply::Weights(subject.weights()),
        };
        (reply, true)
    }

    /// Sources that the last answers would have shown, had they been there.
    pub(crate) fn wanted_texts(&mut self) -> Vec<String> {
        self.texts.take_missing()
    }

    /// Keeps a source that a server has, or that it has none.
    pub(crate) fn served_text(&mut self, path: &str, text: Option<String>) {
        self.texts.serve(path, text);
    }

    /// Works out what a question is about, unless the last one was about the same.
    fn show(&mut self, about: &About) -> Result<(), String> {
        if !self.subject.as_mut().is_some_and(|subject| subject.turn_to(about)) {
            let opened = self.profiles.get(&about.file).ok_or("the file is closed")?;
            // The old one's memory first.
            self.subject = None;
            self.subject = Some(Subject::new(opened, about)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
