//! One place with its callers and callees: pprof's `peek`, without its text.

use super::calls::{CallGraph, Purpose, call_graph};
use super::graph::{Edge, NodeIdx};
use super::top::TopOptions;
use crate::profile::Profile;
use crate::units::Scale;

/// A place, and the calls into it and out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// The place as reports name it.
    pub name: String,
    /// The value of samples whose leaf it is.
    pub flat: i64,
    /// The value of samples that come through it: what shares of calls are of.
    pub cum: i64,
    /// The calls into it, the heaviest first.
    pub callers: Vec<Neighbour>,
    /// The calls out of it, the heaviest first.
    pub callees: Vec<Neighbour>,
}

/// The other end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The place as reports name it.
    pub name: String,
    /// The value of samples that have this call, each once.
    pub weight: i64,
    /// Whether the callee was inlined here, each time.
    pub is_inline: bool,
    /// Whether there were places between that were left out.
    pub is_residual: bool,
}

/// The place that reports name `name`, and how to print its values; `None` if it is not among those that `options`
/// show.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types.
#[must_use]
pub fn neighbours(profile: &Profile, name: &str, options: &TopOptions) -> Option<(Neighbours, Scale)> {
    let call_graph = call_graph(profile, options, Purpose::Table);
    let node = call_graph.graph.shown().iter().copied().find(|&it| call_graph.name(it) == name)?;
    Some((call_graph.neighbours(node), call_graph.scale))
}

impl CallGraph {
    /// A place with its callers and callees, in pprof's order.
    #[must_use]
    pub fn neighbours(&self, node: NodeIdx) -> Neighbours {
        let sums = self.graph.node(node).sums;
        let end = |edge: &Edge, other| Neighbour {
            name: self.name(other),
            // Not an average even where averages were asked for: so pprof prints it.
            weight: edge.weight,
            is_inline: edge.is_inline,
            is_residual: edge.is_residual,
        };
        let edges = |edges: Vec<_>| edges.into_iter().map(|it| self.graph.edge(it));
        Neighbours {
            name: self.name(node),
            flat: sums.flat_value(),
            cum: sums.cum_value(),
            callers: edges(self.callers(node)).map(|it| end(it, it.from)).collect(),
            callees: edges(self.callees(node)).map(|it| end(it, it.to)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks;

    #[test]
    fn a_place_has_callers_and_callees() {
        let profile = stacks::profile("main;a;f>x 3\nmain;b;f 2\nmain;b;f;f;y 1\nmain 4");
        let draw = |name| {
            let (found, _) = neighbours(&profile, name, &TopOptions::default().untrimmed())?;
            let mark = |it: &Neighbour| if it.is_inline { " inline" } else { "" };
            let all = |of: &[Neighbour]| -> Vec<String> {
                of.iter().map(|it| format!("{} {}{}", it.name, it.weight, mark(it))).collect()
            };
            Some(format!("{:?} {}/{} {:?}", all(&found.callers), found.flat, found.cum, all(&found.callees)))
        };
        assert_eq!(draw("f").as_deref(), Some(r#"["a 3", "b 3"] 2/6 ["x 3 inline", "y 1"]"#));
        assert_eq!(draw("main").as_deref(), Some(r#"[] 4/10 ["a 3", "b 3"]"#));
        assert_eq!(draw("none"), None);
    }
}
