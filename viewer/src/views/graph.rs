//! The call graph, as pprof draws it, with what can be done about the chosen function.

use std::rc::Rc;

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::protocol::{Filter, FilterKind, Graph, GraphEdge, GraphNode};
use crate::route::View;
use crate::state::Action;
use crate::views::graph_picture::{self, GraphPicture};
use crate::views::props::ViewProps;

/// How many nodes can be asked for. pprof draws 80.
const SIZES: [usize; 5] = [20, 40, 80, 160, 400];

#[component]
pub(crate) fn GraphView(props: &ViewProps) -> Html {
    let ViewProps { session, dispatch, .. } = props;
    let latest = session.graph();
    let graph = latest.as_ref().map(|latest| latest.reply);
    let picture = use_memo(graph.cloned(), |graph| graph.as_ref().map(|graph| Rc::new(picture(graph))));
    let chosen = session.route.function.as_deref();
    let selected =
        graph.and_then(|graph| graph.nodes.iter().position(|it| !it.is_tag && Some(it.name.as_str()) == chosen));
    let on_select = {
        let (dispatch, names) = (dispatch.clone(), graph.map(names).unwrap_or_default());
        Callback::from(move |at: usize| {
            if let Some(name) = names.get(at) {
                dispatch.emit(Action::Function(Some(name.clone())));
            }
        })
    };
    let is_busy = latest.as_ref().is_none_or(|latest| !latest.is_current);
    html! {
        <section class="pane graph-pane" aria-label="Call graph" aria-busy={is_busy.to_string()}>
            <div class="graph-bar">
                { sizes(session.route.n_nodes, dispatch) }
                { actions(chosen, dispatch) }
            </div>
            if let Some(picture) = picture.as_ref() {
                <GraphPicture graph={Rc::clone(picture)} {selected} {on_select} />
            } else {
                <p class="graph-empty" role="status">{ "Drawing the call graph…" }</p>
            }
            <footer class="pane-footer">{ graph.map(|graph| graph.legend.join(" · ")).unwrap_or_default() }</footer>
        </section>
    }
}

/// Labels' boxes are no functions.
fn names(graph: &Graph) -> Rc<[String]> {
    graph.nodes.iter().take_while(|node| !node.is_tag).map(|node| node.name.clone()).collect()
}

fn picture(graph: &Graph) -> graph_picture::Graph {
    let node = |it: &GraphNode| graph_picture::Node {
        name: it.name.clone().into(),
        lines: it.lines.iter().map(|line| line.clone().into()).collect(),
        flat: it.flat.clone().into(),
        cum: it.cum.clone().map(Into::into),
        flat_share: it.flat_share,
        cum_share: it.cum_share,
        is_tag: it.is_tag,
    };
    let edge = |it: &GraphEdge| graph_picture::Edge {
        from: it.from,
        to: it.to,
        label: it.weight.clone().into(),
        share: it.share,
        is_inline: it.is_inline,
        is_residual: it.is_residual,
    };
    graph_picture::Graph {
        nodes: graph.nodes.iter().map(node).collect(),
        edges: graph.edges.iter().map(edge).collect(),
    }
}

fn sizes(n_nodes: usize, dispatch: &Callback<Action>) -> Html {
    let onchange = dispatch.reform(move |event: Event| {
        let select = event.target_dyn_into::<HtmlSelectElement>();
        let at = select.and_then(|it| usize::try_from(it.selected_index()).ok()).unwrap_or(0);
        Action::Nodes(SIZES.get(at).copied().unwrap_or(n_nodes))
    });
    let option = |it: usize| html! { <option selected={it == n_nodes}>{ it.to_string() }</option> };
    html! {
        <label class="graph-size">{ "At most " }
            <select {onchange} data-testid="nodecount">{ for SIZES.into_iter().map(option) }</select>{ " functions" }
        </label>
    }
}

/// What can be done about the chosen function.
fn actions(chosen: Option<&str>, dispatch: &Callback<Action>) -> Html {
    let Some(name) = chosen else {
        return html! { <span class="graph-hint">{ "Choose a box to focus on it, hide it, or see its callers." }</span> };
    };
    let filter = |label: &'static str, kind: FilterKind| {
        let filter = Filter::exactly(kind, name);
        let onclick = dispatch.reform(move |_: MouseEvent| Action::AddFilter(filter.clone()));
        html! { <button type="button" class="button" title={kind.explanation()} {onclick}>{ label }</button> }
    };
    let view = |label: &'static str, view: View| {
        let name = name.to_owned();
        let onclick = dispatch.reform(move |_: MouseEvent| Action::Open(view, name.clone()));
        html! { <button type="button" class="button" {onclick}>{ label }</button> }
    };
    html! {
        <span class="graph-actions">
            <span class="graph-chosen" title={name.to_owned()}><bdi>{ name }</bdi></span>
            { filter("Focus", FilterKind::Focus) }
            { filter("Ignore", FilterKind::Ignore) }
            { filter("Hide", FilterKind::Hide) }
            { view("Callers and callees", View::Sandwich) }
            { view("Source", View::Source) }
        </span>
    }
}
