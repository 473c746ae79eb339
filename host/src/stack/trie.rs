//! Stacks as paths of a tree that grows from the root.
//!
//! A recursion 10,000 deep that is seen a thousand times costs its frames once, and a long run's memory is bounded by
//! its distinct call paths.

use rustc_hash::FxHashMap;

/// Frames kept of one stack, counted from the leaf. What lies beyond is replaced by a marker at the root
/// (SEMANTICS §0).
pub const MAX_FRAMES: usize = 10_000;

/// A stack in a [`StackTrie`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Its number; numbers are dense and grow as stacks are added.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    frame: u32,
}

/// The root of whole stacks, and the root of those that were cut.
const ROOTS: [u32; 2] = [0, 1];

/// Distinct stacks. A frame is any number that stands for a place in code.
#[derive(Debug)]
pub struct StackTrie {
    nodes: Vec<Node>,
    children: FxHashMap<(u32, u32), u32>,
    /// The path of the stack added last, root first: neighbours in time share most of theirs.
    last_path: Vec<(u32, u32)>,
    last_root: u32,
}

impl Default for StackTrie {
    fn default() -> Self {
        let root = Node { parent: u32::MAX, frame: 0 };
        Self { nodes: vec![root, root], children: FxHashMap::default(), last_path: Vec::new(), last_root: ROOTS[0] }
    }
}

impl StackTrie {
    /// The id of a stack given innermost frame first, added if new. Frames past [`MAX_FRAMES`] are cut.
    pub fn add(&mut self, frames: &[u32]) -> NodeId {
        self.add_cut(frames, false)
    }

    /// The same for a stack of which frames at the root side may have been cut already.
    pub fn add_cut(&mut self, frames: &[u32], is_cut: bool) -> NodeId {
        let kept = &frames[..frames.len().min(MAX_FRAMES)];
        let root = ROOTS[usize::from(is_cut || kept.len() < frames.len())];
        let shared = if root == self.last_root { self.shared_with_last(kept) } else { 0 };
        self.last_root = root;
        self.last_path.truncate(shared);
        let mut node = self.last_path.last().map_or(root, |&(_, node)| node);
        for &frame in kept[..kept.len() - shared].iter().rev() {
            node = self.child(node, frame);
            self.last_path.push((frame, node));
        }
        NodeId(node)
    }

    /// How many frames from the root the stack has in common with the one before.
    fn shared_with_last(&self, frames: &[u32]) -> usize {
        frames.iter().rev().zip(&self.last_path).take_while(|&(frame, (last, _))| frame == last).count()
    }

    fn child(&mut self, parent: u32, frame: u32) -> u32 {
        *self.children.entry((parent, frame)).or_insert_with(|| {
            // 2^32 nodes are 60 GB of tree; past that, stacks end at their caller instead of wrapping round.
            let Ok(node) = u32::try_from(self.nodes.len()) else { return parent };
            self.nodes.push(Node { parent, frame });
            node
        })
    }

    /// A stack's frames, innermost first, and whether frames beyond [`MAX_FRAMES`] were cut off at the root side.
    #[must_use]
    pub fn frames(&self, id: NodeId) -> (Vec<u32>, bool) {
        let mut frames = Vec::new();
        let mut at = id.index();
        while at >= ROOTS.len() {
            let Some(node) = self.nodes.get(at) else { break };
            frames.push(node.frame);
            at = node.parent as usize;
        }
        (frames, at == ROOTS[1] as usize)
    }

    /// How many ids there are; every id's number is below.
    #[must_use]
    pub fn n_ids(&self) -> usize {
        self.nodes.len()
    }

    /// Every id that may have been handed out, in the order of the first.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).map(|index| NodeId(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    /// Every frame, as often as a call path has it.
    pub fn all_frames(&self) -> impl Iterator<Item = u32> + '_ {
        self.frames_since(0)
    }

    /// The same without those that were there when there were so many ids.
    pub fn frames_since(&self, n_ids: usize) -> impl Iterator<Item = u32> + '_ {
        self.nodes.iter().skip(n_ids.max(ROOTS.len())).map(|node| node.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stacks_have_one_id_and_give_their_frames_back() {
        let mut trie = StackTrie::default();
        let stacks: [&[u32]; 6] = [&[3, 2, 1], &[4, 2, 1], &[3, 2, 1], &[2, 1], &[1, 2, 1], &[]];
        let ids = stacks.map(|stack| trie.add(stack));
        for (id, stack) in ids.iter().zip(stacks) {
            assert_eq!(trie.frames(*id), (stack.to_vec(), false));
        }
        assert_eq!(ids[0], ids[2]);
        assert_eq!(trie.n_ids(), 2 + 5, "two roots, and paths 1, 1-2, 1-2-3, 1-2-4, 1-2-1 and no more: {trie:?}");
    }

    #[test]
    fn a_stack_past_the_bound_loses_its_root_side_and_says_so() {
        let deep: Vec<u32> = (0..12_000).collect();
        let mut trie = StackTrie::default();
        let whole = trie.add(&deep[..MAX_FRAMES]);
        let cut = trie.add(&deep);
        assert_eq!(trie.frames(whole), (deep[..MAX_FRAMES].to_vec(), false));
        assert_eq!(trie.frames(cut), (deep[..MAX_FRAMES].to_vec(), true));
    }
}
