//! The page while a file is being opened.

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use crate::protocol::Stage;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct LoadingProps {
    pub(crate) name: AttrValue,
    pub(crate) stage: Stage,
    pub(crate) on_cancel: Callback<()>,
}

/// Files that are soon open are not announced, in milliseconds.
const SOON: u32 = 150;

#[component]
pub(crate) fn Loading(props: &LoadingProps) -> Html {
    let takes_long = use_state_eq(|| false);
    let setter = takes_long.setter();
    use_effect_with((), move |()| {
        let timeout = Timeout::new(SOON, move || setter.set(true));
        move || drop(timeout)
    });
    if *takes_long {
        announcement(props)
    } else {
        html! { <main class="loading" aria-busy="true"></main> }
    }
}

fn announcement(props: &LoadingProps) -> Html {
    let stage = match props.stage {
        Stage::Starting => "starting".to_owned(),
        Stage::Reading { n_read, n_bytes: Some(n_bytes) } => format!("read {} of {}", size(n_read), size(n_bytes)),
        Stage::Reading { n_read, n_bytes: None } => format!("read {}", size(n_read)),
        Stage::Preparing { n_samples: 0 } => "putting it in order".to_owned(),
        Stage::Preparing { n_samples } => format!("putting {n_samples} samples in order"),
    };
    html! {
        <main class="loading" aria-busy="true">
            { bar(props.stage) }
            <h1>{ "Opening " }{ &props.name }</h1>
            <p class="loading-stage" role="status">{ stage }</p>
            <button type="button" class="button" onclick={props.on_cancel.reform(|_: MouseEvent| ())}
                data-testid="cancel">{ "Cancel" }</button>
        </main>
    }
}

/// How much is behind, where that is known; else only that something is going on.
fn bar(stage: Stage) -> Html {
    match stage {
        Stage::Reading { n_read, n_bytes: Some(n_bytes) } if n_bytes > 0 => html! {
            <progress class="progress-bar" value={n_read.to_string()} max={n_bytes.to_string()} aria-label="Bytes read"></progress>
        },
        _ => html! { <div class="progress" aria-hidden="true"></div> },
    }
}

fn size(n_bytes: u64) -> String {
    match n_bytes {
        0..1_000 => format!("{n_bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", n_bytes / 1_000),
        _ => format!("{}.{} MB", n_bytes / 1_000_000, n_bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::render;

    #[component]
    fn Announcement(props: &LoadingProps) -> Html {
        announcement(props)
    }

    #[test]
    fn says_how_far_it_is() {
        let stage = Stage::Reading { n_read: 8_123_456, n_bytes: Some(135_000_000) };
        let on_cancel = Callback::noop();
        let props = LoadingProps { name: "cpu.prof".into(), stage, on_cancel };
        let html = render::<Announcement>(|| props);
        assert!(html.contains("cpu.prof") && html.contains("read 8.1 MB of 135.0 MB"), "{html}");
        assert!(html.contains("value=\"8123456\"") && html.contains("max=\"135000000\""), "{html}");
    }
}
