//! Profiles with wprof and without.

use std::borrow::ToOwned;
use std::panic::catch_unwind;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Profile, profiles};
use crate::fake::Fake;

#[test]
fn values_come_and_go() {
    let fake = Fake::install();
    let profile = Profile::new("example.com/a.things");
    assert_eq!(profile.name(), "example.com/a.things");
    profile.add(&1, 0);
    profile.add(&2_u64, 7);
    profile.add(&3_u8, u32::MAX);
    assert_eq!(fake.calls(), ["add 1 0", "add 2 7", "add 3 2147483647"]);
    profile.remove(&2);
    profile.remove(&99);
    assert_eq!(profile.count(), 2);
    let found = Profile::lookup("example.com/a.things").unwrap();
    assert_eq!((found.name(), found.count()), (profile.name(), 2));
    assert!(Profile::lookup("nope").is_none());
    let names: Vec<String> = profiles().iter().map(|profile| profile.name().to_owned()).collect();
    assert_eq!(names, ["allocs", "block", "example.com/a.things", "heap"]);
}

#[test]
fn more_values_than_wprof_keeps_are_not_kept() {
    let _fake = Fake::install();
    let profile = Profile::new("many");
    (0..200).for_each(|n: i32| profile.add(&n, 0));
    assert_eq!(profile.count(), 100);
}

#[test]
fn profiles_are_written() {
    let fake = Fake::install();
    let mut written = Vec::new();
    Profile::new("mine").write_to(&mut written, 2).unwrap();
    crate::heap::write(&mut written).unwrap();
    assert_eq!(written, b"mine at 2heap at 0");
    let error = Profile::lookup("block").unwrap().write_to(&mut written, 0).unwrap_err();
    assert_eq!(error.to_string(), "get the profile: not measured in this run");
    assert_eq!(fake.n_open_streams(), 0);
}

#[test]
fn wrong_use_panics_as_in_go() {
    let _fake = Fake::install();
    let profile = Profile::new("taken");
    profile.add(&1, 0);
    let check = |wrong: &dyn Fn(), expected: &str| {
        let panic = catch_unwind(std::panic::AssertUnwindSafe(wrong)).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), expected);
    };
    check(&|| drop(Profile::new("")), "pprof: NewProfile with empty name");
    check(&|| drop(Profile::new("taken")), "pprof: NewProfile name already in use: taken");
    check(&|| drop(Profile::new("heap")), "pprof: NewProfile name already in use: heap");
    let bad = r#"a profile's name is UTF-8 without spaces and control characters: "a b""#;
    check(&|| drop(Profile::new("a b")), bad);
    check(&|| profile.add(&1, 0), "pprof: Profile.Add of duplicate value");
    let heap = Profile::lookup("heap").unwrap();
    check(&|| heap.add(&1, 0), "pprof: Add called on built-in Profile heap");
    heap.remove(&1);
}

#[test]
fn without_wprof_profiles_stay_empty() {
    let profile = Profile::new("mine");
    let again = Profile::new("mine");
    profile.add(&1, 0);
    profile.add(&1, 0);
    profile.remove(&1);
    let mut written = Vec::new();
    profile.write_to(&mut written, 0).unwrap();
    crate::heap::write(&mut written).unwrap();
    assert_eq!((profile.count(), again.name(), written.len()), (0, "mine", 0));
    assert!(Profile::lookup("mine").is_none() && Profile::lookup("heap").is_none() && profiles().is_empty());
}
