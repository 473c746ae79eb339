//! An opened profile as the page shows it: what is chosen, what is in view, and the questions that follow from it.

use std::rc::Rc;

use yew::AttrValue;

use crate::boxes;
use crate::protocol::{
    Answer, Card, CardQuestion, Flame, FlameQuestion, Picked, Question, Rows, RowsQuestion, Sort, Summary, Weights,
    WeightsQuestion,
};
use crate::state::Action;

/// One profile on show. Answers are kept beside the question they answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    /// The file's name.
    pub(crate) name: AttrValue,
    pub(crate) summary: Rc<Summary>,
    pub(crate) sample_index: usize,
    /// The samples on show; all where it is `None`.
    pub(crate) picked: Option<Picked>,
    /// The popover to pick samples in is open.
    pub(crate) picker_open: bool,
    pub(crate) query: AttrValue,
    pub(crate) sort: Sort,
    pub(crate) all: bool,
    /// The function outlined everywhere.
    pub(crate) function: Option<u32>,
    /// The table row the keyboard is at.
    pub(crate) cursor: Option<usize>,
    pub(crate) table: TableWindow,
    pub(crate) graph: GraphWindow,
    /// Nodes zoomed to, the last one now; empty at the root.
    pub(crate) zooms: Vec<u32>,
    /// The box under the pointer.
    pub(crate) hover: Option<u32>,
    pub(crate) rows: Option<(RowsQuestion, Rc<Rows>)>,
    pub(crate) flame: Option<(FlameQuestion, Rc<Flame>)>,
    pub(crate) card: Option<(CardQuestion, Rc<Card>)>,
    pub(crate) weights: Option<(WeightsQuestion, Rc<Weights>)>,
}

/// The rows of the table in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableWindow {
    first: usize,
    len: usize,
}

/// The part of the flame graph in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GraphWindow {
    width: u32,
    first_row: u32,
    n_rows: u32,
}

/// A move of the table's cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    By(isize),
    First,
    Last,
}

/// Windows are asked for in steps of this many rows, with a step to spare either side, so that scrolling by a few
/// rows asks nothing.
const STEP: usize = 50;
const FLAME_STEP: u32 = 64;

impl Session {
    pub(crate) fn new(name: AttrValue, summary: Summary) -> Session {
        Session {
            name,
            sample_index: summary.sample_index,
            summary: Rc::new(summary),
            picked: None,
            picker_open: false,
            query: AttrValue::default(),
            sort: Sort::default(),
            all: false,
            function: None,
            cursor: None,
            table: TableWindow { first: 0, len: 2 * STEP },
            graph: GraphWindow { width: 0, first_row: 0, n_rows: FLAME_STEP },
            zooms: Vec::new(),
            hover: None,
            rows: None,
            flame: None,
            card: None,
            weights: None,
        }
    }

    /// The node drawn at full width.
    pub(crate) fn zoom(&self) -> u32 {
        self.zooms.last().copied().unwrap_or(0)
    }

    /// The rows at hand, if they belong to the table now chosen.
    pub(crate) fn current_rows(&self) -> Option<&Rc<Rows>> {
        let question = self.rows_question();
        self.rows.as_ref().filter(|(asked, _)| asked.same_table(&question)).map(|(_, rows)| rows)
    }

    pub(crate) fn rows_question(&self) -> RowsQuestion {
        let first = (self.table.first / STEP).saturating_sub(1) * STEP;
        let past = (self.table.first + self.table.len).div_ceil(STEP) + 1;
        RowsQuestion {
            sample_index: self.sample_index,
            picked: self.picked,
            query: self.query.to_string(),
            sort: self.sort,
            all: self.all,
            first,
            len: past * STEP - first,
        }
    }

    /// Nothing is asked before the canvas has a width.
    pub(crate) fn flame_question(&self) -> Option<FlameQuestion> {
        let GraphWindow { width, first_row, n_rows } = self.graph;
        let first = (first_row / FLAME_STEP).saturating_sub(1) * FLAME_STEP;
        let past = (first_row + n_rows).div_ceil(FLAME_STEP) + 1;
        (width > 0).then(|| FlameQuestion {
            sample_index: self.sample_index,
            picked: self.picked,
            query: self.query.to_string(),
            zoom: self.zoom(),
            width,
            first_row: first,
            n_rows: past * FLAME_STEP - first,
        })
    }

    pub(crate) fn card_question(&self) -> Option<CardQuestion> {
        let Session { sample_index, picked, .. } = *self;
        self.hover.map(|node| CardQuestion { sample_index, picked, node })
    }

    /// Nobody sees weights while the picker is closed.
    pub(crate) fn weights_question(&self) -> Option<WeightsQuestion> {
        self.picker_open.then_some(WeightsQuestion { sample_index: self.sample_index })
    }

    /// The weights of the sample type on show, once they are there.
    pub(crate) fn current_weights(&self) -> Option<&Rc<Weights>> {
        let of_this_type = |asked: &WeightsQuestion| asked.sample_index == self.sample_index;
        self.weights.as_ref().filter(|(asked, _)| of_this_type(asked)).map(|(_, weights)| weights)
    }

    /// The total and what is picked of it. While a table of other rows is being counted these need not disappear.
    pub(crate) fn totals(&self) -> Option<(&str, Option<&str>)> {
        let (asked, rows) = self.rows.as_ref()?;
        let part = rows.part.as_deref().filter(|_| self.picked.is_some());
        (asked.sample_index == self.sample_index).then_some((rows.total.as_str(), part))
    }

