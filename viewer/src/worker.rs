//! The worker's end: reads files, keeps them on the [`Desk`], and answers the most urgent question first.

mod bytes;
mod practice;
mod turn;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use js_sys::{Array, Uint32Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::desk::{Desk, Intake, Taken};
use crate::protocol::{Answer, Call, FileId, Origin, Question, Refusal, Reply, Stage, decode, encode, line, pack};
use bytes::Bytes;
use practice::Practice;
use turn::Turn;

/// Between two words about how far a file is read, in milliseconds: each costs the page about as much as a small file.
const STAGE_EVERY: f64 = 60.0;
/// From so many on it takes a while until they are in order.
const MANY_SAMPLES: usize = 50_000;

/// Answers calls until the page ends the worker.
pub(crate) fn run(scope: &DedicatedWorkerGlobalScope) {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(scope) = js_sys::global().dyn_into() {
            post(&scope, &Answer::Panicked(info.to_string()));
        }
    }));
    let Ok(worker) = Worker::new(scope.clone()) else { return };
    let hearing = Rc::clone(&worker);
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| hearing.heard(&event.data()));
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The handler lives as long as the worker does.
    on_message.forget();
    post(scope, &Answer::Ready);
    worker.practise();
}

/// What the worker has and has to do.
struct Worker {
    scope: DedicatedWorkerGlobalScope,
    desk: RefCell<Desk>,
    /// By line, the newest question that was not answered yet, and how often it was answered in part.
    waiting: RefCell<[Option<(Question, u32)>; line::N]>,
    closed: RefCell<HashSet<FileId>>,
    /// Until there is something to do.
    practice: RefCell<Option<Practice>>,
    turn: Turn,
    is_turn_coming: Cell<bool>,
}

impl Worker {
    fn new(scope: DedicatedWorkerGlobalScope) -> Result<Rc<Worker>, JsValue> {
        let turn = Turn::new()?;
        let worker = Rc::new(Worker {
            scope,
            desk: RefCell::default(),
            waiting: RefCell::default(),
            closed: RefCell::default(),
            practice: RefCell::default(),
            turn,
            is_turn_coming: Cell::new(false),
        });
        let weak = Rc::downgrade(&worker);
        worker.turn.on_turn(move || {
            if let Some(worker) = weak.upgrade() {
                worker.is_turn_coming.set(false);
                worker.take_turn();
            }
        });
        Ok(worker)
    }

    fn heard(self: &Rc<Self>, message: &JsValue) {
        let Some(parts) = message.dyn_ref::<Array>() else { return };
        self.practice.take();
        match decode(&parts.get(0)) {
            Some(Call::Open(id, origin)) => {
                let (worker, file) = (Rc::clone(self), parts.get(1));
                wasm_bindgen_futures::spawn_local(async move { worker.open(id, origin, file).await });
            }
            Some(Call::Close(id)) => {
                self.closed.borrow_mut().insert(id);
                self.desk.borrow_mut().close(id);
            }
            Some(Call::Ask(question)) => {
                let at = question.ask.line();
                if let Some(waiting) = self.waiting.borrow_mut().get_mut(at) {
                    *waiting = Some((question, 0));
                }
                self.take_turns();
            }
            None => {}
        }
    }

    /// Questions are answered one a turn, so that what the page says meanwhile is heard in between.
    fn take_turns(&self) {
        let has_work = self.practice.borrow().is_some() || self.waiting.borrow().iter().any(Option::is_some);
        if has_work && !self.is_turn_coming.replace(true) {
            self.turn.ask_for();
        }
    }

    fn practise(&self) {
        self.practice.replace(Some(Practice::new()));
        self.take_turns();
    }

    fn take_turn(self: &Rc<Self>) {
        match self.practice.take() {
            Some(mut practice) => {
                let has_more = practice.round();
                self.practice.replace(has_more.then_some(practice));
                self.take_turns();
            }
            None => self.answer_one(),
        }
    }

