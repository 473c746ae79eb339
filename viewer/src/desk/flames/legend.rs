//! Which colours stand for what: the packages with the most weight of their own.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use proto::analysis::flat_by_frame;

use super::Graph;
use crate::protocol::{Key, Look};

/// More would be more than there are colours.
const N_KEYS: usize = 10;

impl Graph {
    pub(super) fn count_packages(&self) -> Vec<Key> {
        let frames = self.tree.frames();
        let flat = flat_by_frame(&self.profile, frames, self.sample_index);
        let mut packages: BTreeMap<&str, (Look, i64)> = BTreeMap::new();
        for (frame, flat) in frames.ids().zip(flat) {
            let function = self.catalog.of_frame(frame);
            if let (Some(package), Some(look)) = (self.catalog.package(function), self.catalog.look(function)) {
                let (_, sum) = packages.entry(package).or_insert((look, 0));
                *sum = sum.saturating_add(flat);
            }
        }
        let mut packages: Vec<(&str, Look, i64)> =
            packages.into_iter().map(|(package, (look, sum))| (package, look, sum)).filter(|it| it.2 != 0).collect();
        packages.sort_by_key(|it| Reverse(it.2.unsigned_abs()));
        let rest = packages.split_off(N_KEYS.min(packages.len()));
        let others = rest.iter().fold(0_i64, |sum, it| sum.saturating_add(it.2));
        let key = |(package, look, sum): (&str, Look, i64)| Key {
            package: package.to_owned(),
            look,
            share: self.percent(sum),
        };
        let others = (others != 0).then(|| format!("{} others", rest.len())).map(|name| Key {
            package: name,
            look: Look::root(),
            share: self.percent(others),
        });
        packages.into_iter().map(key).chain(others).collect()
    }
}
