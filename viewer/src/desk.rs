//! Answers questions about one opened profile. Pure: runs in the worker, is tested without one.
//!
//! Every number comes from `proto::analysis` and is written by `proto::units`; here they are only put in rows and boxes.

mod catalog;
mod graph;
mod shown;
mod table;

use proto::analysis::{PrepareOptions, prepare, sample_index};
use proto::units::Amount;
use proto::{Limits, Profile, decode};

use crate::protocol::{Answer, Picked, Question, Refusal, SampleType, Summary};
use catalog::Catalog;
use graph::Graph;
use shown::Shown;
use table::Table;

/// One profile, and what was worked out of it for the sample type and the samples on show.
#[derive(Debug)]
pub(crate) struct Desk {
    shown: Shown,
    catalog: Catalog,
    /// Remarks of the decoder and of the analysis.
    remarks: Vec<String>,
    sample_index: usize,
    table: Option<Table>,
    graph: Option<Graph>,
}

impl Desk {
    pub(crate) fn open(bytes: &[u8]) -> Result<Desk, Refusal> {
        let profile = decode(bytes, &Limits::default()).map_err(|error| Refusal::undecodable(&error, bytes))?;
        let (profile, warnings) = prepare(profile, &PrepareOptions::default());
        let Ok(sample_index) = sample_index(&profile, None) else { return Err(Refusal::NoSampleTypes) };
        let catalog = Catalog::new(&profile);
        let remarks = warnings.iter().map(ToString::to_string).collect();
        Ok(Desk { shown: Shown::new(profile), catalog, remarks, sample_index, table: None, graph: None })
    }

    /// What the page shows before it asks anything.
    pub(crate) fn summary(&self) -> Summary {
        let profile = self.shown.whole();
        let text = |id| profile.string(id).to_owned();
        let sample_types =
            profile.sample_types().iter().map(|it| SampleType { kind: text(it.kind), unit: text(it.unit) }).collect();
        let duration = profile.duration_nanos();
        let comments = profile.comments().map(|comment| comment.trim_start_matches(['#', ' ']).to_owned());
        Summary {
            sample_types,
            sample_index: self.sample_index,
            measures: self.shown.measures(),
            duration: (duration != 0).then(|| Amount::auto(duration, "nanoseconds").to_string()),
            time_nanos: profile.time_nanos(),
            facts: facts(profile),
            comments: comments.chain(self.remarks.iter().cloned()).collect(),
        }
    }

    pub(crate) fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Rows(question) => {
                self.show(question.sample_index, question.picked);
                let rows = self.rows(&question);
                Answer::Rows(question, rows)
            }
            Question::Flame(question) => {
                self.show(question.sample_index, question.picked);
                let flame = self.flame(&question);
                Answer::Flame(question, flame)
            }
            Question::Card(question) => {
                self.show(question.sample_index, question.picked);
                let card = self.card(question.node);
                Answer::Card(question, card)
            }
            Question::Weights(question) => {
                let weights = self.shown.weights(question.sample_index);
                Answer::Weights(question, weights)
            }
        }
    }

    /// Forgets what was worked out for another sample type, or other samples. A number that is no sample type changes
    /// nothing.
    fn show(&mut self, sample_index: usize, picked: Option<Picked>) {
        let is_known = sample_index < self.shown.whole().sample_types().len();
        let is_new = is_known && sample_index != self.sample_index;
        if self.shown.pick(picked) || is_new {
            self.sample_index = if is_known { sample_index } else { self.sample_index };
            self.table = None;
            self.graph = None;
        }
    }
}

/// What was profiled, as far as the profile says.
fn facts(profile: &Profile) -> Vec<(String, String)> {
    let main = profile.mappings().first();
    let file = main.map(|main| profile.string(main.filename).to_owned());
    let build_id = main.map(|main| profile.string(main.build_id).to_owned());
    let period = profile.period_type().filter(|_| profile.period() != 0).map(|kind| {
        format!("{} {}", Amount::auto(profile.period(), profile.string(kind.unit)), profile.string(kind.kind))
    });
    let facts = [
        ("File", file),
        ("Build ID", build_id),
        ("Sampled every", period),
        ("Stacks", Some(profile.n_samples().to_string())),
        ("Functions", Some(profile.functions().len().to_string())),
        ("Notes", Some(profile.doc_url().to_owned())),
    ];
    facts
        .into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect()
}

#[cfg(test)]
mod tests;
