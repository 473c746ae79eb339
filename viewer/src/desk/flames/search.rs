//! What a search finds in a tree, and the marks that its boxes get.

use proto::analysis::flame::Query;
use proto::analysis::search::{Hits, hits};
use proto::analysis::tree::NodeId;

use super::Graph;

/// The search asked for last.
#[derive(Debug)]
pub(super) struct Found {
    query: String,
    pub(super) hits: Hits,
}

impl Graph {
    pub(super) fn search(&mut self, text: &str) {
        if self.found.as_ref().is_none_or(|found| found.query != text) {
            let find = |query| hits(&self.profile, self.sample_index, self.tree.frames(), &query);
            self.found = Query::new(text).map(|query| Found { query: text.to_owned(), hits: find(query) });
        }
    }

    pub(super) fn is_found(&self, node: NodeId) -> bool {
        let found = self.found.as_ref().zip(self.tree.frame(node));
        found.is_some_and(|(found, frame)| found.hits.is_match.get(frame.index()) == Some(&true))
    }
}
