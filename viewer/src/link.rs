//! The page's end of its worker: one worker a file, at most one question of a kind under way, deaths reported.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::{Array, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::protocol::{Answer, Call, Origin, Question, unpack};
use crate::state::Action;

/// The loader that also starts the page.
const SCRIPT: &str = "./worker.js";

/// A profile to open.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(File),
    Url(String),
}

/// Owns the worker. Opening a second file ends the first one's worker, and its memory with it.
#[derive(Clone)]
pub(crate) struct Link {
    report: Callback<Action>,
    live: Rc<RefCell<Option<Live>>>,
}

impl PartialEq for Link {
    fn eq(&self, other: &Link) -> bool {
        Rc::ptr_eq(&self.live, &other.live)
    }
}

struct Live {
    worker: Worker,
    ready: bool,
    /// It has been given a file, which may still wait for it to be ready.
    used: bool,
    waiting: Option<Source>,
    lines: [Line; 4],
    _listeners: [EventListener; 2],
}

impl Link {
    /// Starts a worker at once, so that the first file finds it ready.
    pub(crate) fn new(report: Callback<Action>) -> Link {
        let link = Link { report, live: Rc::default() };
        link.restart();
        link
    }

    /// Has the worker open `source`; the answer arrives as an [`Action`].
    pub(crate) fn open(&self, source: Source) {
        if self.live.borrow().as_ref().is_none_or(|live| live.used) {
            self.restart();
        }
        if let Some(live) = &mut *self.live.borrow_mut() {
            live.used = true;
            live.waiting = Some(source);
            live.open_when_ready();
        }
    }

    /// Asks what is new among `questions`; those under way are awaited first, and only the newest of a kind is kept.
    pub(crate) fn ask(&self, questions: [Option<Question>; 4]) {
        let mut live = self.live.borrow_mut();
        let Some(live) = &mut *live else { return };
        for (line, question) in live.lines.iter_mut().zip(questions) {
            if let Some(question) = question.and_then(|question| line.want(question)) {
                post(&live.worker, &Call::Ask(question), None);
            }
        }
    }

    fn restart(&self) {
        if let Some(old) = self.live.take() {
            old.worker.terminate();
        }
        match self.start() {
            Ok(live) => *self.live.borrow_mut() = Some(live),
            Err(error) => self.report.emit(Action::WorkerDied(format!("a worker cannot be started: {error:?}"))),
        }
    }

    fn start(&self) -> Result<Live, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(SCRIPT, &options)?;
        let link = self.clone();
        let on_message = EventListener::new(&worker, "message", move |event| {
            if let Some(message) = event.dyn_ref::<MessageEvent>() {
                link.heard(&message.data());
            }
        });
        let link = self.clone();
        let on_error = EventListener::new(&worker, "error", move |event| {
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
            link.died(message.unwrap_or_default());
        });
        Ok(Live {
            worker,
            ready: false,
            used: false,
            waiting: None,
            lines: Default::default(),
            _listeners: [on_message, on_error],
        })
    }

    fn heard(&self, message: &JsValue) {
        let Some(answer) = read(message) else { return };
        match &answer {
            Answer::Ready => {
                if let Some(live) = &mut *self.live.borrow_mut() {
                    live.ready = true;
                    live.open_when_ready();
                }
            }
            Answer::Rows(..) => self.line_free(0),
            Answer::Flame(..) => self.line_free(1),
            Answer::Card(..) => self.line_free(2),
            Answer::Weights(..) => self.line_free(3),
            Answer::Panicked(_) => self.restart(),
            Answer::Stage(_) | Answer::Opened(_) | Answer::Refused(_) => {}
        }
        self.report.emit(Action::Answered(Box::new(answer)));
    }

    fn line_free(&self, kind: usize) {
        if let Some(live) = &mut *self.live.borrow_mut()
            && let Some(question) = live.lines.get_mut(kind).and_then(Line::answered)
        {
            post(&live.worker, &Call::Ask(question), None);
        }
    }

    /// A worker that dies before it was ready would only die again: the next file starts another.
    fn died(&self, message: String) {
        let was_ready = self.live.borrow().as_ref().is_some_and(|live| live.ready);
        if was_ready {
            self.restart();
        } else {
            self.live.take();
        }
        self.report.emit(Action::WorkerDied(message));
    }
}

impl Live {
    fn open_when_ready(&mut self) {
        if !self.ready {
            return;
        }
        match self.waiting.take() {
            Some(Source::File(file)) => post(&self.worker, &Call::Open(Origin::File), Some(&file)),
            Some(Source::Url(url)) => post(&self.worker, &Call::Open(Origin::Url(url)), None),
            None => {}
        }
    }
}

/// Questions of one kind: at most one is under way, and of those that come up meanwhile only the last matters.
#[derive(Debug, Default)]
struct Line {
    under_way: bool,
    last: Option<Question>,
    next: Option<Question>,
}

impl Line {
    /// What to send now, if anything.
    fn want(&mut self, question: Question) -> Option<Question> {
        if self.last.as_ref() == Some(&question) {
            self.next = None;
            return None;
        }
        self.next = Some(question);
        if self.under_way { None } else { self.send_next() }
    }

    /// The question under way was answered; returns the next to send.
    fn answered(&mut self) -> Option<Question> {
        self.under_way = false;
        self.send_next()
    }

    fn send_next(&mut self) -> Option<Question> {
        let question = self.next.take()?;
        self.under_way = true;
        self.last = Some(question.clone());
        Some(question)
    }
}

fn post(worker: &Worker, call: &Call, file: Option<&File>) {
    let Ok(text) = serde_json::to_string(call) else { return };
    let message = Array::of2(&text.into(), &file.into());
    // Fails only for what cannot be copied; text and files can.
    let _copied = worker.post_message(&message);
}

fn read(message: &JsValue) -> Option<Answer> {
    let parts = message.dyn_ref::<Array>()?;
    let mut answer = serde_json::from_str(&parts.get(0).as_string()?).ok()?;
    if let (Answer::Flame(_, flame), Some(words)) = (&mut answer, parts.get(1).dyn_ref::<Uint32Array>()) {
        flame.boxes = unpack(&words.to_vec());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CardQuestion;

    fn card(node: u32) -> Question {
        Question::Card(CardQuestion { sample_index: 0, picked: None, node })
    }

    #[test]
    fn only_the_newest_question_waits() {
        let mut line = Line::default();
        assert_eq!(line.want(card(1)), Some(card(1)));
        assert_eq!(line.want(card(2)), None);
        assert_eq!(line.want(card(3)), None);
        assert_eq!(line.answered(), Some(card(3)));
        assert_eq!(line.answered(), None);
    }

    #[test]
    fn nothing_is_asked_twice() {
        let mut line = Line::default();
        assert_eq!(line.want(card(1)), Some(card(1)));
        assert_eq!(line.want(card(2)), None);
        assert_eq!(line.want(card(1)), None);
        assert_eq!(line.answered(), None);
        assert_eq!(line.want(card(1)), None);
    }
}
