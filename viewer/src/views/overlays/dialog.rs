//! A dialog of the browser's own: it keeps the focus inside, gives it back, and closes on Esc.

use wasm_bindgen::JsCast;
use web_sys::{EventTarget, HtmlDialogElement, Node};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub(crate) struct DialogProps {
    pub(crate) title: &'static str,
    pub(crate) on_close: Callback<()>,
    pub(crate) children: Html,
}

#[component]
pub(crate) fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            let dialog = node.cast::<HtmlDialogElement>();
            // Fails only for one that is open already.
            let _shown = dialog.as_ref().map(HtmlDialogElement::show_modal);
            move || {
                if let Some(dialog) = dialog {
                    dialog.close();
                }
            }
        }
    });
    let close = props.on_close.reform(|_: MouseEvent| ());
    let oncancel = props.on_close.reform(|event: Event| event.prevent_default());
    // What is around the dialog is the dialog's, to the browser; its own contents are in a box of their own.
    let onclick = {
        let (node, on_close) = (node.clone(), props.on_close.clone());
        move |event: MouseEvent| {
            if is(&node, event.target()) {
                on_close.emit(());
            }
        }
    };
    html! {
        <dialog ref={node} class="dialog" aria-label={props.title} {onclick} {oncancel} data-testid="dialog">
            <div class="dialog-box">
                <header class="dialog-head">
                    <h2>{ props.title }</h2>
                    <button type="button" class="button icon-button" onclick={close} aria-label="Close">{ "×" }</button>
                </header>
                { props.children.clone() }
            </div>
        </dialog>
    }
}

fn is(node: &NodeRef, target: Option<EventTarget>) -> bool {
    let target = target.and_then(|target| target.dyn_into::<Node>().ok());
    node.get().zip(target).is_some_and(|(node, target)| node == target)
}
