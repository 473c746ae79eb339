//! Opens small profiles before the reader's comes: browsers compile each function of the wasm when it is first called,
//! and well when it was called often. A first profile is on the screen in half the time for it.

mod made_up;

use std::hint::black_box;

use crate::desk::{Desk, Intake};
use crate::protocol::{About, Answer, Ask, FileId, FlameAsk, Question, RowsAsk, Tree, Zoom, to_bytes};

/// A few samples that have all that a profile may have: gzip, labels, inlined frames, comments.
const VARIED: &[u8] = include_bytes!("../../../tests/profiles/synth/wasm_cpu.pb.gz");

/// After so many rounds V8 has compiled well what a profile of 10,000 stacks needs; more did not make it faster.
const N_ROUNDS: u32 = 60;

/// What is left to practise.
#[derive(Debug)]
pub(super) struct Practice {
    n_rounds: u32,
    /// Many samples.
    long: Vec<u8>,
}

impl Practice {
    pub(super) fn new() -> Practice {
        Practice { n_rounds: N_ROUNDS, long: made_up::profile() }
    }

    /// Reads profiles and answers what is asked of each first, for nobody, in a few milliseconds; false once that was
    /// done often enough.
    pub(super) fn round(&mut self) -> bool {
        for profile in [VARIED, &self.long] {
            for answer in answers(profile) {
                black_box(to_bytes(&answer));
            }
        }
        self.n_rounds = self.n_rounds.saturating_sub(1);
        self.n_rounds > 0
    }
}

fn answers(profile: &[u8]) -> Vec<Answer> {
    let mut desk = Desk::default();
    let mut intake = Intake::new("", None);
    intake.push(profile);
    if desk.take(FileId::default(), "", intake).is_err() {
        return Vec::new();
    }
    let flame = FlameAsk {
        tree: Tree::Callees,
        query: String::new(),
        function: None,
        zoom: Zoom::Root,
        by_name: false,
        width: 700,
        first_row: 0,
        n_rows: 40,
    };
    let rows = RowsAsk { len: 40, ..RowsAsk::default() };
    let asks = [Ask::Flame(flame), Ask::Rows(rows)];
    let questions = asks.map(|ask| Question { about: About { sample_index: 1, ..About::default() }, ask });
    let answered = |question| {
        let (reply, _is_whole) = desk.answer(&question, 0);
        Answer::Reply(Box::new(question), Box::new(reply))
    };
    questions.into_iter().map(answered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Reply;

    #[test]
    fn the_practice_is_the_real_thing() {
        let check = |profile: &[u8], n_boxes: usize, n_rows: usize| {
            let answers = answers(profile);
            let [Answer::Reply(_, flame), Answer::Reply(_, rows)] = &answers[..] else { panic!("{answers:?}") };
            assert!(matches!(&**flame, Reply::Flame(flame) if flame.boxes.len() > n_boxes), "{flame:?}");
            assert!(matches!(&**rows, Reply::Rows(rows) if rows.rows.len() >= n_rows), "{rows:?}");
        };
        check(VARIED, 5, 5);
        check(&made_up::profile(), 500, 40);
    }

    #[test]
    fn the_practice_ends() {
        let mut practice = Practice { n_rounds: 2, long: Vec::new() };
        assert_eq!([practice.round(), practice.round(), practice.round()], [true, false, false]);
    }
}
