//! Sampling inside components, by what the host hears.

use super::harness::{ALLOCATOR, Guest, allocator_hooks};
use super::host::{Bell, Event};
use super::{MAX_ANSWERS, word};
use crate::heap::hook::{GoAlloc, GoSize, Hook, Kind};

fn component() -> String {
    format!(
        r#"(component
          (core module $m {ALLOCATOR})
          (core instance $i (instantiate $m))
          (func (export "run") (param "n" s32) (result s32) (canon lift (core func $i "run")))
          (func (export "drop") (param "n" s32) (result s32) (canon lift (core func $i "drop")))
          (func (export "churn") (param "n" s32) (result s32) (canon lift (core func $i "churn"))))"#
    )
}

#[test]
fn at_a_mean_of_1_every_block_is_heard_of() {
    let mut guest = Guest::new(&component(), &allocator_hooks(0), 1, 0);
    for size in [1, 0, 65_535, 65_536, i32::MAX] {
        guest.call("run", size);
    }
    assert_eq!(guest.heard().sizes(), [(0, 1), (0, 65_535), (0, 65_536), (0, i64::from(i32::MAX))]);
    assert_eq!(guest.heard().live.keys().copied().collect::<Vec<_>>(), [64, 96, 112, 128]);
    guest.call("drop", 96);
    guest.call("drop", 80);
    guest.call("drop", 0);
    assert_eq!(guest.heard().live.len(), 3);
}

#[test]
fn blocks_are_sampled_with_the_chance_that_readers_divide_by() {
    let (mean, n_blocks) = (65_536, 20_000);
    let chance = -(-1000.0_f64 / 65_536.0).exp_m1();
    let mut n_sampled = Vec::new();
    for seed in 0..20 {
        let mut guest = Guest::new(&component(), &allocator_hooks(0), mean, seed);
        guest.call("churn", n_blocks);
        let heard = guest.heard();
        n_sampled.push(heard.allocs.len() as f64);
        let n_freed = heard.allocs.iter().filter(|(event, _)| (event.block - 64) / 16 % 10 != 0).count();
        assert_eq!(heard.n_frees.0, n_freed as u64, "each sampled block that was freed, and once");
        assert_eq!(heard.live.len(), heard.allocs.len() - n_freed);
        assert!(heard.n_frees.1 < 100, "the filter lets few others through: {:?}", heard.n_frees);
    }
    let expected = chance * f64::from(n_blocks);
    let sigma = (expected * (1.0 - chance)).sqrt();
    let average = n_sampled.iter().sum::<f64>() / n_sampled.len() as f64;
    assert!((average - expected).abs() < 3.0 * sigma / 20.0_f64.sqrt(), "{average} for {expected} ± {sigma}");
    let outside = n_sampled.iter().filter(|&&n| (n - expected).abs() > 1.96 * sigma).count();
    assert!(outside <= 4, "{n_sampled:?} for {expected} ± {sigma}");
}

#[test]
fn an_allocation_that_only_arms_leaves_nothing_in_the_filter() {
    let mut guest = Guest::new(&component(), &allocator_hooks(0), 1 << 40, 0);
    let block = guest.call("run", 8);
    guest.call("drop", block);
    assert_eq!((guest.heard().allocs.len(), guest.heard().n_frees), (0, (0, 0)));
    // The countdown goes on from there.
    let mut guest = Guest::new(&component(), &allocator_hooks(0), 1000, 3);
    guest.call("churn", 1000);
    assert!((550..=710).contains(&guest.heard().allocs.len()), "{}", guest.heard().allocs.len());
}

#[test]
fn equal_seeds_sample_equal_blocks() {
    let sampled = |seed| {
        let mut guest = Guest::new(&component(), &allocator_hooks(0), 10_000, seed);
        guest.call("churn", 1000);
        guest.heard().allocs.clone()
    };
    assert_eq!(sampled(7), sampled(7));
    assert_ne!(sampled(7), sampled(8));
}

