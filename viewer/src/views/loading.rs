//! The page while a file is being opened.

use yew::prelude::*;

use crate::protocol::Stage;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct LoadingProps {
    pub(crate) name: AttrValue,
    pub(crate) stage: Stage,
}

#[component]
pub(crate) fn Loading(props: &LoadingProps) -> Html {
    let stage = match props.stage {
        Stage::Starting => "starting".to_owned(),
        Stage::Reading => "reading the file".to_owned(),
        Stage::Decoding { n_bytes } => format!("decoding {}", size(n_bytes)),
    };
    html! {
        <main class="loading" aria-busy="true">
            <div class="progress" aria-hidden="true"></div>
            <h1>{ "Opening " }{ &props.name }</h1>
            <p class="loading-stage" role="status">{ stage }</p>
        </main>
    }
}

fn size(n_bytes: usize) -> String {
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

    #[test]
    fn says_how_far_it_is() {
        let stage = Stage::Decoding { n_bytes: 8_123_456 };
        let html = render::<Loading>(move || LoadingProps { name: "cpu.prof".into(), stage });
        assert!(html.contains("cpu.prof") && html.contains("decoding 8.1 MB"), "{html}");
    }
}
