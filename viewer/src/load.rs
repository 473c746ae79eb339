//! Where files come from: drops on the page, whole folders too, the file picker, the clipboard, and `wprof view` behind
//! the page's own address.

use js_sys::{Array, Function, Promise};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DataTransfer, DragEvent, File, FileList, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry,
    Response,
};

use crate::link::{From, Source};
use crate::state::Served;

/// What `wprof view` lists; relative, so that the viewer may live below any path.
const LIST: &str = "./api/profiles";

/// Whether a drag carries files: text dragged about within the page is none of our business.
pub(crate) fn carries_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().iter().any(|kind| kind == "Files"))
}

/// Whether a drop is in the half of the veil that compares.
pub(crate) fn is_on_compare(event: &DragEvent) -> bool {
    let half = web_sys::window().and_then(|window| window.document()?.query_selector(".drop-compare").ok()?);
    half.is_some_and(|half| {
        let place = half.get_bounding_client_rect();
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        (place.left()..place.right()).contains(&x) && (place.top()..place.bottom()).contains(&y)
    })
}

/// A file that the reader gave.
pub(crate) fn source(file: File) -> Source {
    Source { name: file.name(), from: From::Blob(file.into()) }
}

/// All files of a picker.
pub(crate) fn picked(files: Option<FileList>) -> Vec<Source> {
    let files = files.into_iter().flat_map(|files| (0..files.length()).filter_map(move |at| files.get(at)));
    files.map(source).collect()
}

/// What was pasted: files, or a profile as text.
pub(crate) fn pasted(data: &DataTransfer) -> Vec<Source> {
    let files = picked(data.files());
    if !files.is_empty() {
        return files;
    }
    let text = data.get_data("text/plain").unwrap_or_default();
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.as_str().into()));
    let pasted = blob.ok().filter(|_| !text.trim().is_empty());
    pasted.map(|blob| Source { name: "pasted text".to_owned(), from: From::Blob(blob) }).into_iter().collect()
}

/// The files of a drop, those in folders with it. To be called at once: entries are gone after the event.
pub(crate) fn dropped(event: &DragEvent) -> impl Future<Output = Vec<Source>> + use<> {
    let data = event.data_transfer();
    let items = data.as_ref().map(DataTransfer::items);
    let entries = items.iter().flat_map(|items| (0..items.length()).filter_map(|at| items.get(at)));
    let entries: Vec<FileSystemEntry> = entries.filter_map(|item| item.webkit_get_as_entry().ok().flatten()).collect();
    let files = picked(data.and_then(|data| data.files()));
    async move {
        if !entries.iter().any(FileSystemEntry::is_directory) {
            return files;
        }
        let mut found = Vec::new();
        for entry in entries {
            add_entry(entry, &mut found).await;
        }
        found
    }
}

/// More files than this in a folder are hardly profiles.
const MOST: usize = 200;

/// A file, or all files in a folder and below; those that begin with a dot are nobody's profile.
async fn add_entry(entry: FileSystemEntry, found: &mut Vec<Source>) {
    let mut todo = vec![entry];
    while let Some(entry) = todo.pop() {
        if found.len() >= MOST || entry.name().starts_with('.') {
            continue;
        }
        if let Some(folder) = entry.dyn_ref::<FileSystemDirectoryEntry>() {
            let reader = folder.create_reader();
            // A reader hands out a hundred at a time.
            while let Some(some) = awaited(|done, _| reader.read_entries_with_callback(done)).await {
                let some = Array::from(&some);
                if some.length() == 0 {
                    break;
                }
                todo.extend(some.iter().filter_map(|entry| entry.dyn_into().ok()));
            }
        } else if let Some(file) = entry.dyn_ref::<FileSystemFileEntry>() {
            let read = awaited(|done, failed| {
                file.file_with_callback_and_callback(done, failed);
                Ok(())
            });
            let path = entry.full_path().trim_start_matches('/').to_owned();
            let file = read.await.and_then(|file| file.dyn_into::<File>().ok());
            found.extend(file.map(|file| Source { name: path, from: From::Blob(file.into()) }));
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
}

/// What a function hands to its callback; `None` if it fails.
async fn awaited(start: impl Fn(&Function, &Function) -> Result<(), JsValue>) -> Option<JsValue> {
    let promise = Promise::new(&mut |done, failed| {
        if start(&done, &failed).is_err() {
            let _told = failed.call0(&JsValue::NULL);
        }
    });
    JsFuture::from(promise).await.ok()
}

/// What is behind this page; nothing where a plain web server hosts it, which is no error.
pub(crate) async fn served() -> Listed {
    fetch_served().await.unwrap_or_default()
}

/// What `wprof view` serves.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Listed {
    pub(crate) profiles: Vec<Served>,
    /// What a diff is to start from.
    pub(crate) base: Option<Served>,
    pub(crate) modules: Vec<Served>,
}

async fn fetch_served() -> Option<Listed> {
    let response = JsFuture::from(web_sys::window()?.fetch_with_str(LIST)).await.ok()?;
    let response = response.dyn_into::<Response>().ok().filter(Response::ok)?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}