#[test]
fn calls_of_gos_allocator_that_are_left_are_taken_up_again() {
    // Left once at the size 5: resumed by a call with 1.
    let text = r#"(component
      (core module $m
        (memory 1)
        (global $sp (mut i32) (i32.const 1024))
        (global (mut i64) (i64.const 0))
        (global $g (mut i64) (i64.const 77))
        (func $mallocgc (param $resume_at i32) (result i32)
          (i32.and (i64.eq (i64.load (global.get $sp)) (i64.const 5)) (i32.eqz (local.get $resume_at))))
        (func (export "run") (param i32) (result i32)
          (i64.store (global.get $sp) (i64.extend_i32_s (local.get 0)))
          (if (call $mallocgc (i32.const 0)) (then (drop (call $mallocgc (i32.const 1)))))
          (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "run") (param "n" s32) (result s32) (canon lift (core func $i "run"))))"#;
    let kind = Kind::Go(GoAlloc { size: GoSize::At(0), tiny_result: None });
    let hook = Hook { module: 0, function: 0, name: "runtime.mallocgc".to_owned(), kind };
    let mut guest = Guest::new(text, &[hook], 1, 0);
    for size in [5, 4, 5, 5, 3] {
        guest.call("run", size);
    }
    assert_eq!(guest.heard().sizes(), [(0, 5), (0, 4), (0, 5), (0, 5), (0, 3)]);
}

#[test]
fn only_bells_are_heard_and_answers_end() {
    let mut bell = Bell::new(1, 0);
    let max = usize::try_from(MAX_ANSWERS).unwrap();
    let free = |word: u64| usize::try_from(word::FREE | word).unwrap();
    assert_eq!(bell.ring(0, free(7), Some(max + 1), |_| true), None, "another table");
    assert_eq!(bell.ring(0, free(7), None, |_| true), None, "a table without a bound");
    assert_eq!(bell.ring(0, 1, Some(max), |_| true), None, "nothing to answer");
    assert_eq!(bell.ring(0, 1000, Some(max), |_| true), None, "no word");
    assert_eq!(bell.ring(9, 8, Some(max), |_| true), None, "shrinking");
    let mut freed = 0;
    let mut ring = |current: usize, was_sampled: bool| {
        let heard = bell.ring(current, current + free(7), Some(max), |block| {
            freed = block;
            was_sampled
        });
        (heard, bell.ring(current, current + 1, Some(max), |_| unreachable!()))
    };
    assert_eq!(ring(3, true), (Some(false), Some(true)));
    assert_eq!(ring(3, false), (Some(false), Some(false)));
    assert_eq!(ring(max - 1, true), (Some(false), Some(true)));
    assert_eq!(ring(max, true), (Some(false), Some(false)), "it can grow no more");
    assert_eq!(freed, 7);
    assert_eq!(bell.take(), None);
}

#[test]
fn second_words_belong_to_first_ones() {
    let mut bell = Bell::new(1, 0);
    let max = usize::try_from(MAX_ANSWERS).unwrap();
    let mut ring = |word: u64| {
        assert_eq!(bell.ring(5, 5 + usize::try_from(word).unwrap(), Some(max), |_| false), Some(false));
        bell.take()
    };
    assert_eq!(ring(word::BLOCK | 9), None);
    assert_eq!(ring(word::ALLOC | 3 << 45 | 1 << 40), None);
    let block = 4095 << 48 | 1 << 47;
    assert_eq!(ring(word::BLOCK | block), Some(Event { block: block.cast_signed(), size: 1 << 40, hook: 3 }));
    assert_eq!(ring(word::BLOCK | 9), None);
    let small = word::SMALL_ALLOC | 127 << 52 | 15 << 48 | 65_535 << 32 | 0xffff_ffff;
    let expected = Event { block: 15 << 48 | 0xffff_ffff, size: 65_535, hook: 127 };
    assert_eq!(ring(small), Some(expected));
}
