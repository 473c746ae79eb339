//! What can wait while something moves: to take in an answer between two frames of a motion would delay the second.

use std::cell::RefCell;

use gloo::timers::callback::Timeout;

use crate::motion;

thread_local! {
    static GATE: RefCell<Gate<Box<dyn FnOnce()>>> = const { RefCell::new(Gate { held: None }) };
}

/// Acts, in the order in which they came.
#[derive(Debug)]
struct Gate<T> {
    /// `None`: nothing is held up.
    held: Option<Vec<T>>,
}

impl<T> Gate<T> {
    /// Whether it was open. Closed again and again it would never open.
    fn close(&mut self) -> bool {
        let was_open = self.held.is_none();
        self.held.get_or_insert_default();
        was_open
    }

    /// Gives an act back if it is to happen now.
    fn pass(&mut self, act: T) -> Option<T> {
        match &mut self.held {
            Some(held) => {
                held.push(act);
                None
            }
            None => Some(act),
        }
    }

    fn open(&mut self) -> Vec<T> {
        self.held.take().unwrap_or_default()
    }
}

/// Holds up what can wait, as long as a motion takes that begins now.
pub(crate) fn begin() {
    if GATE.with_borrow_mut(Gate::close) {
        let release = || GATE.with_borrow_mut(Gate::open).into_iter().for_each(|act| act());
        Timeout::new(motion::MILLIS, release).forget();
    }
}

/// Has `act` called, now or when nothing is held up any more.
pub(crate) fn when_over(act: impl FnOnce() + 'static) {
    if let Some(act) = GATE.with_borrow_mut(|gate| gate.pass(Box::new(act))) {
        act();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_wait_in_order_and_not_for_ever() {
        let mut gate = Gate { held: None };
        assert_eq!(gate.pass(1), Some(1));
        assert!(gate.close());
        assert_eq!((gate.pass(2), gate.pass(3)), (None, None));
        assert!(!gate.close(), "one opens it already");
        assert_eq!(gate.pass(4), None);
        assert_eq!(gate.open(), [2, 3, 4]);
        assert_eq!(gate.pass(5), Some(5));
        assert!(gate.open().is_empty());
    }
}
