//! One HTML file with the viewer and a profile in it, which opens from disk without any server.
//!
//! The parts are `<script>` elements of no type that browsers run: `wprof-code`, `wprof-wasm` (gzip, base64), `wprof-style`
//! and `wprof-profile` (base64), in the head, as the body is the viewer's. `www/saved.js` starts them. The page's policy names
//! that script by its hash and allows nothing besides but what that makes of the parts.

use js_sys::{Array, ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Document, Element, FileReader, ReadableWritablePair, Response};

use crate::link::{From, Source};
use crate::page;
use crate::route::Route;

/// The profile that this page was saved with, if it is such a page, and how it was looked at.
pub(crate) fn profile() -> Option<(Source, Route)> {
    let part = part("wprof-profile")?;
    let coded = part.text_content().unwrap_or_default();
    let binary = web_sys::window()?.atob(coded.trim()).ok()?;
    // Each letter of such a text is a byte.
    let bytes: Vec<u8> = binary.chars().filter_map(|letter| u8::try_from(letter).ok()).collect();
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes.as_slice()))).ok()?;
    let name = part.get_attribute("data-name").unwrap_or_default();
    let route = Route::from_hash(&part.get_attribute("data-route").unwrap_or_default());
    Some((Source { name, from: From::Blob(blob) }, route))
}

/// Saves a page that shows `source` so.
pub(crate) async fn save(source: &Source, route: &Route) -> Result<(), String> {
    let page = page_of(source, route).await.map_err(|e| words(&e))?;
    let blob = Blob::new_with_str_sequence(&Array::of1(&page.as_str().into())).map_err(|e| words(&e))?;
    page::download(&blob, &format!("{}.html", source.name));
    Ok(())
}

async fn page_of(source: &Source, route: &Route) -> Result<String, JsValue> {
    let profile = match &source.from {
        From::Blob(blob) => blob.clone(),
        From::Url(url) => blob_of(url).await?,
    };
    let starter = text_of("wprof-starter", "./saved.js").await?;
    let parts = Parts {
        name: &source.name,
        route: &route.to_hash(),
        style: &style().await?,
        code: &text_of("wprof-code", "./wprof_viewer.js").await?,
        wasm: &wasm().await?,
        profile: &base64(&profile).await?,
        policy: &policy(&starter).await,
        starter: &starter,
    };
    Ok(parts.page())
}

/// What such a page is made of, all as text.
struct Parts<'a> {
    name: &'a str,
    route: &'a str,
    style: &'a str,
    code: &'a str,
    wasm: &'a str,
    profile: &'a str,
    policy: &'a str,
    starter: &'a str,
}

impl Parts<'_> {
    fn page(&self) -> String {
        let Parts { name, route, style, code, wasm, profile, policy, starter } = *self;
        let (name, route, policy) = (attribute(name), attribute(route), attribute(policy));
        let code = data(code);
        format!(
            r#"<!doctype html>
<html lang="en" data-theme="system">
<head>
<meta charset="utf-8">
<title>{name} · wprof</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style id="wprof-style">{style}</style>
<script type="text/plain" id="wprof-code">{code}</script>
<script type="text/plain" id="wprof-wasm">{wasm}</script>
<script type="text/plain" id="wprof-profile" data-name="{name}" data-route="{route}">{profile}</script>
<script type="module" id="wprof-starter">{starter}</script>
</head>
<body>
<noscript>This page needs JavaScript and WebAssembly.</noscript>
</body>
</html>
"#
        )
    }
}

/// Text that stays text within quotes.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text that ends no `<script>`: in JavaScript's strings `<\/` is `</`, and elsewhere it does not occur.
fn data(text: &str) -> String {
    text.replace("</", "<\\/").replace("<!--", "<\\!--")
}

/// As strict as such a page can be: code only from its own starter, and from blobs and data, which only that makes.
async fn policy(starter: &str) -> String {
    let hash = match sha256(starter).await {
        Some(hash) => format!("'sha256-{hash}'"),
        // Browsers hash on secure pages only.
        None => "'unsafe-inline'".to_owned(),
    };
    format!(
        "default-src 'none'; script-src {hash} blob: 'wasm-unsafe-eval'; worker-src data:; \
         style-src 'unsafe-inline'; img-src blob: data:; base-uri 'none'; form-action 'none'"
    )
}

