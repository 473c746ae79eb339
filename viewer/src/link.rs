//! The page's end of its worker: it is given files and questions, at most one question a line under way; deaths are reported.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::{Array, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, ErrorEvent, Event, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::hold;
use crate::protocol::{Answer, Call, FileId, Origin, Question, Reply, decode, encode, line, unpack};
use crate::state::Action;

/// The loader that also starts the page.
const SCRIPT: &str = "./worker.js";

/// Where a page that was saved as one file has put the worker's.
const SAVED_SCRIPT: &str = "wprofWorker";

/// A file to open.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) from: From,
}

/// Where its bytes are.
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// Dropped, picked, pasted.
    Blob(Blob),
    Url(String),
}

/// Owns the worker.
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
    /// Files for it, as long as it is not ready.
    waiting: Vec<(FileId, Source)>,
    /// Files that it has.
    n_files: usize,
    lines: [Line; line::N],
    _listeners: [EventListener; 2],
}

impl Link {
    /// Starts a worker at once, so that the first file finds it ready.
    pub(crate) fn new(report: Callback<Action>) -> Link {
        let link = Link { report, live: Rc::default() };
        link.restart();
        link
    }

    /// Has the worker open a file; how far it is arrives as [`Action`]s.
    pub(crate) fn open(&self, id: FileId, source: Source) {
        if self.live.borrow().is_none() {
            self.restart();
        }
        if let Some(live) = &mut *self.live.borrow_mut() {
            live.n_files += 1;
            live.waiting.push((id, source));
            live.open_when_ready();
        }
    }

    /// Has the worker stop reading a file, or forget it. The last one takes the worker's memory with it.
    pub(crate) fn close(&self, id: FileId) {
        let is_last = {
            let mut live = self.live.borrow_mut();
            let Some(live) = &mut *live else { return };
            live.waiting.retain(|(waiting, _)| *waiting != id);
            live.n_files = live.n_files.saturating_sub(1);
            post(&live.worker, &Call::Close(id), None);
            live.n_files == 0
        };
        if is_last {
            self.restart();
        }
    }

    /// Asks what is new among `questions`; those under way are awaited first, and only the newest of a line is kept.
    pub(crate) fn ask(&self, questions: [Option<Question>; line::N]) {
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
        let saved = js_sys::Reflect::get(&js_sys::global(), &SAVED_SCRIPT.into()).ok().and_then(|it| it.as_string());
        let worker = Worker::new_with_options(saved.as_deref().unwrap_or(SCRIPT), &options)?;
        let on_message = self.listen(&worker, "message", |link, event| {
            if let Some(message) = event.dyn_ref::<MessageEvent>() {
                link.heard(&message.data());
            }
        });
        let on_error = self.listen(&worker, "error", |link, event| {
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
            link.died(message.unwrap_or_default());
        });
        Ok(Live {
            worker,
            ready: false,
            waiting: Vec::new(),
            n_files: 0,
            lines: Default::default(),
            _listeners: [on_message, on_error],
        })
    }

    /// Has `act` called for each event of `worker`, in order, as long as it is the one that lives: what was held up
    /// meanwhile may be of one that is gone.
    fn listen(&self, worker: &Worker, kind: &'static str, act: fn(&Link, &Event)) -> EventListener {
        let (link, of) = (self.clone(), worker.clone());
        EventListener::new(worker, kind, move |event| {
            let (link, of, event) = (link.clone(), of.clone(), event.clone());
            hold::when_over(move || {
                if link.live.borrow().as_ref().is_some_and(|live| live.worker == of) {
                    act(&link, &event);
                }
            });
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
            Answer::Reply(question, _) => self.line_free(question),
            Answer::Panicked(_) => self.restart(),
            Answer::Stage(..) | Answer::Opened(..) | Answer::Attached(..) | Answer::Refused(..) => {}
        }
        self.report.emit(Action::Answered(Box::new(answer)));
    }

    fn line_free(&self, answered: &Question) {
        if let Some(live) = &mut *self.live.borrow_mut()
            && let Some(question) = live.lines.get_mut(answered.ask.line()).and_then(|line| line.answered(answered))
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
        for (id, Source { name, from }) in self.waiting.drain(..) {
            match from {
                From::Blob(blob) => post(&self.worker, &Call::Open(id, Origin::File(name)), Some(&blob)),
                From::Url(url) => post(&self.worker, &Call::Open(id, Origin::Url(name, url)), None),
            }
        }
    }
}

/// Questions of one line: at most one is under way, and of those that come up meanwhile only the last matters.
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

    /// A question was answered, perhaps in part: the rest follows by itself, unless there is something newer to send.
    fn answered(&mut self, question: &Question) -> Option<Question> {
        if self.last.as_ref() != Some(question) {
            return None;
        }
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

fn post(worker: &Worker, call: &Call, file: Option<&Blob>) {
    let Some(bytes) = encode(call) else { return };
    let message = Array::of2(&bytes, &file.into());
    // Fails only for what cannot be copied; arrays and files can.
    let _copied = worker.post_message(&message);
}

fn read(message: &JsValue) -> Option<Answer> {
    let parts = message.dyn_ref::<Array>()?;
    let mut answer = decode(&parts.get(0))?;
    if let (Answer::Reply(_, reply), Some(words)) = (&mut answer, parts.get(1).dyn_ref::<Uint32Array>())
        && let Reply::Flame(flame) = &mut **reply
    {
        flame.boxes = unpack(&words.to_vec());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{About, Ask, CardAsk, Tree};

    fn card(node: u32) -> Question {
        Question { about: About::default(), ask: Ask::Card(CardAsk { tree: Tree::Callees, node, in_full: false }) }
    }

    #[test]
    fn only_the_newest_question_waits() {
        let mut line = Line::default();
        assert_eq!(line.want(card(1)), Some(card(1)));
        assert_eq!(line.want(card(2)), None);
        assert_eq!(line.want(card(3)), None);
        assert_eq!(line.answered(&card(1)), Some(card(3)));
        assert_eq!(line.answered(&card(3)), None);
    }

    #[test]
    fn the_rest_of_an_old_answer_frees_no_line() {
        let mut line = Line::default();
        assert_eq!(line.want(card(1)), Some(card(1)));
        assert_eq!(line.answered(&card(1)), None, "in part");
        assert_eq!(line.want(card(2)), Some(card(2)));
        assert_eq!(line.answered(&card(1)), None, "the rest");
        assert_eq!(line.want(card(3)), None, "2 is still under way");
        assert_eq!(line.answered(&card(2)), Some(card(3)));
    }

    #[test]
    fn nothing_is_asked_twice() {
        let mut line = Line::default();
        assert_eq!(line.want(card(1)), Some(card(1)));
        assert_eq!(line.want(card(2)), None);
        assert_eq!(line.want(card(1)), None);
        assert_eq!(line.answered(&card(1)), None);
        assert_eq!(line.want(card(1)), None);
    }
}
