//! A call graph as pprof draws it, as SVG: boxes larger with flat and warmer with cum, arrows thicker with weight.
//!
//! It can be moved and zoomed by pointer, wheel, two fingers and keys; its boxes take the focus in turn.

mod hand;
mod shapes;
mod sight;

use std::rc::Rc;

use yew::prelude::*;

use crate::page::use_viewport;
use hand::{Hand, Touch, node_at};
use shapes::{LABEL_FONT_SIZE, Shapes};
use sight::{Change, Chosen, Sight};

/// What is drawn, every number formatted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    /// The place in full, for tips and screen readers.
    pub(crate) name: AttrValue,
    /// The name, broken where its parts end.
    pub(crate) lines: Vec<AttrValue>,
    /// Value and share; `0` or nothing where there is none.
    pub(crate) flat: AttrValue,
    /// Nothing where it equals flat.
    pub(crate) cum: Option<AttrValue>,
    /// Of the greatest flat of all, from 0 to 1: the size of the font.
    pub(crate) flat_share: f64,
    /// Of the total, from -1 to 1: the colour.
    pub(crate) cum_share: f64,
    /// The small box of a label's share, below a place.
    pub(crate) is_tag: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The weight.
    pub(crate) label: AttrValue,
    /// Of the total, from -1 to 1: width and colour.
    pub(crate) share: f64,
    pub(crate) is_inline: bool,
    /// Calls between were left out.
    pub(crate) is_residual: bool,
}

#[derive(PartialEq, Properties)]
pub(crate) struct GraphPictureProps {
    pub(crate) graph: Rc<Graph>,
    #[prop_or_default]
    pub(crate) selected: Option<usize>,
    pub(crate) on_select: Callback<usize>,
}

#[component]
pub(crate) fn GraphPicture(props: &GraphPictureProps) -> Html {
    let stage = use_node_ref();
    let (viewport, onscroll) = use_viewport(&stage);
    let shapes = use_memo(props.graph.clone(), |graph| Shapes::new(graph));
    let chosen = use_reducer_eq(Chosen::default);
    let lit = use_state_eq(|| None);
    let touch = use_mut_ref(Touch::default);
    let room = (viewport.width, viewport.height);
    let heaviest =
        shapes.heaviest.and_then(|it| shapes.boxes.get(it)).map_or((0.0, 0.0), |it| (it.centre.x, it.centre.y));
    let opening = Sight::opening(shapes.size, heaviest, room);
    let content = Content { graph: props.graph.clone(), shapes: shapes.clone() };
    use_effect_with(content.clone(), {
        let (chosen, lit) = (chosen.dispatcher(), lit.setter());
        move |_| {
            chosen.dispatch((Change::Reset, opening));
            lit.set(None);
        }
    });
    if props.graph.nodes.is_empty() {
        return html! { <p class="graph-empty" role="note">{ "There is nothing to draw: no function has a value." }</p> };
    }
    let change = Callback::from({
        let chosen = chosen.dispatcher();
        move |change: Change| chosen.dispatch((change, opening))
    });
    let hand = Hand { stage: stage.clone(), room, shapes, touch, change, select: props.on_select.clone() };
    let onmouseover = {
        let lit = lit.setter();
        move |event: MouseEvent| lit.set(node_at(&event))
    };
    let onfocusin = {
        let (hand, lit) = (hand.clone(), lit.setter());
        move |event: FocusEvent| {
            lit.set(node_at(&event));
            hand.show_focused(&event);
        }
    };
    let onmouseleave = {
        let lit = lit.setter();
        move |_: MouseEvent| lit.set(None)
    };
    let sight = chosen.0.unwrap_or(opening);
    html! {
        <div ref={stage} class="graph-stage" tabindex="0" role="application" data-testid="graph" {onscroll}
            aria-label="Call graph: Tab goes from box to box, Enter chooses one, arrow keys move the picture, + and - zoom, 0 shows all"
            onkeydown={hand.on_key()} onwheel={hand.on_wheel()} onclick={hand.on_click()}
            onpointerdown={hand.on_down()} onpointermove={hand.on_move()} onpointerup={hand.on_up()}
            onpointercancel={hand.on_up()} {onmouseover} {onmouseleave} {onfocusin}>
            <svg class={classes!("graph", lit.map(|_| "some-lit"))}>
                <g transform={sight.transform()}>
                    <Edges content={content.clone()} lit={*lit} />
                    <Nodes {content} selected={props.selected} />
                </g>
            </svg>
            { buttons(&hand) }
        </div>
    }
}

