//! Ways into a tree as links tell them: each node's position among its siblings, equal ones in a row as `0x17`.

/// The way in few letters.
pub(super) fn text(ranks: impl Iterator<Item = usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for rank in ranks {
        match runs.last_mut() {
            Some((last, n)) if *last == rank => *n += 1,
            _ => runs.push((rank, 1)),
        }
    }
    let run = |&(rank, n): &(usize, usize)| if n == 1 { rank.to_string() } else { format!("{rank}x{n}") };
    runs.iter().map(run).collect::<Vec<_>>().join(".")
}

/// The way that a text tells, as far as it can be understood. It may be endless.
pub(super) fn ranks(text: &str) -> impl Iterator<Item = usize> {
    let run = |run: &str| {
        let (rank, n) = run.split_once('x').unwrap_or((run, "1"));
        Some(std::iter::repeat_n(rank.parse::<usize>().ok()?, n.parse::<usize>().ok()?))
    };
    text.split('.').filter(|run| !run.is_empty()).map_while(run).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_told_and_found() {
        for (way, expected) in [(&[][..], ""), (&[0, 0, 0, 2, 1, 1], "0x3.2.1x2"), (&[7], "7")] {
            assert_eq!(text(way.iter().copied()), expected);
            assert_eq!(ranks(expected).collect::<Vec<_>>(), way);
        }
        assert_eq!(ranks("1.2.zap.3").collect::<Vec<_>>(), [1, 2]);
    }
}
