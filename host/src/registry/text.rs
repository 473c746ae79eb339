//! Profiles as text, which people read and pprof too.

use std::io;

use proto::formats::{self, WriteError};

use super::{BuiltIn, NamedProfile, Own, Registry};
use crate::record::HeapKind;

impl Registry {
    pub(super) fn write_text(
        &self,
        profile: NamedProfile,
        own: Option<&Own>,
        out: &mut impl io::Write,
    ) -> Result<(), WriteError> {
        let kind = match profile {
            NamedProfile::BuiltIn(BuiltIn::Allocs | BuiltIn::Heap) => HeapKind::Heap,
            NamedProfile::BuiltIn(BuiltIn::Peak) => HeapKind::Peak,
            NamedProfile::BuiltIn(BuiltIn::Mutex) => {
                let fraction = self.handle().contention.set_mutex_fraction(-1);
                return formats::text::write_mutex(out, &self.profile(profile), fraction.into());
            }
            _ => return formats::text::write(out, &self.profile_for(profile, own)),
        };
        let (raw, rate) = self.raw_heap(kind);
        let trailer = self.heap_trailer(&raw, rate, &self.handle().growth.measured());
        Ok(proto::heap::write_text(out, &raw, rate, &trailer)?)
    }
}
