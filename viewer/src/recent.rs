//! Files of earlier visits, kept in the browser (IndexedDB) if the reader agrees; never without being asked.

use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, IdbDatabase, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode};

use crate::link::{From, Source};

const NAME: &str = "wprof";
const STORE: &str = "recent";
/// The reader's consent, in the storage of the page.
const AGREED: &str = "wprof-remember";

/// So many files are kept, of so many bytes in all; the oldest go first.
const MOST_FILES: usize = 12;
const MOST_BYTES: f64 = 256_000_000.0;

/// A file that can be opened again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recent {
    pub(crate) name: String,
    pub(crate) n_bytes: f64,
    /// Milliseconds since 1970.
    pub(crate) opened_at: f64,
}

/// Whether files may be kept.
pub(crate) fn is_agreed() -> bool {
    storage().and_then(|storage| storage.get_item(AGREED).ok()?).as_deref() == Some("yes")
}

/// Notes whether files may be kept; taking it back forgets those that are.
pub(crate) async fn agree(yes: bool) {
    if let Some(storage) = storage() {
        let _kept = if yes { storage.set_item(AGREED, "yes") } else { storage.remove_item(AGREED) };
    }
    if !yes && let Ok(store) = store(IdbTransactionMode::Readwrite).await {
        let _cleared = store.clear().map(answered);
    }
}

/// What is kept, the newest first.
pub(crate) async fn list() -> Rc<[Recent]> {
    entries().await.unwrap_or_default().into()
}

/// Keeps a file that was opened, if that is agreed. Where the browser refuses, nothing is kept.
pub(crate) async fn keep(source: &Source) {
    let From::Blob(blob) = &source.from else { return };
    if is_agreed() && blob.size() <= MOST_BYTES {
        let _kept = put(&source.name, blob).await;
    }
}

/// A file that was kept.
pub(crate) async fn open(name: &str) -> Option<Source> {
    let store = store(IdbTransactionMode::Readonly).await.ok()?;
    let entry = answered(store.get(&name.into()).ok()?).await.ok()?;
    let blob = field(&entry, "blob").dyn_into::<Blob>().ok()?;
    Some(Source { name: name.to_owned(), from: From::Blob(blob) })
}

async fn put(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let entry = Object::new();
    Reflect::set(&entry, &"name".into(), &name.into())?;
    Reflect::set(&entry, &"blob".into(), blob)?;
    Reflect::set(&entry, &"at".into(), &js_sys::Date::now().into())?;
    answered(store(IdbTransactionMode::Readwrite).await?.put(&entry)?).await?;
    let kept: Vec<Recent> = entries().await?;
    for name in too_many(&kept) {
        let gone = store(IdbTransactionMode::Readwrite).await?.delete(&name.into())?;
        answered(gone).await?;
    }
    Ok(())
}

/// Which of the files, the newest first, are beyond what is kept.
fn too_many(kept: &[Recent]) -> Vec<&str> {
    let mut n_bytes = 0.0;
    let mut beyond = Vec::new();
    for (at, recent) in kept.iter().enumerate() {
        n_bytes += recent.n_bytes;
        if MOST_FILES <= at || MOST_BYTES < n_bytes {
            beyond.push(recent.name.as_str());
        }
    }
    beyond
}

async fn entries() -> Result<Vec<Recent>, JsValue> {
    let all = answered(store(IdbTransactionMode::Readonly).await?.get_all()?).await?;
    let mut entries: Vec<Recent> = Array::from(&all).iter().filter_map(|it| entry(&it)).collect();
    entries.sort_by(|a, b| b.opened_at.total_cmp(&a.opened_at));
    Ok(entries)
}

fn entry(value: &JsValue) -> Option<Recent> {
    let name = field(value, "name").as_string()?;
    let n_bytes = field(value, "blob").dyn_ref::<Blob>()?.size();
    let opened_at = field(value, "at").as_f64()?;
    Some(Recent { name, n_bytes, opened_at })
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

async fn store(mode: IdbTransactionMode) -> Result<IdbObjectStore, JsValue> {
    let factory = web_sys::window().ok_or(JsValue::NULL)?.indexed_db()?.ok_or(JsValue::NULL)?;
    let request = factory.open_with_u32(NAME, 1)?;
    let opening: IdbOpenDbRequest = request.clone();
    let upgrade = Closure::once_into_js(move || {
        let database = opening.result().ok().and_then(|it| it.dyn_into::<IdbDatabase>().ok());
        let keyed = web_sys::IdbObjectStoreParameters::new();
        keyed.set_key_path(&"name".into());
        let _made = database.map(|it| it.create_object_store_with_optional_parameters(STORE, &keyed));
    });
    request.set_onupgradeneeded(Some(upgrade.unchecked_ref()));
    let database: IdbDatabase = answered(request.unchecked_into()).await?.dyn_into()?;
    database.transaction_with_str_and_mode(STORE, mode)?.object_store(STORE)
}

/// The result of a request.
async fn answered(request: IdbRequest) -> Result<JsValue, JsValue> {
    let done = Promise::new(&mut |done, failed| {
        request.set_onsuccess(Some(&done));
        request.set_onerror(Some(&failed));
    });
    JsFuture::from(done).await?;
    request.result()
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first() {
        let recent = |name: &str, n_bytes| Recent { name: name.to_owned(), n_bytes, opened_at: 0.0 };
        let many: Vec<Recent> = (0..14).map(|at| recent(&at.to_string(), 1.0)).collect();
        assert_eq!(too_many(&many), ["12", "13"]);
        let large = [recent("a", 200e6), recent("b", 100e6), recent("c", 1.0)];
        assert_eq!(too_many(&large), ["b", "c"]);
    }
}
