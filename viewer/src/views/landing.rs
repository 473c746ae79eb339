//! The page before any file: what to drop, and the commands that make one.

use web_sys::File;
use yew::prelude::*;

use crate::views::toolbar::PickFile;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct LandingProps {
    pub(crate) on_file: Callback<File>,
}

#[component]
pub(crate) fn Landing(props: &LandingProps) -> Html {
    html! {
        <main class="landing">
            <img class="landing-icon" src="./icon.svg" alt="" width="64" height="64" />
            <h1>{ "Drop a profile anywhere on this page" }</h1>
            <p class="landing-lead">
                { "CPU, heap or any other pprof file: " }<code>{ "cpu.prof" }</code>{ ", " }<code>{ "heap.prof" }</code>
                { ", " }<code>{ "*.pb.gz" }</code>{ ". It stays in this browser; nothing is uploaded." }
            </p>
            <PickFile class="button primary" label="Choose a file…" on_file={props.on_file.clone()} />
            <dl class="landing-commands">
                <div>
                    <dt>{ "Profile a WebAssembly program" }</dt>
                    <dd><code>{ "wprof run mod.wasm" }</code></dd>
                </div>
                <div>
                    <dt>{ "Open a profile from the terminal" }</dt>
                    <dd><code>{ "wprof view cpu.prof" }</code></dd>
                </div>
            </dl>
        </main>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::render;

    #[test]
    fn names_both_commands() {
        let html = render::<Landing>(|| LandingProps { on_file: Callback::noop() });
        assert!(html.contains("wprof run mod.wasm"), "{html}");
        assert!(html.contains("wprof view cpu.prof"), "{html}");
    }
}