fn buttons(hand: &Hand) -> Html {
    let button = |sign: &'static str, name: &'static str, key: &'static str| {
        let hand = hand.clone();
        let onclick = move |event: MouseEvent| {
            event.stop_propagation();
            hand.press(key);
        };
        html! { <button type="button" class="button" aria-label={name} title={format!("{name} ({key})")} {onclick}>{ sign }</button> }
    };
    html! {
        <div class="graph-buttons">
            { button("+", "Zoom in", "+") }
            { button("−", "Zoom out", "-") }
            { button("⤢", "Show all", "0") }
        </div>
    }
}

/// Equal only if it is the same: comparing hundreds of boxes at every move would take longer than drawing them.
#[derive(Clone)]
struct Content {
    graph: Rc<Graph>,
    shapes: Rc<Shapes>,
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        Rc::ptr_eq(&self.shapes, &other.shapes)
    }
}

#[derive(PartialEq, Properties)]
struct EdgesProps {
    content: Content,
    /// The box of which the edges stand out.
    lit: Option<usize>,
}

#[component]
fn Edges(props: &EdgesProps) -> Html {
    let Content { graph, shapes } = &props.content;
    let edge = |(edge, arrow): (&Edge, &shapes::Arrow)| {
        let is_lit = props.lit.is_some_and(|it| it == edge.from || it == edge.to);
        let class =
            classes!("graph-edge", heat(edge.share), edge.is_residual.then_some("residual"), is_lit.then_some("lit"));
        let name = |node: usize| graph.nodes.get(node).map_or("", |it| it.name.as_str());
        let arrow_sign = if edge.is_residual { "⇢" } else { "→" };
        let inline = if edge.is_inline { ", inlined" } else { "" };
        let label = arrow.baselines().map(|(at, text)| {
            html! { <text x={number(at.x)} y={number(at.y)} font-size={number(LABEL_FONT_SIZE)}>{ text.to_owned() }</text> }
        });
        html! {
            <g {class}>
                <title>{ format!("{} {arrow_sign} {} ({}{inline})", name(edge.from), name(edge.to), edge.label) }</title>
                <path class="graph-line" d={arrow.line.clone()} stroke-width={number(arrow.width)} />
                <path class="graph-head" d={arrow.head.clone()} />
                { for label }
            </g>
        }
    };
    html! { <g aria-hidden="true">{ for graph.edges.iter().zip(&shapes.arrows).map(edge) }</g> }
}

#[derive(PartialEq, Properties)]
struct NodesProps {
    content: Content,
    selected: Option<usize>,
}

#[component]
fn Nodes(props: &NodesProps) -> Html {
    let Content { graph, shapes } = &props.content;
    let node = |(idx, (node, shape)): (usize, (&Node, &shapes::Shape))| {
        let is_chosen = props.selected == Some(idx);
        let class =
            classes!("graph-node", heat(node.cum_share), node.is_tag.then_some("tag"), is_chosen.then_some("chosen"));
        let cum = node.cum.as_ref().unwrap_or(&node.flat);
        let label = format!("{}, flat {}, cum {cum}", node.name, node.flat);
        let lines = shape.baselines().map(|(y, text)| {
            html! { <text x={number(shape.centre.x)} y={number(y)} aria-hidden="true">{ text.to_owned() }</text> }
        });
        let (left, top) = (shape.centre.x - shape.width / 2.0, shape.centre.y - shape.height / 2.0);
        let inside = html! {
            <>
                <title aria-hidden="true">{ format!("{} ({cum})", node.name) }</title>
                <rect x={number(left)} y={number(top)} width={number(shape.width)} height={number(shape.height)} rx="2" />
                { for lines }
            </>
        };
        let size = number(shape.font_size);
        if node.is_tag {
            return html! { <g {class} font-size={size}>{ inside }</g> };
        }
        html! {
            <g {class} font-size={size} data-node={idx.to_string()} tabindex="0" role="img" aria-label={label}
                aria-current={is_chosen.to_string()}>{ inside }</g>
        }
    };
    html! { <g>{ for graph.nodes.iter().zip(&shapes.boxes).enumerate().map(node) }</g> }
}

/// One of pprof's colours as a class: grey for little, warmer for more; what shrinks has another.
fn heat(share: f64) -> Classes {
    // Moved away from grey, so that small shares are told apart.
    let moved = share.abs().min(1.0).powf(0.4);
    classes!(format!("heat-{:.0}", moved * 10.0), (share < 0.0).then_some("shrinks"))
}

/// With as many digits as a screen can show.
fn number(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests;
