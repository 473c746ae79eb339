//! The locks do what std's do, and tell wprof of waits alone.

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::vec::Vec;
use std::{format, string::String};

use super::{Condvar, Mutex, RwLock};
use crate::fake::Fake;

#[test]
fn locks_keep_their_values_to_one_thread() {
    let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Each thread has a wprof, so that waits are told of.
                let _fake = Fake::install();
                for _ in 0..5000 {
                    *mutex.lock().unwrap() += 1;
                    assert!(*lock.read().unwrap() <= 20_000);
                    *lock.write().unwrap() += 1;
                }
            });
        }
    });
    assert_eq!((mutex.into_inner().unwrap(), lock.into_inner().unwrap()), (20_000, 20_000));
}

#[test]
fn a_lock_that_nobody_waits_for_tells_nothing() {
    let fake = Fake::install();
    let (mut mutex, mut lock) = (Mutex::from(1), RwLock::from(2));
    assert_eq!(format!("{} {}", mutex.lock().unwrap(), lock.read().unwrap()), "1 2");
    assert_eq!(format!("{mutex:?}"), r#"Mutex { data: 1, poisoned: false, .. }"#);
    assert_eq!(
        format!("{:?} {:?} {:?}", mutex.lock().unwrap(), lock.read().unwrap(), RwLock::new(3).write().unwrap()),
        "1 2 3"
    );
    {
        let held = (mutex.lock().unwrap(), lock.read().unwrap());
        assert!(mutex.try_lock().is_err() && lock.try_read().is_ok() && lock.try_write().is_err());
        drop(held);
    }
    *mutex.get_mut().unwrap() += 1;
    *lock.get_mut().unwrap() += 1;
    assert_eq!((*mutex.try_lock().unwrap(), *lock.try_write().unwrap()), (2, 3));
    assert_eq!((*mutex.lock().unwrap(), *lock.write().unwrap()), (2, 3));
    assert!(fake.calls().is_empty());
}

/// Runs `wait` while this thread holds what it waits for, has it `release` that, and returns what both told.
fn told(
    wait: impl FnOnce() + Send + 'static,
    n_waiting: impl Fn() -> usize,
    release: impl FnOnce(&Fake),
) -> [Vec<String>; 2] {
    let fake = Fake::install();
    let waiter = thread::spawn(move || {
        let fake = Fake::install();
        wait();
        fake.calls()
    });
    while n_waiting() == 0 {
        thread::yield_now();
    }
    release(&fake);
    [waiter.join().unwrap(), fake.calls()]
}

const BOTH: [&[&str]; 2] = [&["waits", "taken"], &["released"]];

#[test]
fn a_waiter_and_who_made_it_wait_are_told_of() {
    let mutex = Arc::new(Mutex::new(()));
    let other = Arc::clone(&mutex);
    let held = mutex.lock().unwrap();
    assert_eq!(told(move || drop(other.lock()), || mutex.n_waiting(), |_| drop(held)), BOTH);
}

#[test]
fn a_writer_that_readers_wait_for_is_told_of_and_the_last_reader_that_a_writer_waits_for() {
    let lock = Arc::new(RwLock::new(()));
    let other = Arc::clone(&lock);
    let held = lock.write().unwrap();
    assert_eq!(told(move || drop(other.read()), || lock.n_waiting(), |_| drop(held)), BOTH);

    let other = Arc::clone(&lock);
    let (first, last) = (lock.read().unwrap(), lock.read().unwrap());
    let release = |fake: &Fake| {
        drop(first);
        assert!(fake.calls().is_empty(), "the writer still waits for the other");
        drop(last);
    };
    assert_eq!(told(move || drop(other.write()), || lock.n_waiting(), release), BOTH);
}

#[test]
fn a_poisoned_lock_says_so_and_can_be_healed() {
    let lock = Arc::new((Mutex::new(1), RwLock::new(2)));
    let other = Arc::clone(&lock);
    let _ = thread::spawn(move || {
        let _held = (other.0.lock().unwrap(), other.1.write().unwrap());
        panic!("on purpose");
    })
    .join();
    assert!(lock.0.is_poisoned() && lock.1.is_poisoned());
    assert_eq!(*lock.0.lock().unwrap_err().into_inner(), 1);
    assert!(lock.0.try_lock().is_err() && lock.1.try_write().is_err());
    assert_eq!(*lock.1.read().unwrap_err().into_inner(), 2);
    lock.0.clear_poison();
    lock.1.clear_poison();
    assert_eq!(*lock.0.lock().unwrap() + *lock.1.read().unwrap(), 3);
}

#[test]
fn a_condition_is_waited_for() {
    let fake = Fake::install();
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&shared);
    let (mutex, condvar) = &*shared;
    let guard = mutex.lock().unwrap();
    let setter = thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    let guard = condvar.wait_while(guard, |is_set| !*is_set).unwrap();
    assert!(*guard);
    setter.join().unwrap();
    let calls = fake.calls();
    let waits: Vec<_> = calls.iter().filter(|call| *call != "released").collect();
    assert!(waits.len() >= 2 && waits.chunks(2).all(|pair| pair == ["waits", "taken"]), "{calls:?}");

    let (guard, result) = condvar.wait_timeout_while(guard, Duration::from_secs(60), |is_set| !*is_set).unwrap();
    assert!(!result.timed_out());
    assert!(fake.calls().is_empty(), "it did not wait");
    let (guard, result) = condvar.wait_timeout_while(guard, Duration::from_millis(1), |is_set| *is_set).unwrap();
    assert!(result.timed_out());
    let (guard, result) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
    assert!(result.timed_out());
    condvar.notify_one();
    drop(guard);
}

#[test]
fn without_wprof_waits_are_std_s() {
    let mutex = Arc::new(Mutex::new(0));
    let other = Arc::clone(&mutex);
    let held = mutex.lock().unwrap();
    let waiter = thread::spawn(move || *other.lock().unwrap() += 1);
    drop(held);
    waiter.join().unwrap();
    assert_eq!((*mutex.lock().unwrap(), mutex.n_waiting()), (1, 0));
}
