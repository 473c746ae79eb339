//! A turn of the worker's event loop, without the delay that timers have.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessageChannel;

/// A channel to oneself: what is sent comes back after the messages that were there before.
pub(super) struct Turn {
    channel: MessageChannel,
}

impl Turn {
    pub(super) fn new() -> Result<Turn, JsValue> {
        Ok(Turn { channel: MessageChannel::new()? })
    }

    /// Has `act` called once for each turn that is asked for.
    pub(super) fn on_turn(&self, act: impl Fn() + 'static) {
        let on_message = Closure::<dyn Fn()>::new(act);
        self.channel.port1().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // It lives as long as the worker does.
        on_message.forget();
    }

    pub(super) fn ask_for(&self) {
        // Fails only for what cannot be copied.
        let _sent = self.channel.port2().post_message(&JsValue::NULL);
    }
}
