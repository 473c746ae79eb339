//! wprof's viewer: opens pprof profiles in the browser. One wasm serves the page and its worker.
//!
//! The worker owns the profiles and answers [`protocol::Question`]s; the page owns a [`state::State`] and draws it.

#![forbid(unsafe_code)]

mod app;
mod views {
    pub(crate) mod diff;
    pub(crate) mod failure;
    pub(crate) mod flame_graph;
    pub(crate) mod graph;
    pub(crate) mod graph_picture;
    pub(crate) mod grid;
    pub(crate) mod icon;
    pub(crate) mod landing;
    pub(crate) mod loading;
    pub(crate) mod name;
    pub(crate) mod notices;
    pub(crate) mod overlays;
    pub(crate) mod picker;
    pub(crate) mod props;
    pub(crate) mod recent_files;
    pub(crate) mod row_menu;
    pub(crate) mod sandwich;
    pub(crate) mod source;
    pub(crate) mod steps;
    pub(crate) mod summary;
    pub(crate) mod tabs;
    pub(crate) mod tags;
    #[cfg(test)]
    pub(crate) mod testing;
    pub(crate) mod toolbar;
    pub(crate) mod tooltip;
    pub(crate) mod top_table;
    pub(crate) mod tree_table;
}
mod address;
mod boxes;
mod canvas;
mod keys;
mod motion;
mod page;
mod palette;
mod recent;
mod route;
mod same;
mod saved;
mod scene;
mod session;
mod state;

mod export;
mod failure;
mod hold;
mod label;
mod layered;
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
            gloo::timers::callback::Timeout::new(0, canvas::prepare_fonts).forget();
        }
    }
}
