//! Go's allocator: which of its functions allocate, and where on the goroutine's stack they leave what they did.
//!
//! Every block comes from one of the functions at the end of a chain of calls, and the chain begins in many places: the
//! compiler calls the end directly where it knows an object's size. So the ends are hooked, each for itself; what is
//! above them (`mallocgc`) or beside them (the slow paths, which their twins call) is not.

use wasmparser::ValType;

use crate::heap::hook::{GoAlloc, GoSize, Kind};

/// One of Go's allocating functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoFunction {
    /// For all sizes of one sort: `(size, type)` or `(size, type, needzero)` gives `(pointer, bytes)`. The first since
    /// Go 1.25, except for those that may leave the block unzeroed.
    General { always_zeroes: bool, is_tiny: bool },
    /// For one size class: `(size, type, needzero)` gives the pointer. Since Go 1.26, for WebAssembly 1.27.
    Special { block_bytes: u32, is_tiny: bool },
    /// `mallocgc(size, type, needzero)`, the only one up to Go 1.23.
    Old,
    /// Where a goroutine loses its wasm frames: it waits, or needs more stack.
    Switch,
}

/// A function that every module has from before Go 1.25; later it is called `parseRuntimeDebugVars`.
const BEFORE_1_25: &str = "parsedebugvars";

/// Bytes that the tiny allocator takes for several objects.
const TINY_BLOCK: u32 = 16;

/// Whether this function of `package` runtime tells that the module is from before Go 1.25.
pub(super) fn is_before_1_25(last: &str) -> bool {
    last == BEFORE_1_25
}

impl GoFunction {
    /// By the name in package `runtime`.
    pub(super) fn named(last: &str) -> Option<Self> {
        if matches!(last, "mcall" | "morestack") {
            return Some(Self::Switch);
        }
        let rest = last.strip_prefix("mallocgc")?;
        let class = |prefix: &str| rest.strip_prefix(prefix)?.parse().ok();
        let special = |class: usize| CLASS_BYTES.get(class).copied().filter(|&bytes| bytes > 0);
        match rest {
            "" => Some(Self::Old),
            "Tiny" => Some(Self::General { always_zeroes: true, is_tiny: true }),
            "SmallScanNoHeader" | "SmallScanHeader" => Some(Self::General { always_zeroes: true, is_tiny: false }),
            "SmallNoscan" | "Large" => Some(Self::General { always_zeroes: false, is_tiny: false }),
            _ => {
                // One for a class, or as an experiment of Go 1.26 one for each size up to 15.
                let tiny = class("TinySC").or_else(|| class("TinySize").filter(|&bytes: &usize| bytes < 16));
                if tiny.is_some() {
                    return Some(Self::Special { block_bytes: TINY_BLOCK, is_tiny: true });
                }
                let block_bytes = class("SmallScanNoHeaderSC").or_else(|| class("SmallNoScanSC")).and_then(special)?;
                Some(Self::Special { block_bytes, is_tiny: false })
            }
        }
    }

    /// Whether it is one of those that came after [`Self::Old`].
    pub(super) fn is_leaf(self) -> bool {
        matches!(self, Self::General { .. } | Self::Special { .. })
    }

    /// Whether it allocates at all.
    pub(super) fn allocates(self) -> bool {
        self != Self::Switch
    }

    /// Where its size and result are; `None` when it has not the type that all of Go's functions have.
    pub(super) fn kind(self, params: &[ValType], results: &[ValType], before_1_25: bool) -> Option<Kind> {
        if params != [ValType::I32] || results != [ValType::I32] {
            return None;
        }
        if self == Self::Switch {
            return Some(Kind::GoSwitch);
        }
        // size, type, needzero (padded): 8 bytes each.
        let results_at = |n_params: u32| n_params * 8;
        Some(Kind::Go(match self {
            Self::General { always_zeroes, is_tiny } => {
                let pointer = results_at(if always_zeroes && !before_1_25 { 2 } else { 3 });
                if is_tiny {
                    GoAlloc { size: GoSize::Const(TINY_BLOCK), tiny_result: Some(pointer) }
                } else {
                    GoAlloc { size: GoSize::At(pointer + 8), tiny_result: None }
                }
            }
            Self::Special { block_bytes, is_tiny } => {
                GoAlloc { size: GoSize::Const(block_bytes), tiny_result: is_tiny.then(|| results_at(3)) }
            }
            Self::Old | Self::Switch => GoAlloc { size: GoSize::At(0), tiny_result: None },
        }))
    }
}

/// Go's internal/runtime/gc/sizeclasses.go: `SizeClassToSize`, unchanged since Go 1.16.
static CLASS_BYTES: [u32; 68] = [
    0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448,
    480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096,
    4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072,
    20480, 21760, 24576, 27264, 28672, 32768,
];

#[cfg(test)]
mod tests {
    use wasmparser::ValType::I32;

    use super::*;

    #[test]
    fn results_lie_behind_the_arguments() {
        let at = |offset| GoAlloc { size: GoSize::At(offset), tiny_result: None };
        let bytes = |bytes| GoAlloc { size: GoSize::Const(bytes), tiny_result: None };
        let tiny = |offset| GoAlloc { size: GoSize::Const(16), tiny_result: Some(offset) };
        for (name, now, before_1_25) in [
            // (size, typ) since Go 1.25
            ("mallocgcTiny", tiny(16), tiny(24)),
            ("mallocgcSmallScanNoHeader", at(24), at(32)),
            ("mallocgcSmallScanHeader", at(24), at(32)),
            // (size, typ, needzero)
            ("mallocgcSmallNoscan", at(32), at(32)),
            ("mallocgcLarge", at(32), at(32)),
            ("mallocgcSmallScanNoHeaderSC1", bytes(8), bytes(8)),
            ("mallocgcSmallNoScanSC7", bytes(80), bytes(80)),
            ("mallocgcSmallNoScanSC26", bytes(512), bytes(512)),
            ("mallocgcTinySC2", tiny(24), tiny(24)),
            ("mallocgcTinySize15", tiny(24), tiny(24)),
            ("mallocgc", at(0), at(0)),
        ] {
            let function = GoFunction::named(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(function.kind(&[I32], &[I32], false), Some(Kind::Go(now)), "{name}");
            assert_eq!(function.kind(&[I32], &[I32], true), Some(Kind::Go(before_1_25)), "{name}");
            assert_eq!(function.kind(&[I32, I32], &[I32], false), None);
        }
    }

    #[test]
    fn functions_around_the_leaves_are_none() {
        for name in [
            "mallocgcSmallScanSlowPath",
            "mallocgcSmallNoScanSlowPath",
            "mallocgcTinySlowPath",
            "mallocgcSmallNoscanReuse",
            "mallocgcSmallNoScanSC0",
            "mallocgcSmallNoScanSC68",
            "mallocgcSmallNoScanSC+3x",
            "mallocgcSmallScanNoHeaderSC3.func1",
            "mallocgcTinySize16",
            "mallocinit",
            "mallocPanic",
            "preMallocgcDebug",
            "",
        ] {
            assert_eq!(GoFunction::named(name), None, "{name}");
        }
    }
}
