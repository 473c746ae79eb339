//! A function between its callers and its callees, as `peek` has them.

use std::rc::Rc;

use proto::analysis::calls::{CallGraph, Purpose, call_graph};
use proto::analysis::neighbours;

use super::labels::percent;
use super::subject::Subject;
use crate::protocol::{Neighbour, Sandwich, SandwichAsk};

impl Subject {
    pub(super) fn sandwich(&mut self, ask: &SandwichAsk) -> Sandwich {
        let calls = self.calls();
        let mut places = calls.graph.shown().iter().copied();
        let Some(place) = places.find(|&place| calls.name(place) == ask.function) else {
            return Sandwich::default();
        };
        let found = calls.neighbours(place);
        let amount = |value: i64| calls.scale.amount(value).to_string();
        let entry = self.catalog.function(&found.name).and_then(|it| self.catalog.entry(it));
        let entry = entry.unwrap_or_default();
        let ends = |of: &[neighbours::Neighbour]| of.iter().map(|it| self.neighbour(&calls, it, found.cum)).collect();
        Sandwich {
            is_found: true,
            place: entry.place,
            look: entry.look,
            flat: amount(found.flat),
            flat_pct: percent(found.flat, calls.total),
            cum: amount(found.cum),
            cum_pct: percent(found.cum, calls.total),
            callers: ends(&found.callers),
            callees: ends(&found.callees),
        }
    }

    /// All places and calls: `peek` leaves nothing out. Made once, as one walks from neighbour to neighbour.
    fn calls(&mut self) -> Rc<CallGraph> {
        let options = self.top_options(self.sample_index()).untrimmed();
        let calls = self.calls.get_or_insert_with(|| Rc::new(call_graph(&self.profile, &options, Purpose::Table)));
        Rc::clone(calls)
    }

    fn neighbour(&self, calls: &CallGraph, of: &neighbours::Neighbour, cum: i64) -> Neighbour {
        let look = self.catalog.look_of(&of.name);
        Neighbour {
            name: of.name.clone(),
            look: look.unwrap_or_default(),
            weight: calls.scale.amount(of.weight).to_string(),
            share: percent(of.weight, cum),
            marker: if of.is_inline { "(inline)".to_owned() } else { String::new() },
        }
    }
}
