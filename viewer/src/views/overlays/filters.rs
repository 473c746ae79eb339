//! The form that adds a filter: pprof's options, explained.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::protocol::{Filter, FilterKind};
use crate::same::Same;
use crate::session::Session;
use crate::state::{Action, Overlay};

#[derive(PartialEq, Properties)]
pub(crate) struct FiltersDialogProps {
    pub(crate) session: Same<Session>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn FiltersDialog(props: &FiltersDialogProps) -> Html {
    let FiltersDialogProps { session, dispatch } = props;
    let kind = use_state(|| FilterKind::Focus);
    let pattern = use_node_ref();
    let on_kind = {
        let kind = kind.setter();
        move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            let at = select.and_then(|it| usize::try_from(it.selected_index()).ok()).unwrap_or(0);
            kind.set(FilterKind::ALL.get(at).copied().unwrap_or(FilterKind::Focus));
        }
    };
    let onsubmit = {
        let (dispatch, pattern, kind) = (dispatch.clone(), pattern.clone(), *kind);
        move |event: SubmitEvent| {
            event.prevent_default();
            let text = pattern.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default();
            if !text.is_empty() {
                dispatch.emit(Action::AddFilter(Filter { kind, pattern: text }));
                dispatch.emit(Action::Overlay(Overlay::None));
            }
        }
    };
    let option = |it: FilterKind| html! { <option selected={it == *kind}>{ it.option() }</option> };
    let is_tag = matches!(*kind, FilterKind::TagFocus | FilterKind::TagIgnore);
    let placeholder = if is_tag { "key=value" } else { "a regular expression, such as ^main\\." };
    let suggested = session.route.function.clone().filter(|_| !is_tag);
    html! {
        <form class="filter-form" {onsubmit}>
            <label>{ "Filter" }
                <select onchange={on_kind} data-testid="filter-kind">{ for FilterKind::ALL.into_iter().map(option) }</select>
            </label>
            <label class="filter-pattern">{ "Pattern" }
                <input ref={pattern} type="text" {placeholder} spellcheck="false" autocomplete="off" autofocus=true
                    data-testid="filter-pattern" />
            </label>
            <button type="submit" class="button primary" data-testid="filter-add">{ "Add" }</button>
            <p class="filter-hint">{ kind.explanation() }</p>
            if let Some(name) = suggested {
                <p class="filter-hint">
                    { "Or for the chosen function: " }
                    { for FilterKind::ALL.into_iter().take(5).map(|kind| exactly(kind, &name, dispatch)) }
                </p>
            }
        </form>
    }
}

fn exactly(kind: FilterKind, name: &str, dispatch: &Callback<Action>) -> Html {
    let filter = Filter::exactly(kind, name);
    let onclick = {
        let dispatch = dispatch.clone();
        move |_: MouseEvent| {
            dispatch.emit(Action::AddFilter(filter.clone()));
            dispatch.emit(Action::Overlay(Overlay::None));
        }
    };
    html! { <><button type="button" class="link" title={format!("{} {name}", kind.option())} {onclick}>{ kind.option() }</button>{ " " }</> }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::protocol::{FileId, Summary};
    use crate::route::Route;
    use crate::views::testing::render;

    #[test]
    fn offers_every_filter_and_the_chosen_function() {
        let html = render::<FiltersDialog>(|| {
            let route = Route { function: Some("<b>main</b>".to_owned()), ..Route::default() };
            let session = Session::new(FileId(0), "a".into(), Rc::new(Summary::default()), route);
            FiltersDialogProps { session: Same::new(session), dispatch: Callback::noop() }
        });
        for kind in FilterKind::ALL {
            assert!(html.contains(&format!(">{}</option>", kind.option())), "{html}");
        }
        assert!(html.contains("title=\"hide &lt;b&gt;main&lt;/b&gt;\""), "{html}");
    }
}
