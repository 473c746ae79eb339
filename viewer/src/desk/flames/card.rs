//! All about one node: what it weighs, where it is, and who is around it.

use proto::analysis::tree::NodeId;
use proto::units::Amount;

use super::{Graph, percent};
use crate::desk::ranks::number;
use crate::desk::table::Table;
use crate::protocol::{Card, CardAsk, Kin, Look};

/// Whoever hears a list read out does not want more of it; those next to the node are the ones that count.
const NEAR: usize = 20;

impl Graph {
    pub(super) fn card(&mut self, ask: &CardAsk, table: Option<&Table>, unit: &str) -> Card {
        let node = self.node(ask.node);
        let flat = self.tree.flat(&self.profile, node);
        let cum = self.tree.cum(node);
        let entry = self.catalog.entry(self.function(node)).unwrap_or_default();
        let unit = table.map_or(unit, Table::unit);
        let with_share = |value: i64| (self.amount(value, unit), self.percent(value));
        let (flat_text, flat_pct) = with_share(flat);
        let (cum_text, cum_pct) = with_share(cum);
        let parent = self.tree.parent(node);
        let change = self.before_and_after(node).map(|(before, after)| {
            let amount = |value| self.amount(value, unit);
            (amount(before), amount(after), difference(before, after, amount))
        });
        // Where this box is all there is of the function, its sums would only be said twice. The table is of one file.
        let sums = table.and_then(|table| table.values_of(&entry.name));
        let sums = sums.filter(|&sums| sums != (flat, cum) && change.is_none());
        let everywhere = sums.map(|(flat, cum)| (with_share(flat), with_share(cum)));
        let kin = if ask.in_full { self.kin(node) } else { Vec::new() };
        Card {
            name: self.tree.name(node),
            place: entry.place,
            module: entry.module,
            flat: flat_text,
            flat_pct,
            cum: cum_text,
            cum_pct,
            of_parent: parent.map(|parent| percent(cum, self.tree.cum(parent))).unwrap_or_default(),
            everywhere,
            change,
            inlined: self.tree.is_inlined(node),
            host: entry.look.is_host(),
            look: if node == NodeId::ROOT { Look::root() } else { entry.look },
            package: entry.package,
            kin,
        }
    }

    /// A value of the tree, which counts in its own unit: in a diff it is the base's.
    fn amount(&self, value: i64, to: &str) -> String {
        let from = self.profile.sample_types().get(self.sample_index).map_or("", |it| self.profile.string(it.unit));
        Amount { value, from, to }.to_string()
    }

    /// The way to a node, its nearest siblings and its children, in the order of a tree that is read out.
    fn kin(&mut self, node: NodeId) -> Vec<Kin> {
        let path = self.tree.path(node);
        let mut kin: Vec<Kin> = Vec::new();
        let above = path.len().saturating_sub(1);
        for (level, &at) in (1_u32..).zip(path.iter().take(above)) {
            kin.push(self.kin_of(at, level, true));
        }
        let level = u32::try_from(path.len()).unwrap_or(u32::MAX);
        let siblings: Vec<NodeId> = match self.tree.parent(node) {
            Some(parent) => self.tree.children(&self.profile, parent).collect(),
            None => vec![node],
        };
        let at = siblings.iter().position(|it| *it == node).unwrap_or(0);
        for &sibling in siblings.iter().take(at + NEAR).skip(at.saturating_sub(NEAR)) {
            kin.push(self.kin_of(sibling, level, sibling == node));
            if sibling == node {
                for child in self.tree.children(&self.profile, node).take(NEAR) {
                    kin.push(self.kin_of(child, level + 1, false));
                }
            }
        }
        kin
    }

    fn kin_of(&mut self, node: NodeId, level: u32, on_the_way: bool) -> Kin {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (at, n_siblings) = match self.tree.parent(node) {
            Some(parent) => {
                let mut siblings = self.tree.children(&self.profile, parent);
                (siblings.position(|it| it == node).unwrap_or(0), self.tree.children(&self.profile, parent).len())
            }
            None => (0, 1),
        };
        // Counting makes the children: of those that are only named nobody wants them.
        let n_children = on_the_way.then(|| count(self.tree.children(&self.profile, node).len()));
        Kin {
            node: number(node),
            name: self.tree.name(node),
            share: self.percent(self.tree.cum(node)),
            level,
            position: count(at) + 1,
            n_siblings: count(n_siblings),
            n_children,
            is_leaf: self.tree.is_leaf(&self.profile, node),
        }
    }
}

/// With its sign, and in percent of what was before, if that was anything.
fn difference(before: i64, after: i64, amount: impl Fn(i64) -> String) -> String {
    let difference = after.saturating_sub(before);
    let sign = match difference {
        0 => return "none".to_owned(),
        1.. => "+",
        _ => "-",
    };
    let size = amount(difference.saturating_abs());
    if before == 0 {
        return format!("{sign}{size} (new)");
    }
    format!("{sign}{size} ({sign}{})", percent(difference, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs() {
        let check =
            |before, after, expected: &str| assert_eq!(difference(before, after, |it| it.to_string()), expected);
        check(10, 30, "+20 (+200.00%)");
        check(30, 10, "-20 (-66.67%)");
        check(0, 5, "+5 (new)");
        check(5, 0, "-5 (-100%)");
        check(5, 5, "none");
    }
}