    /// The card of the box under the pointer, once it is there.
    pub(crate) fn current_card(&self) -> Option<&Rc<Card>> {
        let question = self.card_question()?;
        self.card.as_ref().filter(|(asked, _)| *asked == question).map(|(_, card)| card)
    }

    /// What this view of the profile wants to know.
    pub(crate) fn questions(&self) -> [Option<Question>; 4] {
        [
            Some(Question::Rows(self.rows_question())),
            self.flame_question().map(Question::Flame),
            self.card_question().map(Question::Card),
            self.weights_question().map(Question::Weights),
        ]
    }

    /// Takes in an answer; one to a question about something else came too late.
    pub(crate) fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Rows(asked, rows) if asked.same_table(&self.rows_question()) => {
                self.rows = Some((asked, Rc::new(rows)));
                if self.cursor.is_some() {
                    self.choose_at_cursor();
                }
            }
            Answer::Flame(asked, flame)
                if self.flame_question().is_some_and(|question| asked.same_graph(&question)) =>
            {
                self.flame = Some((asked, Rc::new(flame)));
            }
            Answer::Card(asked, card) => self.card = Some((asked, Rc::new(card))),
            Answer::Weights(asked, weights) => self.weights = Some((asked, Rc::new(weights))),
            _ => {}
        }
    }

    pub(crate) fn reduce(&mut self, action: Action) {
        match action {
            Action::SampleType(sample_index) => self.show_sample_type(sample_index),
            Action::Pick(picked) => self.pick(picked),
            Action::OpenPicker(open) => self.picker_open = open && !self.summary.measures.is_empty(),
            Action::Query(query) => self.search(query),
            Action::Sort(sort) => {
                self.sort = sort;
                self.cursor = None;
            }
            Action::ShowAll(all) => {
                self.all = all;
                self.cursor = None;
            }
            Action::TableWindow { first, len } => self.table = TableWindow { first, len },
            Action::FlameWindow { width, first_row, n_rows } => self.graph = GraphWindow { width, first_row, n_rows },
            Action::Choose(row) => self.choose(row),
            Action::MoveCursor(step) => self.move_cursor(step),
            Action::Zoom(node) => self.zoom_to(node),
            Action::ZoomToChosen => {
                if let Some(node) = self.widest_chosen() {
                    self.zoom_to(node);
                }
            }
            Action::ZoomOut => {
                self.zooms.pop();
                self.hover = None;
            }
            Action::Hover(node) => self.hover = node,
            Action::Escape => self.escape(),
            _ => {}
        }
    }

    /// Nodes are numbered within one view of the samples, so a zoom does not survive the switch; functions are not.
    fn show_sample_type(&mut self, sample_index: usize) {
        if sample_index < self.summary.sample_types.len() {
            self.sample_index = sample_index;
            self.forget_nodes();
        }
    }

    fn pick(&mut self, picked: Option<Picked>) {
        let exists = |it: &Picked| {
            let measure = self.summary.measures.get(it.measure);
            it.first <= it.last && measure.is_some_and(|measure| it.last < measure.ranges.len())
        };
        self.picked = picked.filter(exists);
        self.forget_nodes();
    }

    fn forget_nodes(&mut self) {
        self.zooms.clear();
        self.hover = None;
        self.cursor = None;
    }

    fn search(&mut self, query: AttrValue) {
        self.query = query;
        self.cursor = None;
    }

    fn zoom_to(&mut self, node: u32) {
        self.hover = None;
        if node == 0 {
            self.zooms.clear();
        } else if node != self.zoom() {
            self.zooms.push(node);
        }
    }

    fn widest_chosen(&self) -> Option<u32> {
        let (_, flame) = self.flame.as_ref()?;
        boxes::widest(&flame.boxes, self.function?).map(|b| b.node)
    }

    /// Clears what was added last to the view: search, then choice, then zoom, then what was picked.
    fn escape(&mut self) {
        if self.picker_open {
            self.picker_open = false;
        } else if !self.query.is_empty() {
            self.search(AttrValue::default());
        } else if self.function.is_some() {
            self.function = None;
            self.cursor = None;
        } else if !self.zooms.is_empty() {
            self.zooms.clear();
        } else if self.picked.is_some() {
            self.pick(None);
        }
    }

    /// Choosing a row again lets go of it.
    fn choose(&mut self, row: usize) {
        let before = self.function;
        self.cursor = Some(row);
        self.choose_at_cursor();
        if self.function == before {
            self.function = None;
            self.cursor = None;
        }
    }

    fn move_cursor(&mut self, step: Step) {
        let Some(rows) = self.current_rows() else { return };
        let Some(last) = rows.n_rows.checked_sub(1) else { return };
        let next = match (step, self.cursor) {
            (Step::First, _) => 0,
            (Step::Last, _) => last,
            (Step::By(n), Some(row)) => row.saturating_add_signed(n).min(last),
            (Step::By(_), None) => self.table.first.min(last),
        };
        self.cursor = Some(next);
        self.choose_at_cursor();
    }

    /// The cursor's row may not be at hand yet; its function is then chosen when the rows arrive.
    fn choose_at_cursor(&mut self) {
        let Some(rows) = self.current_rows() else { return };
        let at_cursor = self.cursor.and_then(|row| rows.rows.get(row.checked_sub(rows.first)?));
        if let Some(row) = at_cursor {
            self.function = Some(row.function);
        }
    }
}

#[cfg(test)]
mod tests;
