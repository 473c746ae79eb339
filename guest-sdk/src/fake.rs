//! A wprof for the tests of this crate, as each test's thread installs it; without it every import answers 0.

use core::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::borrow::ToOwned;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::format;
use std::marker::PhantomData;
use std::string::String;
use std::sync::Mutex;

use std::thread_local;
use std::vec::Vec;

use crate::labels::unpack;

type Labels = BTreeMap<String, String>;

/// Installed as long as it lives.
#[derive(Debug)]
pub(crate) struct Fake(PhantomData<*const ()>);

#[derive(Debug, Default)]
struct State {
    /// The calls that tests ask for.
    calls: Vec<String>,
    cpu_hz: Option<i32>,
    /// What is left of each; none if it was closed.
    streams: Vec<Option<Vec<u8>>>,
    /// Names, and keys in them.
    profiles: Vec<(String, Vec<i64>)>,
    keeps_no_more_labels: bool,
    current: i32,
    /// Whether the thread's labels may be looked up, and where.
    has_cells: bool,
    cell: Option<*const AtomicI32>,
    gaps: Vec<i64>,
}

/// A token is a place here, plus 1. One for all tests, as what contexts remember is the process's.
static LABELS: Mutex<Vec<Labels>> = Mutex::new(Vec::new());

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

impl Fake {
    pub(crate) fn install() -> Self {
        let profiles = ["allocs", "block", "heap"].map(|name| (name.to_owned(), Vec::new())).into();
        STATE.set(Some(State { profiles, ..State::default() }));
        Self(PhantomData)
    }

    fn state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        with(f).unwrap()
    }

    /// What was called since this was asked for the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state(|state| state.calls.drain(..).collect())
    }

    pub(crate) fn stream(&self, bytes: &[u8]) -> i32 {
        self.state(|state| state.open(bytes))
    }

    pub(crate) fn n_open_streams(&self) -> usize {
        self.state(|state| state.streams.iter().flatten().count())
    }

    /// The labels that the thread has, as wprof sees it: `a=1 b=2`.
    pub(crate) fn current(&self) -> String {
        self.state(|state| {
            // SAFETY: the cell is the thread's own, as the fake is.
            let in_cell = state.cell.map(|cell| unsafe { &*cell }.load(Relaxed));
            let labels = set(in_cell.unwrap_or(state.current));
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        })
    }

    #[cfg(feature = "std")]
    /// What a thread has that was spawned with these labels.
    pub(crate) fn inherit(&self, labels: &[[&str; 2]]) {
        self.state(|state| {
            state.current = keep(labels.iter().map(|[key, value]| ((*key).into(), (*value).into())).collect());
        });
    }

    /// No more label sets than there are.
    #[cfg(feature = "std")]
    /// Looks labels up from now on, where the thread says.
    pub(crate) fn look_up_labels(&self) {
        self.state(|state| state.has_cells = true);
    }

    pub(crate) fn limit_labels(&self) {
        self.state(|state| state.keeps_no_more_labels = true);
    }

    /// The answers of `alloc_gap` and `alloc_sampled`, in turn.
    pub(crate) fn gaps(&self, gaps: &[i64]) {
        self.state(|state| state.gaps = gaps.iter().rev().copied().collect());
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        STATE.set(None);
    }
}

impl State {
    fn open(&mut self, bytes: &[u8]) -> i32 {
        self.streams.push(Some(bytes.to_owned()));
        self.streams.len() as i32
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.profiles.iter().position(|(known, _)| known == name)
    }
}

fn set(token: i32) -> Labels {
    LABELS.lock().unwrap().get((token - 1) as usize).cloned().unwrap_or_default()
}

fn keep(set: Labels) -> i32 {
    let mut labels = LABELS.lock().unwrap();
    labels.push(set);
    labels.len() as i32
}

/// None without wprof.
fn with<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    STATE.with_borrow_mut(|state| state.as_mut().map(f))
}

fn log(call: &str) {
    with(|state| state.calls.push(call.to_owned()));
}

fn text<'a>(at: *const u8, len: usize) -> &'a str {
    str::from_utf8(bytes(at, len)).unwrap()
}

fn bytes<'a>(at: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: imports are given what is there.
    unsafe { core::slice::from_raw_parts(at, len) }
}

/// Gives an answer of a length that is known only now.
fn give(answer: &[u8], buf: *mut u8, cap: usize) -> i32 {
    if answer.len() <= cap {
        // SAFETY: imports are given room for what they say.
        unsafe { buf.copy_from_nonoverlapping(answer.as_ptr(), answer.len()) };
    }
    answer.len() as i32
}

pub(crate) fn version() -> i32 {
    with(|_| crate::abi::VERSION).unwrap_or(0)
}

pub(crate) unsafe fn last_error(_: *mut u8, _: usize) -> i32 {
    0
}

pub(crate) fn cpu_start(hz: i32) -> i32 {
    let start = |state: &mut State| {
        if state.cpu_hz.is_some() {
            return -8;
        }
        state.cpu_hz = Some(hz);
        0
    };
    with(start).unwrap_or(0)
}

pub(crate) fn cpu_stop() -> i32 {
    with(|state| state.cpu_hz.take().map_or(0, |hz| state.open(format!("cpu at {hz}").as_bytes()))).unwrap_or(0)
}

