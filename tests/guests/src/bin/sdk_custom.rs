//! A profile of its own, as Go's `custom.go` has it: `sdk_custom DIR [WRONG]` writes it to DIR in all three forms, and prints
//! what the calls answer.
//!
//! With a WRONG it commits that one wrong and ends by a panic, as it must: `add-duplicate`, `new-duplicate`, `new-heap`,
//! `new-empty`, `new-bad`, `heap-add`, `labels-odd`.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;

use wprof_guest::{LabelSet, Profile, profiles};

const NAME: &str = "example.com/golden.conns";

static CONNS: LazyLock<Profile> = LazyLock::new(|| Profile::new(NAME));

struct Conn {
    _id: u32,
}

#[inline(never)]
fn new_client(skip: u32, id: u32) -> Box<Conn> {
    let conn = Box::new(Conn { _id: id });
    CONNS.add(&conn, skip);
    conn
}

#[inline(never)]
fn run(skip: u32, id: u32) -> Box<Conn> {
    new_client(skip, id)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().ok_or("sdk_custom DIR [WRONG]")?;
    let wrong = args.next();

    // Their numbers are hidden, or each turn of a loop would be a call of its own.
    let mut conns = Vec::new();
    for id in 0..black_box(5) {
        conns.push(run(0, id));
    }
    for id in 5..black_box(7) {
        conns.push(run(1, id));
    }
    conns.push(run(100, 7)); // skip too large
    println!("count {}", CONNS.count());
    CONNS.remove(&conns[0]);
    CONNS.remove(&Box::new(Conn { _id: 99 })); // absent: does nothing
    println!("count after remove {}", CONNS.count());
    if let Some(wrong) = wrong {
        return commit(&wrong, &conns);
    }
    if let Some(heap) = Profile::lookup("heap") {
        heap.remove(&1); // does nothing either
    }
    println!("lookup unknown is none: {}", Profile::lookup("nope").is_none());
    for profile in profiles() {
        println!("profile {}", profile.name());
    }
    for (debug, kind) in [(0, "pb.gz"), (1, "debug1.txt"), (2, "debug2.txt")] {
        CONNS.write_to(&mut File::create(Path::new(&dir).join(format!("custom.{kind}")))?, debug)?;
    }
    Ok(())
}

fn commit(wrong: &str, conns: &[Box<Conn>]) -> Result<(), Box<dyn Error>> {
    match wrong {
        "add-duplicate" => CONNS.add(&conns[1], 0),
        "new-duplicate" => drop(Profile::new(NAME)),
        "new-heap" => drop(Profile::new("heap")),
        "new-empty" => drop(Profile::new("")),
        "new-bad" => drop(Profile::new("two words")),
        "heap-add" => Profile::lookup("heap").ok_or("there is no heap profile")?.add(&1, 0),
        "labels-odd" => drop(format!("{:?}", LabelSet::of(&["a"]))),
        _ => return Err(format!("no such wrong: {wrong}").into()),
    }
    Err(format!("{wrong} went well").into())
}
