//! Sleeping, for threads that share a world: WASI's own `poll_oneoff` would keep it from the others meanwhile.
//!
//! Calls that wait for nothing but clocks are answered here, all others by WASI. Layouts are those of
//! `wasi_snapshot_preview1.witx`.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::{Caller, Extern, Linker, Store};
use wasmtime_wasi::HostMonotonicClock;
use wiggle::GuestMemory;

use super::GuestState;
use crate::memory;

const MODULE: &str = "wasi_snapshot_preview1";
const NAME: &str = "poll_oneoff";

/// Bytes of a subscription and of an event.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

/// The kind of a subscription, and of its event.
const CLOCK: u8 = 0;

/// Clocks.
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// The flag of a subscription that names a moment, and not how long.
const IS_ABSOLUTE: u16 = 1;

/// More subscriptions in one call are WASI's to judge.
const MAX_SUBSCRIPTIONS: u32 = 1024;

/// WASI's `efault`.
const FAULT: i32 = 21;

/// The guest's monotonic clock, which begins when it is first asked.
pub(super) struct Monotonic;

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock to wait for.
struct Alarm {
    userdata: [u8; 8],
    /// From now on.
    after: Duration,
}

/// Puts it in front of WASI's.
pub(super) fn add_to_linker(linker: &mut Linker<GuestState>, store: &mut Store<GuestState>) -> wasmtime::Result<()> {
    // Without WASI there is no sleeping.
    let Ok(Extern::Func(others)) = linker.get(&mut *store, MODULE, NAME) else { return Ok(()) };
    let others = others.typed::<(i32, i32, i32, i32), i32>(&*store)?;
    linker.allow_shadowing(true);
    let sleep = move |mut caller: Caller<'_, GuestState>, from: i32, to: i32, n: i32, n_to: i32| {
        let [from_at, to_at, n_clocks, n_to_at] = [from, to, n, n_to].map(i32::cast_unsigned);
        let alarms = memory::with(&mut caller, |memory| alarms(&memory, from_at, n_clocks)).flatten();
        let Some(alarms) = alarms else { return others.call(caller, (from, to, n, n_to)) };
        let first = alarms.iter().map(|alarm| alarm.after).min().unwrap_or_default();
        std::thread::sleep(first);
        let written = memory::with(&mut caller, |mut memory| {
            let rung = alarms.iter().filter(|alarm| alarm.after <= first);
            let mut n_events = 0;
            for (alarm, at) in rung.zip((to_at..).step_by(EVENT as usize)) {
                let mut event = [0; EVENT as usize];
                // Then no error, the kind, and what is of no meaning for clocks.
                event[..8].copy_from_slice(&alarm.userdata);
                event[10] = CLOCK;
                memory::write(&mut memory, at, &event)?;
                n_events += 1_u32;
            }
            memory::write(&mut memory, n_to_at, &n_events.to_le_bytes())
        });
        Ok(written.flatten().map_or(FAULT, |()| 0))
    };
    linker.func_wrap(MODULE, NAME, sleep)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What to wait for; `None` if that is not clocks alone, or cannot be read.
fn alarms(memory: &GuestMemory<'_>, at: u32, n: u32) -> Option<Vec<Alarm>> {
    if n == 0 || n > MAX_SUBSCRIPTIONS {
        return None;
    }
    let bytes = memory::read(memory, at, n * SUBSCRIPTION)?;
    bytes.chunks_exact(SUBSCRIPTION as usize).map(alarm).collect()
}

fn alarm(subscription: &[u8]) -> Option<Alarm> {
    let field = |at: usize| subscription.get(at..)?.first_chunk::<8>().copied();
    let userdata = field(0)?;
    if *subscription.get(8)? != CLOCK {
        return None;
    }
    let clock = u32::from_le_bytes(*subscription.get(16..)?.first_chunk()?);
    let timeout = u64::from_le_bytes(field(24)?);
    let is_absolute = u16::from_le_bytes(*subscription.get(40..)?.first_chunk()?) & IS_ABSOLUTE != 0;
    let now = match clock {
        _ if !is_absolute => 0,
        REALTIME => u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?,
        MONOTONIC => Monotonic.now(),
        _ => return None,
    };
    Some(Alarm { userdata, after: Duration::from_nanos(timeout.saturating_sub(now)) })
}
