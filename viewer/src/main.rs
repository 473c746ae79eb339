//! wprof's viewer: opens pprof profiles in the browser. One wasm serves the page and its worker.
//!
//! The worker owns the profile and answers [`protocol::Question`]s; the page owns a [`state::State`] and draws it.

#![forbid(unsafe_code)]

mod app;
mod views {
    pub(crate) mod failure;
    pub(crate) mod flame_graph;
    pub(crate) mod landing;
    pub(crate) mod loading;
    pub(crate) mod picker;
    #[cfg(test)]
    pub(crate) mod testing;
    pub(crate) mod toolbar;
    pub(crate) mod tooltip;
    pub(crate) mod top_table;
}
mod boxes;
mod canvas;
mod keys;
mod page;
mod session;
mod state;

mod failure;
mod label;
mod link;
mod load;
mod protocol;

mod desk;
mod worker;

use wasm_bindgen::JsCast;
use web_sys::DedicatedWorkerGlobalScope;

fn main() {
    match js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() {
        Ok(scope) => worker::run(&scope),
        Err(_page) => {
            page::own_up_to_panics();
            yew::Renderer::<app::App>::new().render();
        }
    }
}
