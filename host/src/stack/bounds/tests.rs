//! Each thread has a stack of its own.

use super::own_stack;

#[test]
fn every_thread_has_its_own() {
    let here = |it: &u8| std::ptr::from_ref(it).addr();
    let (local, own) = (0_u8, own_stack().unwrap());
    assert!(own.contains(&here(&local)), "{own:?}");
    let other = std::thread::spawn(own_stack).join().unwrap().unwrap();
    assert!(!other.contains(&here(&local)));
    assert!(other.end <= own.start || own.end <= other.start);
}