    fn answer_one(self: &Rc<Self>) {
        let next = self.waiting.borrow_mut().iter_mut().find_map(Option::take);
        let Some((question, n_parts)) = next else { return };
        let (reply, is_whole) = self.desk.borrow_mut().answer(&question, n_parts);
        if !is_whole {
            let at = question.ask.line();
            if let Some(waiting) = self.waiting.borrow_mut().get_mut(at) {
                waiting.get_or_insert_with(|| (question.clone(), n_parts + 1));
            }
        }
        let wanted = self.desk.borrow_mut().wanted_texts();
        if !wanted.is_empty() {
            let (worker, question) = (Rc::clone(self), question.clone());
            wasm_bindgen_futures::spawn_local(async move { worker.fetch_texts(wanted, question).await });
        }
        post(&self.scope, &Answer::Reply(Box::new(question), Box::new(reply)));
        self.take_turns();
    }

    /// Gets sources from the server that the page came from, if that has them, and then answers once more.
    async fn fetch_texts(&self, paths: Vec<String>, question: Question) {
        let mut has_new = false;
        for path in paths {
            let text = bytes::served_text(&self.scope, &path).await;
            has_new |= text.is_some();
            self.desk.borrow_mut().served_text(&path, text);
        }
        let at = question.ask.line();
        if has_new && let Some(waiting) = self.waiting.borrow_mut().get_mut(at) {
            waiting.get_or_insert((question, 0));
        }
        self.take_turns();
    }

    async fn open(&self, id: FileId, origin: Origin, file: JsValue) {
        let name = match &origin {
            Origin::File(name) | Origin::Url(name, _) => name.clone(),
        };
        let answer = match self.read(id, &origin, &file).await {
            Ok(intake) => match self.desk.borrow_mut().take(id, &name, intake) {
                Ok(Taken::Profile(summary)) => Answer::Opened(id, summary),
                Ok(Taken::Attached(what)) => Answer::Attached(id, what),
                Err(refusal) => Answer::Refused(id, refusal),
            },
            Err(refusal) => Answer::Refused(id, refusal),
        };
        post(&self.scope, &answer);
    }

    /// Reads a file to its end, or until the page wants it no more.
    async fn read(&self, id: FileId, origin: &Origin, file: &JsValue) -> Result<Intake, Refusal> {
        let mut bytes = match origin {
            Origin::File(_) => Bytes::of_file(file),
            Origin::Url(_, url) => Bytes::of_url(&self.scope, url).await,
        }
        .map_err(Refusal::Unreadable)?;
        let n_bytes = bytes.n_bytes();
        let (Origin::File(name) | Origin::Url(name, _)) = origin;
        let mut intake = Intake::new(name, n_bytes);
        let mut piece = Vec::new();
        let mut said = now();
        loop {
            if now() - said > STAGE_EVERY {
                said = now();
                post(&self.scope, &Answer::Stage(id, Stage::Reading { n_read: intake.n_read(), n_bytes }));
            }
            let Some(chunk) = bytes.next().await.map_err(Refusal::Unreadable)? else { break };
            if self.closed.borrow().contains(&id) {
                return Err(Refusal::Cancelled);
            }
            piece.resize(chunk.length() as usize, 0);
            chunk.copy_to(&mut piece);
            if !intake.push(&piece) {
                break;
            }
        }
        if intake.n_samples() >= MANY_SAMPLES {
            post(&self.scope, &Answer::Stage(id, Stage::Preparing { n_samples: intake.n_samples() }));
        }
        Ok(intake)
    }
}

/// Milliseconds.
fn now() -> f64 {
    js_sys::Date::now()
}

fn post(scope: &DedicatedWorkerGlobalScope, answer: &Answer) {
    let Some(bytes) = encode(answer) else { return };
    let message = Array::of1(&bytes);
    let transfer = Array::of1(&bytes.buffer());
    if let Answer::Reply(_, reply) = answer
        && let Reply::Flame(flame) = &**reply
    {
        let words = Uint32Array::from(pack(&flame.boxes).as_slice());
        message.push(&words);
        transfer.push(&words.buffer());
    }
    // Fails only for what cannot be copied; arrays can.
    let _copied = scope.post_message_with_transfer(&message, &transfer);
}
