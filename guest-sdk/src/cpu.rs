//! The CPU profile that a guest starts and stops.

use alloc::boxed::Box;

use crate::error::{Error, WriteError};
use crate::imports;
use crate::lock::Lock;
use crate::sink::{Sink, write_stream};

/// Where the running profile goes. Held while one is started or written, so that a second [`stop`] returns no sooner.
static WRITER: Lock<Option<Box<dyn Sink + Send>>> = Lock::new(None);

/// Starts a CPU profile of 100 samples a second of CPU time, which [`stop`] writes. Go's `StartCPUProfile`.
///
/// Nothing is written before. Outside wprof the writer is dropped at once, and nothing is ever written to it.
///
/// # Errors
///
/// `cpu profiling already in use` if one runs, this guest's or, with `wprof run --cpuprofile`, wprof's own. That one is
/// left alone.
pub fn start(writer: impl Sink + Send + 'static) -> Result<(), Error> {
    start_at(0, writer)
}

/// Starts a CPU profile with so many samples a second of CPU time. Go's `SetCPUProfileRate` before a `StartCPUProfile`.
///
/// 0 is 100. Wprof takes up to 1,000,000, and is slower at high rates.
///
/// # Errors
///
/// As [`start`].
pub fn start_at(hz: u32, writer: impl Sink + Send + 'static) -> Result<(), Error> {
    if !imports::is_on() {
        return Ok(());
    }
    let hz = i32::try_from(hz).unwrap_or(i32::MAX);
    WRITER.with(|running| {
        let result = imports::cpu_start(hz);
        if result < 0 {
            return Err(Error::of(result));
        }
        *running = Some(Box::new(writer));
        Ok(())
    })
}

/// Ends the CPU profile that [`start`] has started and writes it. Go's `StopCPUProfile`.
///
/// Returns after the last byte was written. Does nothing if none runs, as at a second call, so it may stand at every end of
/// a program. A writer must not itself start or stop a profile.
///
/// # Errors
///
/// If the writer fails, which Go hides, or wprof. The profile has ended all the same.
pub fn stop() -> Result<(), WriteError> {
    if !imports::is_on() {
        return Ok(());
    }
    WRITER.with(|running| match running.take() {
        Some(mut writer) => write_stream(imports::cpu_stop(), &mut *writer),
        None => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::sync::mpsc;

    use super::{start, start_at, stop};
    use crate::fake::Fake;
    use crate::sink::Call;

    /// One test, as there is one profile in a process.
    #[test]
    fn a_profile_is_written_by_stop_and_a_second_start_is_refused() {
        assert_eq!((start(Call(|_: &[u8]| Ok(()))), stop().is_ok()), (Ok(()), true), "outside wprof");

        let fake = Fake::install();
        let (sender, written) = mpsc::channel();
        let sink = move || {
            let sender = sender.clone();
            Call(move |bytes: &[u8]| Ok(sender.send(bytes.to_vec())?))
        };
        start_at(250, sink()).unwrap();
        assert_eq!(start(sink()).unwrap_err().to_string(), "cpu profiling already in use");
        assert!(written.try_recv().is_err(), "nothing is written before the end");
        stop().unwrap();
        assert_eq!(written.try_recv().unwrap(), b"cpu at 250");
        stop().unwrap();
        assert!(written.try_recv().is_err());

        start(Call(|_: &[u8]| Err("full".into()))).unwrap();
        assert_eq!(stop().unwrap_err().to_string(), "write the profile: full");
        start(sink()).unwrap();
        stop().unwrap();
        assert_eq!(written.try_recv().unwrap(), b"cpu at 0");
        assert_eq!(fake.n_open_streams(), 0);
    }
}
