//! A file's bytes, piece by piece: what is dropped, and what lies behind an address.

use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DedicatedWorkerGlobalScope, ReadableStreamDefaultReader, Response};

/// Pieces of a file are this long: few enough to cost nothing, small enough to be heard in between.
const PIECE: f64 = 4_194_304.0;

/// Where bytes come from.
pub(super) enum Bytes {
    /// The next piece of a file is fetched while the last one is worked on.
    File {
        blob: Blob,
        next: f64,
        coming: Option<Promise>,
    },
    Url {
        reader: ReadableStreamDefaultReader,
        n_bytes: Option<u64>,
    },
}

impl Bytes {
    pub(super) fn of_file(file: &JsValue) -> Result<Bytes, String> {
        let blob = file.dyn_ref::<Blob>().ok_or("no file came with the message")?.clone();
        let mut bytes = Bytes::File { blob, next: 0.0, coming: None };
        bytes.fetch()?;
        Ok(bytes)
    }

    pub(super) async fn of_url(scope: &DedicatedWorkerGlobalScope, url: &str) -> Result<Bytes, String> {
        let response = JsFuture::from(scope.fetch_with_str(url)).await.map_err(|e| words(&e))?;
        let response = response.dyn_into::<Response>().map_err(|e| words(&e))?;
        if !response.ok() {
            let said = match response.text().map(JsFuture::from) {
                Ok(text) => text.await.ok().and_then(|text| text.as_string()).unwrap_or_default(),
                Err(_none) => String::new(),
            };
            let said = said.lines().next().unwrap_or_default().chars().take(300).collect::<String>();
            return Err(format!("{url} answered {} {}\n{said}", response.status(), response.status_text()));
        }
        let length = response.headers().get("content-length").ok().flatten();
        let body = response.body().ok_or_else(|| format!("{url} answered with nothing"))?;
        let reader = body.get_reader().dyn_into().map_err(|e: js_sys::Object| words(&e))?;
        Ok(Bytes::Url { reader, n_bytes: length.and_then(|text| text.parse().ok()) })
    }

    /// How many there are, if that is known.
    pub(super) fn n_bytes(&self) -> Option<u64> {
        match self {
            Bytes::File { blob, .. } => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a file's size is whole")]
                let n_bytes = blob.size() as u64;
                Some(n_bytes)
            }
            Bytes::Url { n_bytes, .. } => *n_bytes,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Uint8Array>, String> {
        match self {
            Bytes::File { coming, .. } => {
                let Some(promise) = coming.take() else { return Ok(None) };
                let buffer = JsFuture::from(promise).await.map_err(|e| words(&e))?;
                self.fetch()?;
                let buffer = buffer.dyn_into::<ArrayBuffer>().map_err(|e| words(&e))?;
                Ok(Some(Uint8Array::new(&buffer)))
            }
            Bytes::Url { reader, .. } => {
                let piece = JsFuture::from(reader.read()).await.map_err(|e| words(&e))?;
                let value = Reflect::get(&piece, &"value".into()).map_err(|e| words(&e))?;
                Ok(value.dyn_into::<Uint8Array>().ok())
            }
        }
    }

    /// Has the browser read the piece after the last one.
    fn fetch(&mut self) -> Result<(), String> {
        let Bytes::File { blob, next, coming } = self else { return Ok(()) };
        if *next < blob.size() {
            let end = (*next + PIECE).min(blob.size());
            let piece = blob.slice_with_f64_and_f64(*next, end).map_err(|e| words(&e))?;
            *coming = Some(piece.array_buffer());
            *next = end;
        }
        Ok(())
    }
}

/// The source of a path, where `wprof view` serves sources.
pub(super) async fn served_text(scope: &DedicatedWorkerGlobalScope, path: &str) -> Option<String> {
    let path = String::from(js_sys::encode_uri_component(path));
    let response = JsFuture::from(scope.fetch_with_str(&format!("./api/source?path={path}"))).await.ok()?;
    let response = response.dyn_into::<Response>().ok().filter(Response::ok)?;
    // A bare web server may answer any path with its page.
    let kind = response.headers().get("content-type").ok().flatten().unwrap_or_default();
    if !kind.starts_with("text/plain") {
        return None;
    }
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

fn words(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}
