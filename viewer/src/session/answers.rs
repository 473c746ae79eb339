//! The newest answer of each kind, beside the question it answers.

use crate::protocol::{
    Answer, Ask, Card, DiffRows, Graph, Question, Reply, Rows, Sandwich, Source, Tags, TreeRows, Weights, line,
};
use crate::same::Same;
use crate::session::{FlameSlot, Session};

/// By line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answers {
    kept: [Option<(Same<Question>, Same<Reply>)>; line::N],
    /// What the filters' text is refused for.
    pub(crate) refused: Option<String>,
}

/// An answer, and whether it answers what is asked now; an older one may still be shown while the new one is worked out.
#[derive(Debug, PartialEq)]
pub(crate) struct Latest<'a, T> {
    pub(crate) asked: &'a Ask,
    pub(crate) reply: &'a T,
    pub(crate) is_current: bool,
}

/// One function a kind of answer.
macro_rules! latest {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $line:expr;)*) => {
        impl Session {
            $($(#[$doc])* pub(crate) fn $name(&self) -> Option<Latest<'_, $kind>> {
                let (asked, reply) = self.answers.kept.get($line)?.as_ref()?;
                let is_current = asked.about == self.about();
                match &**reply {
                    Reply::$kind(reply) => Some(Latest { asked: &asked.ask, reply, is_current }),
                    _ => None,
                }
            })*
        }
    };
}

latest! {
    sandwich: Sandwich, line::SANDWICH;
    tree: Tree, line::TREE;
    graph: Graph, line::GRAPH;
    source: Source, line::SOURCE;
    tags: Tags, line::TAGS;
    diff: Diff, line::DIFF;
}

type Tree = TreeRows;
type Diff = DiffRows;

impl Session {
    /// The rows at hand, if they belong to the table now chosen.
    pub(crate) fn current_rows(&self) -> Option<&Rows> {
        let (asked, reply) = self.answers.kept.get(line::ROWS)?.as_ref()?;
        let (Ask::Rows(ask), Reply::Rows(rows)) = (&asked.ask, &**reply) else { return None };
        (asked.about == self.about() && ask.same_table(&self.rows_ask())).then_some(rows)
    }

    /// The rows that were counted last, for what need not disappear while others are being counted.
    pub(crate) fn latest_rows(&self) -> Option<&Rows> {
        match &**self.answers.kept.get(line::ROWS)?.as_ref().map(|(_, reply)| reply)? {
            Reply::Rows(rows) => Some(rows),
            _ => None,
        }
    }

    /// The card of the box under the pointer, once it is there, and whose graph that box is in.
    pub(crate) fn current_card(&self) -> Option<(FlameSlot, &Card)> {
        let (asked, reply) = self.answers.kept.get(line::CARD)?.as_ref()?;
        let (Ask::Card(ask), Reply::Card(card)) = (&asked.ask, &**reply) else { return None };
        let slot = FlameSlot::ALL.into_iter().find(|&slot| self.card_ask(slot).as_ref() == Some(ask))?;
        (asked.about == self.about()).then_some((slot, card))
    }

    /// What the search matches of the total, as the flame graph or the table found it.
    pub(crate) fn matched(&self) -> Option<&str> {
        let flame = self.flame(FlameSlot::Main).drawn.as_ref().map(|(_, flame)| flame)?;
        flame.matched.as_deref().filter(|_| !self.route.query.is_empty())
    }

    /// The weights of the sample type on show, once they are there.
    pub(crate) fn current_weights(&self) -> Option<&Weights> {
        let (asked, reply) = self.answers.kept.get(line::WEIGHTS)?.as_ref()?;
        match &**reply {
            Reply::Weights(weights) if asked.about.sample_index == self.sample_index => Some(weights),
            _ => None,
        }
    }

    /// The total and what the filters leave of it.
    pub(crate) fn totals(&self) -> Option<(&str, Option<&str>)> {
        let (asked, _) = self.answers.kept.get(line::ROWS)?.as_ref()?;
        let rows = self.latest_rows().filter(|_| asked.about.sample_index == self.sample_index)?;
        Some((rows.total.as_str(), rows.part.as_deref()))
    }

    /// Takes in an answer; one about another profile came too late.
    pub(crate) fn answered(&mut self, answer: Answer) {
        let Answer::Reply(question, reply) = answer else { return };
        if question.about.file != self.file {
            return;
        }
        let is_about_this = question.about == self.about();
        if is_about_this {
            self.answers.refused = match &*reply {
                Reply::Refused(why) => Some(why.clone()),
                _ => None,
            };
        }
        match (question.ask, *reply) {
            (_, Reply::Refused(_)) => {}
            (Ask::Flame(asked), Reply::Flame(flame)) => {
                if is_about_this {
                    self.take_flame(asked, Same::new(flame));
                }
            }
            (ask, reply) => {
                let at = ask.line();
                let tree = if let Ask::Tree(tree) = &ask { Some(tree.clone()) } else { None };
                let question = Question { about: question.about, ask };
                if let Some(kept) = self.answers.kept.get_mut(at) {
                    *kept = Some((Same::new(question), Same::new(reply)));
                }
                if let Some(tree) = tree {
                    self.take_tree(&tree);
                } else if self.table_line() == Some(at) && self.cursor.is_some() {
                    self.choose_at_cursor();
                }
            }
        }
    }
}
