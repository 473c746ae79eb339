//! Picks samples by a numeric label, such as the size of a block: a button, and below it what each size weighs.

use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, FocusEvent, HtmlElement, HtmlSelectElement, Node};
use yew::prelude::*;

use crate::protocol::{Measure, Picked, Summary, Weight, Weights};
use crate::state::Action;

#[derive(PartialEq, Properties)]
pub(crate) struct PickerProps {
    pub(crate) summary: Rc<Summary>,
    pub(crate) sample_index: usize,
    pub(crate) picked: Option<Picked>,
    pub(crate) open: bool,
    pub(crate) weights: Option<Rc<Weights>>,
    /// Of all samples.
    pub(crate) total: AttrValue,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Picker(props: &PickerProps) -> Html {
    let PickerProps { summary, open, dispatch, .. } = props;
    let (anchor, button) = (use_node_ref(), use_node_ref());
    use_closing(*open, &anchor, &button, dispatch);
    let onclick = {
        let open = !open;
        dispatch.reform(move |_: MouseEvent| Action::OpenPicker(open))
    };
    let onfocusout = {
        let (anchor, dispatch) = (anchor.clone(), dispatch.clone());
        move |event: FocusEvent| {
            // Without a next element the window itself was left, which says nothing.
            if event.related_target().is_some_and(|next| !holds(&anchor, &next)) {
                dispatch.emit(Action::OpenPicker(false));
            }
        }
    };
    let clear = {
        let (button, dispatch) = (button.clone(), dispatch.clone());
        move |_: MouseEvent| {
            // The button that has it now goes.
            focus(&button);
            dispatch.emit(Action::Pick(None));
        }
    };
    let class = classes!("button", "picker-button", props.picked.map(|_| "active"));
    html! {
        <div ref={anchor} class="picker" {onfocusout}>
            <button ref={button} type="button" {class} {onclick} aria-expanded={open.to_string()} aria-haspopup="dialog"
                data-testid="picker" title="Show only samples of some sizes (s)">
                { caption(props) }<span class="picker-arrow" aria-hidden="true"></span>
            </button>
            if props.picked.is_some() {
                <button type="button" class="button picker-clear" onclick={clear} aria-label="Show all samples"
                    title="Show all samples" data-testid="picker-clear">{ "×" }</button>
            }
            if *open {
                <section class="popover picker-popover" role="dialog" aria-label="Samples to show" data-testid="picker-popover">
                    { all_row(props) }
                    { for summary.measures.iter().enumerate().map(|(at, measure)| measure_rows(props, at, measure)) }
                </section>
            }
        </div>
    }
}

/// Closes when something else is pressed, and gives the focus back to the button where closing took it from the page.
#[hook]
fn use_closing(open: bool, anchor: &NodeRef, button: &NodeRef, dispatch: &Callback<Action>) {
    let was_open = use_mut_ref(|| false);
    let (anchor, button, dispatch) = (anchor.clone(), button.clone(), dispatch.clone());
    use_effect_with(open, move |&open| {
        let was_open = was_open.replace(open);
        let body = web_sys::window().and_then(|window| window.document());
        if was_open && !open && body.is_some_and(|it| it.active_element().is_none_or(|it| it.tag_name() == "BODY")) {
            focus(&button);
        }
        if open && let Some(checked) = anchor.cast::<web_sys::Element>() {
            let checked = checked.query_selector("input:checked").ok().flatten();
            let _focused = checked.and_then(|it| it.dyn_into::<HtmlElement>().ok()).map(|it| it.focus());
        }
        let pressed = open.then(web_sys::window).flatten().map(|window| {
            EventListener::new(&window, "pointerdown", move |event| {
                if event.target().is_some_and(|target| !holds(&anchor, &target)) {
                    dispatch.emit(Action::OpenPicker(false));
                }
            })
        });
        move || drop(pressed)
    });
}

fn holds(anchor: &NodeRef, target: &EventTarget) -> bool {
    anchor.get().is_some_and(|anchor| anchor.contains(target.dyn_ref::<Node>()))
}

fn focus(node: &NodeRef) {
    let _focused = node.cast::<HtmlElement>().map(|it| it.focus());
}

/// What is picked, or what could be.
fn caption(props: &PickerProps) -> Html {
    let measures = &props.summary.measures;
    let picked = props.picked.and_then(|it| measures.get(it.measure).map(|measure| (measure, it)));
    match (picked, measures.as_slice()) {
        (Some((measure, Picked { first, last, .. })), _) => html! {
            <><span class="picker-noun">{ measure.noun() }</span>{ " " }{ measure.name(first, last).unwrap_or_default() }</>
        },
        (None, [measure]) => html! { { format!("Any {}", measure.noun()) } },
        (None, _) => html! { { "Any label" } },
    }
}

fn all_row(props: &PickerProps) -> Html {
    let all = Weight { value: props.total.to_string(), percent: "100%".to_owned(), bar: String::new() };
    let onclick = props.dispatch.reform(|_: MouseEvent| Action::Pick(None));
    row("All samples".to_owned(), Some(&all), props.picked.is_none(), props.picked.is_none(), onclick)
}

fn measure_rows(props: &PickerProps, at: usize, measure: &Measure) -> Html {
    let weights = props.weights.as_ref().and_then(|weights| weights.get(at));
    let row_of = |range: usize| {
        let weight = weights.and_then(|weights| weights.get(range));
        let is_picked = props.picked.is_some_and(|picked| picked.contains(at, range));
        let is_checked = props.picked.is_some_and(|it| (it.measure, it.first) == (at, range));
        let picked = props.picked;
        let onclick = props.dispatch.reform(move |event: MouseEvent| {
            let one = Picked::one(at, range);
            Action::Pick(Some(if event.shift_key() { Picked::extended(picked, at, range) } else { one }))
        });
        row(measure.name(range, range).unwrap_or_default(), weight, is_picked, is_checked, onclick)
    };
    let kind = props.summary.sample_types.get(props.sample_index).map(|it| it.kind.clone());
    html! {
        <fieldset class="measure">
            <legend><span>{ measure.noun().to_owned() }</span><span>{ kind }</span></legend>
            <div class="picker-rows">{ for (0..measure.ranges.len()).map(row_of) }</div>
            if measure.ranges.len() > 2 { { ends(props, at, measure) } }
        </fieldset>
    }
}

/// A choice that looks like a row of a table.
fn row(name: String, weight: Option<&Weight>, picked: bool, checked: bool, onclick: Callback<MouseEvent>) -> Html {
    let weight = weight.cloned().unwrap_or_default();
    let class = classes!("picker-row", picked.then_some("picked"), (weight.value == "0").then_some("nothing"));
    html! {
        <label {class}>
            <input class="visually-hidden" type="radio" name="picked" {checked} {onclick} />
            <span class="picker-name">{ name }</span>
            <svg class="picker-bar" aria-hidden="true">
                if !weight.bar.is_empty() { <rect width={weight.bar.trim_start_matches('-').to_owned()} height="100%" rx="2" /> }
            </svg>
            <span class="picker-value">{ &weight.value }</span>
            <span class="picker-percent">{ &weight.percent }</span>
        </label>
    }
}

/// Both ends of a range, for those who have no shift key at hand.
fn ends(props: &PickerProps, at: usize, measure: &Measure) -> Html {
    let last = measure.ranges.len() - 1;
    let picked = props.picked.filter(|it| it.measure == at).unwrap_or(Picked { measure: at, first: 0, last });
    let choice = |label: &'static str,
                  test_id: &'static str,
                  chosen: usize,
                  names: Vec<String>,
                  to: fn(Picked, usize) -> Picked| {
        let onchange = props.dispatch.reform(move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            let at = select.and_then(|it| usize::try_from(it.selected_index()).ok()).unwrap_or(chosen);
            Action::Pick(Some(to(picked, at)))
        });
        let option = |(at, name): (usize, String)| html! { <option selected={at == chosen}>{ name }</option> };
        html! {
            <label>{ label }{ " " }
                <select {onchange} data-testid={test_id}>{ for names.into_iter().enumerate().map(option) }</select>
            </label>
        }
    };
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text.to_owned() };
    let froms = measure.ranges.iter().map(|it| or(&it.from, "the least")).collect();
    let tos = measure.ranges.iter().map(|it| or(&it.to, "the greatest")).collect();
    html! {
        <p class="picker-ends">
            { choice("from", "picker-from", picked.first, froms, |it, at| Picked { first: at, last: it.last.max(at), ..it }) }
            { choice("to", "picker-to", picked.last, tos, |it, at| Picked { first: it.first.min(at), last: at, ..it }) }
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Ends, SampleType};
    use crate::views::testing::render;

    fn props() -> PickerProps {
        let ends = |from: &str, to: &str| Ends { from: from.to_owned(), to: to.to_owned() };
        let ranges = vec![ends("16B", "16B"), ends("64B", "64B"), ends("1kB", "2kB")];
        let weight = |value: &str, percent: &str, bar: &str| Weight {
            value: value.to_owned(),
            percent: percent.to_owned(),
            bar: bar.to_owned(),
        };
        let weights = vec![weight("0", "0%", "0%"), weight("1kB", "25.00%", "33.33%"), weight("3kB", "75.00%", "100%")];
        PickerProps {
            summary: Rc::new(Summary {
                sample_types: vec![SampleType {
                    kind: "inuse_space".to_owned(),
                    unit: "bytes".to_owned(),
                    total: "4kB".to_owned(),
                }],
                measures: vec![Measure { key: "bytes".to_owned(), ranges }],
                ..Summary::default()
            }),
            sample_index: 0,
            picked: None,
            open: true,
            weights: Some(Rc::new(vec![weights])),
            total: "4kB".into(),
            dispatch: Callback::noop(),
        }
    }

    #[test]
    fn offers_every_size_with_its_weight() {
        let html = render::<Picker>(props);
        for part in ["Any size", ">size<", "inuse_space", ">16B<", ">1kB – 2kB<", ">3kB<", ">75.00%<", ">4kB<"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches("picker-row picked").count(), 1, "all samples: {html}");
        assert!(!html.contains("picker-clear"), "{html}");
    }

    #[test]
    fn shows_what_is_picked() {
        let picked = Some(Picked { measure: 0, first: 1, last: 2 });
        let html = render::<Picker>(|| PickerProps { picked, ..props() });
        assert_eq!(html.matches("picker-row picked").count(), 2, "{html}");
        for part in ["</span> 64B – 2kB", "picker-clear", "<option selected=\"selected\">64B<"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn closed_it_is_a_button() {
        let html = render::<Picker>(|| PickerProps { open: false, ..props() });
        assert!(html.contains("Any size") && !html.contains("picker-row"), "{html}");
    }
}
