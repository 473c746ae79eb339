//! What an allocator function is to us: which arguments say how much, which block it takes, which it returns.

/// One allocator function of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Which core module of the file, in file order; 0 in a file that is one.
    pub module: usize,
    /// Its index among that module's functions.
    pub function: u32,
    /// Its name, demangled, for the summary.
    pub name: String,
    /// How to read its calls.
    pub kind: Kind,
}

/// How an allocator function is called. Parameters are counted from 0; a result that is a block is the only result.
///
/// A `bias` is added to a pointer before it names a block, for functions of one allocator that see the same block at
/// different places (behind or before its header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Returns a new block, or null: `malloc`, `calloc`, `aligned_alloc`, `operator new`.
    Alloc {
        /// Bytes asked for.
        size: Size,
        /// Added to the result.
        bias: i32,
    },
    /// Stores the new block where a parameter points and returns 0, or another number on failure: `posix_memalign`.
    AllocInto {
        /// The parameter that says where.
        out: u32,
        /// Bytes asked for.
        size: Size,
    },
    /// Moves or resizes a block and returns its new place; null if it failed and the old one stays. A null block is
    /// an allocation, and a null result for size 0 has freed the block.
    Realloc {
        /// The parameter that is the old block.
        block: u32,
        /// Bytes asked for.
        size: Size,
        /// Added to the parameter and to the result.
        bias: i32,
    },
    /// Frees a block; null is ignored.
    Free {
        /// The parameter that is the block.
        block: u32,
        /// Added to it.
        bias: i32,
    },
    /// A function of Go's allocator, whose arguments lie on the goroutine's stack in memory.
    Go(GoAlloc),
    /// A function of Go's scheduler in which a goroutine loses its wasm frames: one that switches to another goroutine,
    /// or gives this one more stack. Its functions are taken up later, one by one and without their callers.
    GoSwitch,
}

impl Kind {
    /// The parameters that say how much and which block.
    pub fn parameters(&self) -> impl Iterator<Item = u32> + use<> {
        let (block, size) = match *self {
            Self::Alloc { size, .. } => (None, Some(size)),
            Self::AllocInto { out: block, size } | Self::Realloc { block, size, .. } => (Some(block), Some(size)),
            Self::Free { block, .. } => (Some(block), None),
            Self::Go(_) | Self::GoSwitch => (None, None),
        };
        let sizes = match size {
            Some(Size::Param(size) | Size::Less(size, _)) => [Some(size), None],
            Some(Size::Product(count, each)) => [Some(count), Some(each)],
            None => [None, None],
        };
        block.into_iter().chain(sizes.into_iter().flatten())
    }
}

/// Where the bytes asked for stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// In this parameter.
    Param(u32),
    /// In two, to be multiplied.
    Product(u32, u32),
    /// In this parameter, which has so many bytes of the allocator's own in it: the function is below all others that
    /// are hooked, and calls none of them.
    Less(u32, u32),
}

/// A function of Go's allocator, type `(i32) -> i32`: its argument says where to resume; its result is 1 when the
/// goroutine is being switched and the call is not over. At its end global 0, the stack pointer, points at the
/// arguments. Offsets are from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoAlloc {
    /// Bytes that the block takes: the size class, as Go's own profile counts.
    pub size: GoSize,
    /// Where the block's address stands when only addresses that are multiples of 16 are new blocks (the tiny
    /// allocator puts several objects into one block).
    pub tiny_result: Option<u32>,
}

/// Where the size of a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoSize {
    /// The function serves one size class.
    Const(u32),
    /// In 8 bytes at this offset.
    At(u32),
}