pub(crate) unsafe fn profile_new(name: *const u8, len: usize) -> i32 {
    let name = text(name, len);
    let make = |state: &mut State| {
        if name.is_empty() || name.contains(' ') || state.place(name).is_some() {
            return if name.is_empty() {
                -2
            } else if name.contains(' ') {
                -4
            } else {
                -3
            };
        }
        state.profiles.push((name.to_owned(), Vec::new()));
        state.profiles.len() as i32
    };
    with(make).unwrap_or(0)
}

pub(crate) unsafe fn profile_lookup(name: *const u8, len: usize) -> i32 {
    with(|state| state.place(text(name, len)).map_or(0, |at| at as i32 + 1)).unwrap_or(0)
}

pub(crate) unsafe fn profiles_list(buf: *mut u8, cap: usize) -> i32 {
    let list = |state: &mut State| {
        let mut names: Vec<_> = state.profiles.iter().map(|(name, _)| format!("{name}\0")).collect();
        names.sort();
        give(names.concat().as_bytes(), buf, cap)
    };
    with(list).unwrap_or(0)
}

pub(crate) fn profile_count(profile: i32) -> i64 {
    with(|state| state.profiles[profile as usize - 1].1.len() as i64).unwrap_or(0)
}

/// Keeps 100 values.
pub(crate) fn profile_add(profile: i32, key: i64, skip: i32) -> i32 {
    let add = |state: &mut State| {
        let keys = &mut state.profiles[profile as usize - 1].1;
        if profile <= 3 || keys.contains(&key) || keys.len() == 100 {
            return if profile <= 3 {
                -6
            } else if keys.len() == 100 {
                -9
            } else {
                -7
            };
        }
        keys.push(key);
        state.calls.push(format!("add {key} {skip}"));
        0
    };
    with(add).unwrap_or(0)
}

pub(crate) fn profile_remove(profile: i32, key: i64) -> i32 {
    with(|state| state.profiles[profile as usize - 1].1.retain(|it| *it != key));
    0
}

pub(crate) fn profile_write(profile: i32, debug: i32) -> i32 {
    let write = |state: &mut State| {
        let name = state.profiles[profile as usize - 1].0.clone();
        if name == "block" { -11 } else { state.open(format!("{name} at {debug}").as_bytes()) }
    };
    with(write).unwrap_or(0)
}

pub(crate) unsafe fn stream_read(stream: i32, buf: *mut u8, cap: usize) -> i32 {
    let read = |state: &mut State| {
        let Some(left) = &mut state.streams[stream as usize - 1] else { return -5 };
        let piece: Vec<u8> = left.drain(..left.len().min(cap)).collect();
        give(&piece, buf, cap)
    };
    with(read).unwrap_or(0)
}

pub(crate) fn stream_close(stream: i32) {
    with(|state| state.streams[stream as usize - 1] = None);
}

pub(crate) unsafe fn labels_with(labels: i32, list: *const u8, len: usize) -> i32 {
    let add = |state: &mut State| {
        state.calls.push("with".to_owned());
        if state.keeps_no_more_labels {
            return -9;
        }
        let mut set = set(labels);
        set.extend(unpack(bytes(list, len)).map(|[key, value]| (key.to_owned(), value.to_owned())));
        keep(set)
    };
    with(add).unwrap_or(0)
}

pub(crate) fn labels_use(labels: i32) -> i32 {
    let set = |state: &mut State| {
        state.calls.push("use".to_owned());
        core::mem::replace(&mut state.current, labels)
    };
    with(set).unwrap_or(0)
}

pub(crate) unsafe fn labels_cell(cell: *const AtomicI32) -> i32 {
    let answer = with(|state| {
        if !state.has_cells {
            return crate::abi::Code::Unavailable as i32;
        }
        state.calls.push("cell".into());
        state.cell = Some(cell);
        state.current
    });
    answer.unwrap_or(0)
}

pub(crate) fn labels_current() -> i32 {
    with(|state| state.current).unwrap_or(0)
}

pub(crate) unsafe fn labels_read(labels: i32, buf: *mut u8, cap: usize) -> i32 {
    let read = |_: &mut State| {
        let set = set(labels);
        let len = |text: &str| (text.len() as u32).to_le_bytes();
        let packed = set
            .iter()
            .flat_map(|(key, value)| [&len(key)[..], &len(value)[..], key.as_bytes(), value.as_bytes()].concat());
        give(&packed.collect::<Vec<u8>>(), buf, cap)
    };
    with(read).unwrap_or(0)
}

pub(crate) fn set_block_profile_rate(nanos: i64) {
    log(&format!("block {nanos}"));
}

pub(crate) fn set_mutex_profile_fraction(n: i32) -> i32 {
    log(&format!("mutex {n}"));
    0
}

pub(crate) fn set_mem_profile_rate(bytes: i64) {
    log(&format!("mem {bytes}"));
}

#[cfg(feature = "std")]
pub(crate) fn lock_waits(_: i64) {
    log("waits");
}

#[cfg(feature = "std")]
pub(crate) fn lock_taken(_: i64) {
    log("taken");
}

#[cfg(feature = "std")]
pub(crate) fn lock_released(_: i64) {
    log("released");
}

pub(crate) fn alloc_gap() -> i64 {
    with(|state| state.gaps.pop().unwrap_or(0)).unwrap_or(0)
}

pub(crate) fn alloc_sampled(_: usize, size: i64) -> i64 {
    log(&format!("sampled {size}"));
    with(|state| state.gaps.pop()).flatten().unwrap_or(crate::abi::NEVER)
}

pub(crate) fn free_sampled(_: usize) {
    log("freed");
}