async fn sha256(text: &str) -> Option<String> {
    let subtle = web_sys::window()?.crypto().ok()?.subtle();
    let promise = subtle.digest_with_str_and_u8_array("SHA-256", text.as_bytes()).ok()?;
    let digest = JsFuture::from(promise).await.ok()?.dyn_into::<ArrayBuffer>().ok()?;
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::new(&digest))).ok()?;
    base64(&blob).await.ok()
}

/// All style sheets of the page, one after another.
async fn style() -> Result<String, JsValue> {
    if let Some(part) = part("wprof-style") {
        return Ok(part.text_content().unwrap_or_default());
    }
    let links = document().and_then(|it| it.query_selector_all("link[rel=stylesheet]").ok());
    let links = links.iter().flat_map(|links| (0..links.length()).filter_map(|at| links.get(at)));
    let addresses = links.filter_map(|link| link.dyn_into::<Element>().ok()?.get_attribute("href"));
    let mut style = String::new();
    for address in addresses {
        style += &fetched(&address).await?;
    }
    Ok(style)
}

/// The wasm, packed.
async fn wasm() -> Result<String, JsValue> {
    if let Some(part) = part("wprof-wasm") {
        return Ok(part.text_content().unwrap_or_default());
    }
    let wasm = blob_of("./wprof_viewer_bg.wasm").await?;
    // All browsers have it; web-sys does not yet count it as settled.
    let gzip: Function = Reflect::get(&js_sys::global(), &"CompressionStream".into())?.dyn_into()?;
    let pair: ReadableWritablePair = Reflect::construct(&gzip, &Array::of1(&"gzip".into()))?.unchecked_into();
    let packed = Response::new_with_opt_readable_stream(Some(&wasm.stream().pipe_through(&pair)))?;
    base64(&JsFuture::from(packed.blob()?).await?.dyn_into()?).await
}

/// A part of a saved page, or else a file beside this one.
async fn text_of(id: &str, address: &str) -> Result<String, JsValue> {
    match part(id) {
        Some(part) => Ok(part.text_content().unwrap_or_default().replace("<\\/", "</").replace("<\\!--", "<!--")),
        None => fetched(address).await,
    }
}

fn part(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

async fn fetched(address: &str) -> Result<String, JsValue> {
    let text = response(address).await?.text()?;
    Ok(JsFuture::from(text).await?.as_string().unwrap_or_default())
}

async fn blob_of(address: &str) -> Result<Blob, JsValue> {
    JsFuture::from(response(address).await?.blob()?).await?.dyn_into()
}

async fn response(address: &str) -> Result<Response, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response: Response = JsFuture::from(window.fetch_with_str(address)).await?.dyn_into()?;
    if response.ok() { Ok(response) } else { Err(format!("{address} answered {}", response.status()).into()) }
}

/// By the browser's own coder, which takes large ones, too.
async fn base64(blob: &Blob) -> Result<String, JsValue> {
    let reader = FileReader::new()?;
    let read = js_sys::Promise::new(&mut |done, failed| {
        reader.set_onload(Some(&done));
        reader.set_onerror(Some(&failed));
    });
    reader.read_as_data_url(blob)?;
    JsFuture::from(read).await?;
    let url = reader.result()?.as_string().unwrap_or_default();
    Ok(url.split_once(',').map(|(_, coded)| coded.to_owned()).unwrap_or_default())
}

fn words(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_can_end_its_element() {
        let page = Parts {
            name: "<b>\"&.prof",
            route: "search=\"x\"",
            style: "a{}",
            code: "let a = '</script><!--';",
            wasm: "AA==",
            profile: "BB==",
            policy: "default-src 'none'",
            starter: "start()",
        }
        .page();
        assert_eq!(page.matches("</script>").count(), 4, "{page}");
        assert!(page.contains("data-name=\"&lt;b&gt;&quot;&amp;.prof\" data-route=\"search=&quot;x&quot;\""), "{page}");
        assert!(page.contains("let a = '<\\/script><\\!--';"), "{page}");
    }
}
