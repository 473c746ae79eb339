//! A first profile before the reader's: browsers compile each function of the wasm when it is first called.

use std::hint::black_box;

use crate::desk::{Desk, Intake};
use crate::protocol::{About, Answer, Ask, FileId, FlameAsk, Question, RowsAsk, Tree, Zoom, encode};

/// A few samples, as pprof has them.
const PROFILE: &[u8] = include_bytes!("practice.pb.gz");

/// Reads a profile and answers what is asked of each first, for nobody.
pub(super) fn practise() {
    for answer in answers() {
        black_box(encode(&answer));
    }
}

fn answers() -> Vec<Answer> {
    let mut desk = Desk::default();
    let mut intake = Intake::new("", None);
    intake.push(PROFILE);
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
        let answers = answers();
        let [Answer::Reply(_, flame), Answer::Reply(_, rows)] = &answers[..] else { panic!("{answers:?}") };
        assert!(matches!(&**flame, Reply::Flame(flame) if flame.boxes.len() > 5), "{flame:?}");
        assert!(matches!(&**rows, Reply::Rows(rows) if rows.rows.len() > 5), "{rows:?}");
    }
}
