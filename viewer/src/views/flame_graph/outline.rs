//! The graph as a tree that is read out: what is around the box that the keyboard is at.

use yew::prelude::*;

use crate::protocol::{Card, Kin};
use crate::session::FlameSlot;

/// The id of a node's item in the page.
pub(super) fn item_id(slot: FlameSlot, node: u32) -> String {
    format!("flame-{}-{node}", slot.index())
}

/// The items of the tree; without a card that knows them, the box alone.
pub(super) fn items(slot: FlameSlot, at: u32, name: Option<&str>, card: Option<&Card>) -> Html {
    let kin = card.map_or(&[][..], |card| &card.kin);
    if kin.iter().any(|it| it.node == at) {
        return kin.iter().map(|it| item(slot, at, it)).collect();
    }
    let label = match card {
        Some(card) => format!("{}, {} of total", card.name, card.cum_pct),
        None => name.unwrap_or("root").to_owned(),
    };
    html! { <div role="treeitem" id={item_id(slot, at)} aria-level="1" aria-selected="true" aria-label={label}></div> }
}

fn item(slot: FlameSlot, at: u32, kin: &Kin) -> Html {
    let is_open = (kin.node == at || kin.n_children.is_some()) && !kin.is_leaf;
    let expanded = (!kin.is_leaf).then_some(if is_open { "true" } else { "false" });
    html! {
        <div key={kin.node} role="treeitem" id={item_id(slot, kin.node)} aria-level={kin.level.to_string()}
            aria-posinset={kin.position.to_string()} aria-setsize={kin.n_siblings.to_string()} aria-expanded={expanded}
            aria-selected={(kin.node == at).to_string()} aria-label={label(kin)}></div>
    }
}

fn label(kin: &Kin) -> String {
    let Kin { name, share, .. } = kin;
    match kin.n_children {
        None => format!("{name}, {share} of total"),
        Some(0) => format!("{name}, {share} of total, no children"),
        Some(1) => format!("{name}, {share} of total, 1 child"),
        Some(n) => format!("{name}, {share} of total, {n} children"),
    }
}

/// From the root to the box, a name a line.
pub(super) fn stack(card: &Card, at: u32) -> Option<String> {
    let node = card.kin.iter().find(|it| it.node == at)?;
    let above = card.kin.iter().filter(|it| it.level < node.level && it.level > 1);
    let names: Vec<&str> = above.chain([node]).map(|it| it.name.as_str()).collect();
    Some(names.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        let kin = |node, name: &str, level, n_children| Kin {
            node,
            name: name.to_owned(),
            share: "50%".to_owned(),
            level,
            position: 1,
            n_siblings: 1,
            n_children,
            is_leaf: false,
        };
        let kin = vec![
            kin(0, "root", 1, Some(1)),
            kin(1, "main", 2, Some(2)),
            kin(4, "fib", 3, Some(1)),
            kin(9, "add", 4, None),
            kin(5, "log", 3, None),
        ];
        Card { name: "fib".to_owned(), kin, ..Card::default() }
    }

    #[derive(PartialEq, Properties)]
    struct Props {
        card: Option<Card>,
    }

    #[component]
    fn Items(props: &Props) -> Html {
        items(FlameSlot::Main, 4, Some("fib"), props.card.as_ref())
    }

    #[test]
    fn the_box_is_read_out_with_its_place_in_the_tree() {
        let html = crate::views::testing::render::<Items>(|| Props { card: Some(card()) });
        for part in [
            r#"aria-label="fib, 50% of total, 1 child""#,
            r#"aria-label="root, 50% of total, 1 child""#,
            r#"aria-label="add, 50% of total""#,
            r#"id="flame-0-4""#,
            r#"aria-level="3""#,
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches(r#"aria-selected="true""#).count(), 1);
        let alone = crate::views::testing::render::<Items>(|| Props { card: None });
        assert!(alone.contains(r#"aria-label="fib""#), "{alone}");
    }

    #[test]
    fn a_stack_is_the_way_to_the_box() {
        assert_eq!(stack(&card(), 4).as_deref(), Some("main\nfib"));
        assert_eq!(stack(&card(), 77), None);
    }
}
