//! Timers that interrupt one thread, and the handler that is run there.
//!
//! SIGPROF is the signal that profilers use. A signal of it that no timer of ours has sent goes to the handler that was
//! there before.

use std::io;
use std::mem::MaybeUninit;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::interrupted::{Registers, TimerInfo, registers, set_pc};

/// What is to be done on a tick: the number that the timer was made with, how many ticks were missed before this one, and
/// the registers of the instruction that was interrupted. The answer is where the thread shall go on, if elsewhere.
pub(crate) type OnTick = fn(u32, u32, &Registers) -> Option<usize>;

static ON_TICK: OnceLock<OnTick> = OnceLock::new();
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// A timer aimed at one thread, on the monotonic clock. The clocks of CPU time tick no faster than the kernel's scheduler.
#[derive(Debug)]
pub(crate) struct Timer(libc::timer_t);

// SAFETY: the value is the kernel's number of the timer, which any thread of the process may use.
unsafe impl Send for Timer {}

impl Timer {
    /// A timer that does not run yet and will interrupt the calling thread. It gives `number` to the handler, which is
    /// the same for all timers of the process.
    pub(crate) fn for_this_thread(number: u32, on_tick: OnTick) -> io::Result<Self> {
        install(on_tick)?;
        // SAFETY: a plain structure of numbers and pointers that may be null.
        let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGPROF;
        event.sigev_value.sival_ptr = std::ptr::without_provenance_mut(number as usize);
        event.sigev_notify_thread_id = rustix::thread::gettid().as_raw_nonzero().get();
        let mut timer = MaybeUninit::uninit();
        // SAFETY: both point to structures of ours, of the kinds that are asked for.
        check(unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, timer.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded and written it.
        Ok(Self(unsafe { timer.assume_init() }))
    }

    /// Its number, for [`set_timer`].
    pub(crate) fn id(&self) -> usize {
        self.0.expose_provenance()
    }
}

/// Has a timer tick after `first` and then every `interval`; never, if `first` is zero. Safe in a signal handler, as
/// timer_settime(2) is, and with a number whose timer is gone, which the system refuses.
pub(crate) fn set_timer(id: usize, first: Duration, interval: Duration) -> io::Result<()> {
    let time = |of: Duration| libc::timespec {
        tv_sec: of.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: of.subsec_nanos().into(),
    };
    let setting = libc::itimerspec { it_value: time(first), it_interval: time(interval) };
    let timer = std::ptr::with_exposed_provenance_mut(id);
    // SAFETY: the number is only a number to the kernel, and the old setting is not asked for.
    check(unsafe { libc::timer_settime(timer, 0, &raw const setting, std::ptr::null_mut()) })
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer is ours and nobody uses it any more. A tick that is under way finds its number given up.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Puts the handler in its place, once, and opens the calling thread for the signal.
fn install(on_tick: OnTick) -> io::Result<()> {
    // Two threads at once would each take the other's handler for the one before.
    static INSTALLING: Mutex<()> = Mutex::new(());
    ON_TICK.get_or_init(|| on_tick);
    let installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if PREVIOUS.get().is_none() {
        // SAFETY: a plain structure of numbers.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handler as *const () as usize;
        // The guest's stack may be nearly full, so the handler has the one that wasmtime gives its own handlers.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        let mut previous = MaybeUninit::uninit();
        // SAFETY: both point to structures of ours; the handler keeps to what a handler may do (see there).
        check(unsafe { libc::sigaction(libc::SIGPROF, &raw const action, previous.as_mut_ptr()) })?;
        // SAFETY: the call has succeeded and written it.
        let _is_first = PREVIOUS.set(unsafe { previous.assume_init() });
    }
    drop(installing);
    let mut set = MaybeUninit::uninit();
    // SAFETY: a place to write a set to.
    check(unsafe { libc::sigemptyset(set.as_mut_ptr()) })?;
    // SAFETY: written by the call above.
    check(unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGPROF) })?;
    // SAFETY: as above; the old set is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), std::ptr::null_mut()) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Runs on the thread that a timer is aimed at, between any two instructions. It and all that it calls allocate nothing,
/// take no lock and do not panic; `errno` is as it was when it returns.
extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives it to a handler with SA_SIGINFO, and it is longer than what a timer fills in.
    let of_timer = unsafe { info.cast::<TimerInfo>().as_ref() };
    // SAFETY: as above; nobody else has it.
    let ucontext = unsafe { context.cast::<libc::ucontext_t>().as_mut() };
    let (Some(of_timer), Some(ucontext)) = (of_timer, ucontext) else { return };
    if of_timer.code != libc::SI_TIMER {
        return pass_on(signal, info, context);
    }
    // SAFETY: the calling thread's own.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let errno_before = unsafe { *errno };
    let number = u32::try_from(of_timer.value).unwrap_or(u32::MAX);
    if let Some(on_tick) = ON_TICK.get()
        && let Some(elsewhere) = on_tick(number, of_timer.overrun.unsigned_abs(), &registers(ucontext))
    {
        set_pc(ucontext, elsewhere);
    }
    // SAFETY: as above.
    unsafe { *errno = errno_before };
}

/// A signal that is not a timer's belongs to whoever handled it before us. One that would have ended the process is not
/// ours to act on either: it is as likely a late tick of somebody's timer.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(previous) = PREVIOUS.get() else { return };
    if matches!(previous.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
        return;
    }
    if previous.sa_flags & libc::SA_SIGINFO != 0 {
        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: sigaction(2): with this flag it is the address of such a function.
        let previous = unsafe { std::mem::transmute::<usize, Handler>(previous.sa_sigaction) };
        previous(signal, info, context);
    } else {
        // SAFETY: sigaction(2): without the flag, neither of the two above, it is the address of such a function.
        let previous = unsafe { std::mem::transmute::<usize, extern "C" fn(libc::c_int)>(previous.sa_sigaction) };
        previous(signal);
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
