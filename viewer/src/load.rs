//! Where files come from: drops on the page, the file picker, and `wprof view` behind the page's own address.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList, Response};

use crate::state::Served;

/// What `wprof view` lists; relative, so that the viewer may live below any path.
const LIST: &str = "./api/profiles";

/// The first file of a drop, if files were dropped.
pub(crate) fn dropped(event: &DragEvent) -> Option<File> {
    first(event.data_transfer()?.files())
}

/// Whether a drag carries files: text dragged about within the page is none of our business.
pub(crate) fn carries_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().iter().any(|kind| kind == "Files"))
}

/// The first file of a picker.
pub(crate) fn first(files: Option<FileList>) -> Option<File> {
    files?.get(0)
}

/// The profiles behind this page; none where a plain web server hosts it, which is no error.
pub(crate) async fn served() -> Rc<[Served]> {
    fetch_served().await.unwrap_or_default()
}

async fn fetch_served() -> Option<Rc<[Served]>> {
    let response = JsFuture::from(web_sys::window()?.fetch_with_str(LIST)).await.ok()?;
    let response = response.dyn_into::<Response>().ok().filter(Response::ok)?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    serde_json::from_str::<Vec<Served>>(&text).ok().map(Into::into)
}
