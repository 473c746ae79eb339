//! Renders a view to a string, without a browser.

use yew::{BaseComponent, LocalServerRenderer};

pub(crate) fn render<View: BaseComponent>(props: impl FnOnce() -> View::Properties) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let local = tokio::task::LocalSet::new();
    let renderer = LocalServerRenderer::<View>::with_props(props()).hydratable(false);
    local.block_on(&runtime, renderer.render())
}
