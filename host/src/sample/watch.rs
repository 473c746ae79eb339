//! Who else must know of crossings of the guest's border. A store has one call hook, and the sampler has it.

use std::any::Any;
use std::sync::Arc;

use wasmtime::StoreContextMut;

use crate::contention::waiting::Waiting;
use crate::heap::grow::Growth;
use crate::heap::probe::Probe;

/// Those who must.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Growth of the guest's memories.
    pub growth: Arc<Growth>,
    /// The heap profile, where there is one.
    pub heap: Option<Probe>,
    /// Waits in host calls.
    pub waiting: Arc<Waiting>,
    /// Called with the store's data before the host returns to the guest.
    pub after_call: Option<fn(&mut dyn Any)>,
}

impl Watch {
    /// The guest is entered or left; how often it is entered now.
    pub(super) fn set_depth(&self, depth: u32) {
        self.growth.set_in_guest(depth > 0);
        self.waiting.set_depth(depth);
        if let Some(heap) = &self.heap {
            heap.set_depth(depth);
        }
    }

    /// The guest calls the host.
    pub(super) fn on_call<T: 'static>(&self, store: &mut StoreContextMut<'_, T>) {
        if let Some(heap) = &self.heap {
            // The guest may be left in that call for good, and then nobody could.
            heap.free_queued(store);
        }
        self.waiting.on_call();
    }

    /// The host returns to the guest.
    pub(super) fn on_return<T: 'static>(&self, store: &mut StoreContextMut<'_, T>) {
        if let Some(after_call) = self.after_call {
            after_call(store.data_mut());
        }
        self.waiting.on_return(&*store);
        self.growth.on_return(&*store);
        if let Some(heap) = &self.heap {
            heap.on_return(store);
        }
    }
}
