//! A store that is measured: making the guest's instance in it, calling it, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use wasmtime::{Linker, Module, Store, TypedFunc};

use super::guest::Guest;
use crate::abi;
use crate::contexts::Context;
use crate::heap::{attach, imports};
use crate::sample::{Polled, Sampler};

/// A store to which [`Guest::attach`] has attached a guest. It may be dropped before the store or after it.
#[derive(Debug)]
pub struct Attached {
    guest: Guest,
    context: Arc<Context>,
    has_instance: AtomicBool,
}

/// What the store itself owns of its profile. When it is dropped, the guest's instance is gone.
#[derive(Debug)]
pub(super) struct Instance {
    guest: Guest,
    context: Arc<Context>,
    sampler: Sampler,
}

impl Instance {
    pub(super) fn new(guest: Guest, context: Arc<Context>, sampler: Sampler) -> Self {
        Self { guest, context, sampler }
    }
}

impl Attached {
    pub(super) fn new(guest: Guest, context: Arc<Context>) -> Self {
        Self { guest, context, has_instance: AtomicBool::new(false) }
    }

    /// Makes the core module's instance in the attached store, with what the linker has, and the imports of wprof's SDK. The
    /// hooks in its allocator are filled before its start function runs.
    ///
    /// A component is instantiated as any other, from [`Guest::component`].
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate`], and for a second instance in the store. When the guest is a component.
    pub fn instantiate<T: 'static>(
        &self,
        store: &mut Store<T>,
        linker: &Linker<T>,
    ) -> anyhow::Result<wasmtime::Instance> {
        let module = self.begin()?;
        let own = self.linked(store, linker, module)?;
        let instance = own.as_ref().unwrap_or(linker).instantiate(&mut *store, module)?;
        if let Some(start) = self.arm(store, module, &instance)? {
            start.call(&mut *store, ())?;
        }
        Ok(instance)
    }

    /// The same in an async store.
    ///
    /// # Errors
    ///
    /// As [`Attached::instantiate`].
    pub async fn instantiate_async<T: Send + 'static>(
        &self,
        store: &mut Store<T>,
        linker: &Linker<T>,
    ) -> anyhow::Result<wasmtime::Instance> {
        let module = self.begin()?;
        let own = self.linked(store, linker, module)?;
        let instance = self.polled(own.as_ref().unwrap_or(linker).instantiate_async(&mut *store, module)).await?;
        if let Some(start) = self.arm(store, module, &instance)? {
            self.polled(start.call_async(&mut *store, ())).await?;
        }
        Ok(instance)
    }

    /// A future in which the guest is called, to be awaited in its place: a single call, or all that is done for a request. At
    /// each poll the sampler is told on which thread the guest goes on. Calls of an async store that are not inside of one
    /// are not seen while their thread is another than the one on which they began, and what that does meanwhile is taken for
    /// the guest's.
    pub fn polled<F: Future>(&self, future: F) -> Polled<F> {
        self.context.cpu.polled(future)
    }

    /// What this store's guest is among all that are measured.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    fn begin(&self) -> anyhow::Result<&Module> {
        let Some(module) = self.guest.module() else {
            bail!("a component is instantiated by a linker for components");
        };
        if self.has_instance.swap(true, Ordering::Relaxed) {
            bail!("the store has an instance of the guest already");
        }
        Ok(module)
    }

    /// The embedder's linker with what wprof puts in; `None` where that is nothing. It is for all stores of the embedder's, and
    /// these imports are for one.
    fn linked<T: 'static>(
        &self,
        store: &mut Store<T>,
        linker: &Linker<T>,
        module: &Module,
    ) -> anyhow::Result<Option<Linker<T>>> {
        let inner = &self.guest.0;
        let (is_imported, has_imports) = (abi::is_imported_by(module), !inner.imports.is_empty());
        if !is_imported && !has_imports {
            return Ok(None);
        }
        let mut linker = linker.clone();
        if is_imported {
            abi::add_to_linker(&mut linker, &inner.registry, &self.context, self.context.id)?;
        }
        if let Some(heap) = self.context.own.heap.as_ref().filter(|_| has_imports) {
            imports::wrap(&mut linker, store, &inner.imports, heap)?;
        }
        Ok(Some(linker))
    }

    /// Fills the hooks of a rewritten module's instance. What it returns is the start function, which is yet to be called.
    fn arm<T: 'static>(
        &self,
        store: &mut Store<T>,
        module: &Module,
        instance: &wasmtime::Instance,
    ) -> anyhow::Result<Option<TypedFunc<(), ()>>> {
        if let Some(func) = attach::guest_function(store, instance) {
            self.context.cpu.see_asleep(&mut *store, module, func);
        }
        let Some((armed, heap)) = self.guest.0.armed.as_ref().zip(self.context.own.heap.as_ref()) else {
            return Ok(None);
        };
        attach::arm(store, module, instance, armed, heap, &self.context.own.waiting)?;
        let Some(start) = &armed.start else { return Ok(None) };
        let start = instance.get_typed_func(&mut *store, start)?;
        Ok(Some(start))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let handle = self.guest.0.registry.handle();
        handle.contexts.end(&self.context, || self.sampler.handle().take());
        handle.custom.end(self.context.id);
        if let Some(heap) = &self.context.own.heap {
            heap.end();
        }
    }
}
