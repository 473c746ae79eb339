//! What keeps the host from being called: the countdown, the filter of freed blocks and their queue.

use super::{BUMP, FREE, Guest, MALLOC};
use crate::heap::rewrite::{QUEUE_LENGTH, filter_slot};

const LOOPS: &str = r#"
    (func (export "free_all") (param $from i32) (param $each i32) (param $n i32)
      (loop
        (call $free (local.get $from))
        (local.set $from (i32.add (local.get $from) (local.get $each)))
        (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "malloc_all") (param $size i32) (param $n i32)
      (loop
        (drop (call $malloc (local.get $size)))
        (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "malloc_at") (param $at i32) (result i32)
      (global.set $top (local.get $at)) (call $malloc (i32.const 8)))
"#;

fn guest() -> Guest {
    Guest::new(&format!("(module {BUMP} {LOOPS})"), &[("malloc", MALLOC), ("free", FREE)])
}

/// The first block in a megabyte whose counter in the filter is that of `block`, which is in the first.
fn beside(block: i64, megabyte: i64) -> i64 {
    let slot = |block: i64| filter_slot(block.cast_unsigned());
    let start = megabyte << 20;
    (start..start + (1 << 20)).step_by(16).find(|&other| slot(other) == slot(block)).unwrap()
}

#[test]
fn the_host_is_called_when_a_gap_is_used_up() {
    let mut guest = guest();
    guest.store.data_mut().gaps.extend([100, 0, 50, 1 << 40]);
    guest.call("malloc_all", &[10, 30]);
    // The first, and then each that takes what is left below 0.
    assert_eq!(guest.heard(), "0+64:10 0+240:10 0+256:10 0+352:10");
    guest.call("malloc_all", &[1000, 1000]);
    assert_eq!(guest.heard(), "");
}

#[test]
fn freeing_what_was_not_sampled_calls_nobody() {
    let mut guest = guest();
    guest.store.data_mut().gaps.extend([9, 1 << 40]);
    guest.call("malloc_all", &[10, 1000]);
    assert_eq!(guest.heard(), "0+64:10 0+80:10");
    guest.call("free_all", &[96, 16, 2000]);
    assert_eq!(guest.heard(), "");
    let neighbour = beside(80, 1);
    guest.call("free_all", &[neighbour, 16, 1]);
    assert_eq!(guest.heard(), format!("?{neighbour}"), "it is looked up, and is none");
    guest.call("free_all", &[64, 16, 3]);
    assert_eq!(guest.heard(), "-64 -80");
    guest.call("free_all", &[64, 16, 2000]);
    assert_eq!(guest.heard(), "");
    assert_eq!(guest.store.data().n_full, 0);
}

#[test]
fn blocks_in_one_slot_of_the_filter_are_all_found() {
    let mut guest = guest();
    let [one, two] = [1, 2].map(|megabyte| beside(64, megabyte));
    for block in [64, one, two] {
        guest.call("malloc_at", &[block]);
    }
    assert_eq!(guest.heard(), format!("0+64:8 0+{one}:8 0+{two}:8"));
    assert_eq!(guest.after("free", &[one]), format!("-{one}"));
    assert_eq!(guest.after("free", &[64]), "-64");
    assert_eq!(guest.after("free", &[two]), format!("-{two}"));
    assert_eq!(guest.after("free", &[two]), "");
}

#[test]
fn a_slot_that_is_full_lets_all_frees_through_for_good() {
    let mut guest = guest();
    let blocks: Vec<i64> = std::iter::once(64).chain((1..300).map(|n| beside(64, n))).collect();
    for block in &blocks {
        guest.call("malloc_at", &[*block]);
    }
    guest.heard();
    for block in &blocks {
        assert_eq!(guest.after("free", &[*block]), format!("-{block}"));
    }
    assert_eq!(guest.after("free", &[64]), "?64", "nobody knows how many there were");
    assert_eq!(guest.after("free", &[80]), "");
}

#[test]
fn freed_blocks_wait_until_the_host_is_called_anyway_or_the_queue_is_full() {
    let length = i64::from(QUEUE_LENGTH);
    for (n_frees, n_calls) in [(length - 1, 0), (length, 1), (length + 1, 1), (3 * length + 5, 3)] {
        let mut guest = guest();
        guest.call("malloc_all", &[8, n_frees]);
        guest.heard();
        guest.call("free_all", &[64, 16, n_frees]);
        assert_eq!(guest.store.data().n_full, n_calls, "{n_frees} frees");
        guest.call("malloc_at", &[64]);
        let heard: Vec<String> = guest.heard().split(' ').map(str::to_owned).collect();
        let frees = (0..n_frees).map(|n| format!("-{}", 64 + 16 * n));
        let expected: Vec<String> = frees.chain(["0+64:8".to_owned()]).collect();
        assert!(
            heard == expected,
            "{n_frees} frees, each once and in order, and before the block that takes their place"
        );
    }
}
