//! The page before any file: what to drop, and the commands that make one.

use yew::prelude::*;

use crate::link::Source;
use crate::views::icon::icon;
use crate::views::recent_files::RecentFiles;
use crate::views::toolbar::PickFile;

#[derive(PartialEq, Properties)]
pub(crate) struct LandingProps {
    pub(crate) on_files: Callback<Vec<Source>>,
    pub(crate) on_recent: Callback<String>,
}

#[component]
pub(crate) fn Landing(props: &LandingProps) -> Html {
    html! {
        <main class="landing">
            { icon("landing-icon", 56) }
            <h1>{ "Drop a profile anywhere on this page" }</h1>
            <p class="landing-lead">
                { "pprof files of any program, gzipped or not, older formats, folded stacks, speedscope's JSON. Two at once are compared; a " }
                <code>{ ".wasm" }</code>{ " or sources beside a profile tell more about it. Nothing leaves this browser." }
            </p>
            <p class="landing-actions">
                <PickFile class="button primary" label="Choose files…" on_files={props.on_files.clone()} />
                <PickFile class="button" label="A folder…" folder=true on_files={props.on_files.clone()} />
                <span class="landing-or">{ "or paste one (Ctrl V)" }</span>
            </p>
            <RecentFiles on_recent={props.on_recent.clone()} />
            <dl class="landing-commands">
                <div>
                    <dt>{ "Profile a WebAssembly program" }</dt>
                    <dd><code>{ "wprof run mod.wasm" }</code></dd>
                </div>
                <div>
                    <dt>{ "Open a profile from the terminal, or from a server" }</dt>
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
        let html = render::<Landing>(|| LandingProps { on_files: Callback::noop(), on_recent: Callback::noop() });
        assert!(html.contains("wprof run mod.wasm"), "{html}");
        assert!(html.contains("wprof view cpu.prof"), "{html}");
    }
}
