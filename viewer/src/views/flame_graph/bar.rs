//! Around the graph: the way to the zoomed box, how the graph is drawn, and what its colours mean.

use yew::prelude::*;

use super::FlameGraphProps;
use crate::palette::Theme;
use crate::protocol::{Crumb, HOST, Key, Look};
use crate::route::FlameLook;
use crate::session::FlameSlot;
use crate::state::Action;
use crate::views::row_menu::MenuAt;

/// The way from the root to the zoomed box, in deep stacks without the middle; and the switches.
pub(super) fn bar(props: &FlameGraphProps) -> Html {
    let slot = props.slot;
    let trail = props.flame().map_or(&[][..], |flame| &flame.trail);
    let crumb = |crumb: &Crumb| {
        let node = crumb.node;
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Zoom(slot, node));
        let here = (node == props.zoom()).then_some("location");
        html! {
            <li><button type="button" class="link" title={crumb.name.clone()} aria-current={here} {onclick}>{ &crumb.name }</button></li>
        }
    };
    if slot != FlameSlot::Main && trail.len() < 2 {
        // What a sandwich's graphs are of is said beside them.
        return Html::default();
    }
    let n_elided = props.flame().map_or(0, |flame| flame.n_elided);
    let (head, tail) = trail.split_at(usize::from(!trail.is_empty()));
    html! {
        <div class="flame-bar">
            <nav class="breadcrumbs" aria-label="Zoomed to" data-testid="breadcrumbs">
                <ol>
                    { for head.iter().map(crumb) }
                    if n_elided > 0 { <li class="elided">{ format!("{n_elided} more") }</li> }
                    { for tail.iter().map(crumb) }
                </ol>
                if trail.len() > 1 {
                    <button type="button" class="link" data-testid="zoom-reset" title="Back to the whole graph (Esc)"
                        onclick={props.dispatch.reform(move |_: MouseEvent| Action::Zoom(slot, 0))}>{ "Reset" }</button>
                }
            </nav>
            if slot == FlameSlot::Main { { switches(props) } }
        </div>
    }
}

fn switches(props: &FlameGraphProps) -> Html {
    let look = &props.session.route.flame;
    let switch = |label: &'static str, title: &'static str, testid: &'static str, is_on: bool, to: FlameLook| {
        let (dispatch, slot) = (props.dispatch.clone(), props.slot);
        let onclick = move |_: MouseEvent| {
            // The box that the keyboard is at goes elsewhere.
            dispatch.emit(Action::Hover(slot, None));
            dispatch.emit(Action::FlameLook(to.clone()));
        };
        html! {
            <button type="button" aria-pressed={is_on.to_string()} {title} data-testid={testid} {onclick}>{ label }</button>
        }
    };
    let inverted = FlameLook { inverted: !look.inverted, ..look.clone() };
    let upward = FlameLook { upward: !look.upward, ..look.clone() };
    let by_name = FlameLook { by_name: !look.by_name, ..look.clone() };
    html! {
        <div class="flame-switches" role="group" aria-label="How the graph is drawn">
            if !props.is_diff() {
                { switch("Inverted", "From the leaf: below each function its callers (v)", "flame-invert", look.inverted, inverted) }
            }
            { switch("Upward", "The root is the bottom row", "flame-upward", look.upward, upward) }
            { switch("A–Z", "Siblings by name, not by weight: a function keeps its place between profiles", "flame-order",
                look.by_name, by_name) }
        </div>
    }
}

/// What the colours stand for. The host's opens a menu, as it is a module that filters can tell from the guest's.
pub(super) fn legend(props: &FlameGraphProps, on_menu: &Callback<MenuAt>) -> Html {
    let keys = props.flame().map_or(&[][..], |flame| &flame.legend);
    let swatch = |look: Look| {
        let fill = Theme::of(props.dark).paint(look, false).fill.hex();
        html! {
            <svg class="swatch" width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="2" {fill} /></svg>
        }
    };
    if props.is_diff() {
        let scale = [-100_i8, -50, -10, 0, 10, 50, 100].map(|change| swatch(Look::guest(0).changed(change)));
        return html! {
            <p class="flame-legend" data-testid="flame-legend">
                <span>{ "less " }{ for scale }{ " more than before" }</span>
            </p>
        };
    }
    let key = |key: &Key| {
        let title = format!("{} of the total in {} itself", key.share, key.package);
        let name = html! { <span class="legend-name">{ short(&key.package) }</span> };
        html! {
            <li {title}>
                { swatch(key.look) }
                if key.look.is_host() { { host(name, on_menu) } } else { { name } }
                <span class="legend-share">{ &key.share }</span>
            </li>
        }
    };
    let has_inlined = props.flame().is_some_and(|flame| flame.boxes.iter().any(|b| b.look.is_inlined()));
    if keys.is_empty() || props.slot != FlameSlot::Main {
        return Html::default();
    }
    html! {
        <ul class="flame-legend" aria-label="Colours: packages by their own weight" data-testid="flame-legend">
            { for keys.iter().map(key) }
            if has_inlined { <li class="legend-inlined"><i>{ "slanted" }</i>{ " inlined" }</li> }
        </ul>
    }
}

fn host(name: Html, on_menu: &Callback<MenuAt>) -> Html {
    let on_menu = on_menu.clone();
    let onclick = move |event: MouseEvent| on_menu.emit(MenuAt { is_module: true, ..MenuAt::event(HOST, &event) });
    html! { <button type="button" class="link" aria-haspopup="menu" {onclick} data-testid="legend-host">{ name }</button> }
}

/// The last two parts of a path.
fn short(package: &str) -> &str {
    let at = package.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    package.get(at..).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_to_their_telling_end() {
        assert_eq!(short("cmd/compile/internal/ssa"), "internal/ssa");
        assert_eq!(short("runtime"), "runtime");
        assert_eq!(short("/src/lvm.c"), "src/lvm.c");
    }
}
