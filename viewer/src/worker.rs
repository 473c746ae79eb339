//! The worker's end: reads bytes, keeps the profile, passes questions to the [`Desk`] and its answers back.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Uint8Array, Uint32Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, File, FileReaderSync, MessageEvent, Response};

use crate::desk::Desk;
use crate::protocol::{Answer, Call, Origin, Refusal, Stage, pack};

/// Answers calls until the page ends the worker.
pub(crate) fn run(scope: &DedicatedWorkerGlobalScope) {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(scope) = js_sys::global().dyn_into() {
            post(&scope, &Answer::Panicked(info.to_string()));
        }
    }));
    let desk = Rc::default();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new({
        let scope = scope.clone();
        move |event: MessageEvent| heard(&scope, &desk, &event.data())
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The handler lives as long as the worker does.
    on_message.forget();
    post(scope, &Answer::Ready);
}

type SharedDesk = Rc<RefCell<Option<Desk>>>;

fn heard(scope: &DedicatedWorkerGlobalScope, desk: &SharedDesk, message: &JsValue) {
    let Some(parts) = message.dyn_ref::<Array>() else { return };
    let call = parts.get(0).as_string().and_then(|text| serde_json::from_str(&text).ok());
    match call {
        Some(Call::Open(Origin::File)) => {
            post(scope, &Answer::Stage(Stage::Reading));
            open(scope, desk, read_file(&parts.get(1)));
        }
        Some(Call::Open(Origin::Url(url))) => {
            post(scope, &Answer::Stage(Stage::Reading));
            let (scope, desk) = (scope.clone(), Rc::clone(desk));
            wasm_bindgen_futures::spawn_local(async move {
                let bytes = fetch(&scope, &url).await;
                open(&scope, &desk, bytes);
            });
        }
        Some(Call::Ask(question)) => {
            if let Some(desk) = &mut *desk.borrow_mut() {
                post(scope, &desk.answer(question));
            }
        }
        None => {}
    }
}

fn open(scope: &DedicatedWorkerGlobalScope, desk: &SharedDesk, bytes: Result<Vec<u8>, String>) {
    let opened = bytes.map_err(Refusal::Unreadable).and_then(|bytes| {
        post(scope, &Answer::Stage(Stage::Decoding { n_bytes: bytes.len() }));
        Desk::open(&bytes)
    });
    match opened {
        Ok(opened) => {
            post(scope, &Answer::Opened(opened.summary()));
            *desk.borrow_mut() = Some(opened);
        }
        Err(refusal) => post(scope, &Answer::Refused(refusal)),
    }
}

fn read_file(file: &JsValue) -> Result<Vec<u8>, String> {
    let file = file.dyn_ref::<File>().ok_or("no file came with the message")?;
    let buffer = FileReaderSync::new().and_then(|reader| reader.read_as_array_buffer(file)).map_err(|e| words(&e))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

async fn fetch(scope: &DedicatedWorkerGlobalScope, url: &str) -> Result<Vec<u8>, String> {
    let response = JsFuture::from(scope.fetch_with_str(url)).await.map_err(|e| words(&e))?;
    let response = response.dyn_into::<Response>().map_err(|e| words(&e))?;
    if !response.ok() {
        return Err(format!("{url} answered {} {}", response.status(), response.status_text()));
    }
    let buffer = JsFuture::from(response.array_buffer().map_err(|e| words(&e))?).await.map_err(|e| words(&e))?;
    let buffer = buffer.dyn_into::<ArrayBuffer>().map_err(|e| words(&e))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

fn words(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}

fn post(scope: &DedicatedWorkerGlobalScope, answer: &Answer) {
    let Ok(text) = serde_json::to_string(answer) else { return };
    let message = Array::of1(&text.into());
    let transfer = Array::new();
    if let Answer::Flame(_, flame) = answer {
        let words = Uint32Array::from(pack(&flame.boxes).as_slice());
        message.push(&words);
        transfer.push(&words.buffer());
    }
    // Fails only for what cannot be copied; text and arrays can.
    let _copied = scope.post_message_with_transfer(&message, &transfer);
}
