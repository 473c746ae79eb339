//! What counts as one place, what shares are of, and the unit of values.

use proto::units::units_like;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::protocol::Granularity;
use crate::session::Session;
use crate::state::{Action, Theme};

pub(super) fn options(session: &Session, theme: Theme, dispatch: &Callback<Action>) -> Html {
    let route = &session.route;
    let on_granularity = dispatch.reform(|event: Event| {
        let select = event.target_dyn_into::<HtmlSelectElement>();
        let at = select.and_then(|it| usize::try_from(it.selected_index()).ok()).unwrap_or(0);
        Action::Granularity(Granularity::ALL.get(at).copied().unwrap_or_default())
    });
    let granularity = |it: Granularity| html! { <option selected={it == route.granularity}>{ it.name() }</option> };
    let sample_type = session.summary.sample_types.get(session.sample_index);
    let units: Vec<&str> = sample_type.into_iter().flat_map(|it| units_like(&it.unit)).collect();
    let themes = [Theme::System, Theme::Light, Theme::Dark].into_iter().map(|it| {
        let onchange = dispatch.reform(move |_: Event| Action::Theme(it));
        html! {
            <label><input type="radio" name="theme" checked={it == theme} {onchange} />{ it.name() }</label>
        }
    });
    html! {
        <div class="options">
            <label class="option">
                <span>{ "One place is one of the" }</span>
                <select onchange={on_granularity} data-testid="granularity">{ for Granularity::ALL.into_iter().map(granularity) }</select>
            </label>
            { check("Inlined functions are places of their own", !route.noinlines, "inlines", &dispatch.reform(|on: bool| Action::Noinlines(!on))) }
            { check("Shares are of what the filters leave", route.relative, "relative", &dispatch.reform(Action::Relative)) }
            if !units.is_empty() { { unit(&units, &route.unit, dispatch) } }
            { check("Every sample type in the table", route.every_type, "every-type", &dispatch.reform(Action::EveryType)) }
            <fieldset class="option themes"><legend>{ "Colours" }</legend>{ for themes }</fieldset>
        </div>
    }
}

fn unit(units: &[&'static str], chosen: &str, dispatch: &Callback<Action>) -> Html {
    let onchange = dispatch.reform(|event: Event| {
        Action::Unit(event.target_dyn_into::<HtmlSelectElement>().map(|it| it.value()).unwrap_or_default())
    });
    let option = |&it: &&'static str| html! { <option value={it} selected={it == chosen}>{ it }</option> };
    html! {
        <label class="option">
            <span>{ "Values are in" }</span>
            <select {onchange} data-testid="unit">
                <option value="" selected={!units.contains(&chosen)}>{ "units that suit them" }</option>
                { for units.iter().map(option) }
            </select>
        </label>
    }
}

fn check(label: &'static str, checked: bool, testid: &'static str, set: &Callback<bool>) -> Html {
    let onchange =
        set.reform(|event: Event| event.target_dyn_into::<HtmlInputElement>().is_some_and(|it| it.checked()));
    html! {
        <label class="option">
            <input type="checkbox" {checked} {onchange} data-testid={testid} />
            <span>{ label }</span>
        </label>
    }
}
