//! The page after a file that could not be opened: what is wrong with which file, and what to try.

use std::rc::Rc;

use yew::prelude::*;

use crate::failure::{Advice, Failure};
use crate::link::Source;
use crate::views::toolbar::PickFile;

#[derive(PartialEq, Properties)]
pub(crate) struct FailurePageProps {
    pub(crate) failure: Rc<Failure>,
    pub(crate) on_files: Callback<Vec<Source>>,
    /// Back to what was open before.
    pub(crate) on_back: Option<Callback<()>>,
}

#[component]
pub(crate) fn FailurePage(props: &FailurePageProps) -> Html {
    let Failure { name, title, detail, advice } = &*props.failure;
    html! {
        <main class="failure">
            <div role="alert">
                <p class="failure-file" data-testid="failure-file">{ name }</p>
                <h1>{ title }</h1>
                <pre class="failure-detail" data-testid="failure-detail">{ detail }</pre>
            </div>
            <h2>{ "What to try" }</h2>
            <ul>{ for advice.iter().map(advice_item) }</ul>
            <p class="failure-next">
                <PickFile class="button primary" label="Choose another file…" on_files={props.on_files.clone()} />
                { " or drop one anywhere on this page. " }
                if let Some(on_back) = &props.on_back {
                    <button type="button" class="button" onclick={on_back.reform(|_: MouseEvent| ())}
                        data-testid="back">{ "Back to what was open" }</button>
                }
            </p>
        </main>
    }
}

fn advice_item(advice: &Advice) -> Html {
    let command = advice.command.as_ref().map(|command| html! { <>{ " " }<code>{ command }</code></> });
    html! { <li>{ &advice.text }{ command }</li> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Fault, Refusal};
    use crate::views::testing::render;

    #[test]
    fn names_the_file_the_fault_and_a_way_out() {
        let error = "unexpected end of varint (at offset 0x2f)".to_owned();
        let refusal = Refusal::Undecodable { error, fault: Fault::Other, n_bytes: 9, head: b"\x1f\x8b\x08".to_vec() };
        let html = render::<FailurePage>(move || FailurePageProps {
            failure: Rc::new(Failure::refused("<cpu>.prof".into(), &refusal)),
            on_files: Callback::noop(),
            on_back: None,
        });
        assert!(html.contains("&lt;cpu&gt;.prof"), "{html}");
        assert!(html.contains("unexpected end of varint (at offset 0x2f)"), "{html}");
        assert!(html.contains("<code>gzip -t"), "{html}");
    }
}
