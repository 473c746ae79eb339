//! Books that a guest keeps of its own allocations, a row for each site: the truth that heap profiles are held against. As
//! `c/books.h`, and like it in static memory.

use std::sync::Mutex;

const MAX_SITES: usize = 48;
const MAX_BLOCKS: usize = 1 << 14;
const N_BUCKETS: usize = 1 << 12;

#[derive(Clone, Copy)]
struct Row {
    site: &'static str,
    alloc_objects: u64,
    alloc_bytes: u64,
    inuse_objects: u64,
    inuse_bytes: u64,
}

/// A live block, in a chain of those whose addresses fall into one bucket.
#[derive(Clone, Copy)]
struct Block {
    address: usize,
    bytes: usize,
    row: usize,
    next: usize,
}

struct Books {
    rows: [Row; MAX_SITES],
    n_rows: usize,
    /// 0 is none.
    blocks: [Block; MAX_BLOCKS],
    n_blocks: usize,
    free_blocks: usize,
    buckets: [usize; N_BUCKETS],
}

static BOOKS: Mutex<Books> = Mutex::new(Books {
    rows: [Row { site: "", alloc_objects: 0, alloc_bytes: 0, inuse_objects: 0, inuse_bytes: 0 }; MAX_SITES],
    n_rows: 0,
    blocks: [Block { address: 0, bytes: 0, row: 0, next: 0 }; MAX_BLOCKS],
    n_blocks: 1,
    free_blocks: 0,
    buckets: [0; N_BUCKETS],
});

fn with(work: impl FnOnce(&mut Books)) {
    work(&mut BOOKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
}

/// A call at `site` returned `address` for a request of `bytes`; null or no bytes are no block.
#[inline(never)]
pub(crate) fn book_alloc<T>(site: &'static str, address: *const T, bytes: usize) {
    with(|books| books.alloc(site, address.addr(), bytes));
}

/// The block is freed. Nothing if it was not booked.
#[inline(never)]
pub(crate) fn book_free<T>(address: *const T) {
    with(|books| books.free(address.addr()));
}

/// A block may have moved or changed its size, or come to be, or gone: nothing happens if neither place nor size changed.
#[inline(never)]
pub(crate) fn book_realloc<T>(site: &'static str, old: (*const T, usize), new: (*const T, usize)) {
    if old == new {
        return;
    }
    with(|books| {
        if old.1 > 0 {
            books.free(old.0.addr());
        }
        books.alloc(site, new.0.addr(), new.1);
    });
}

/// Prints a line for each site.
pub(crate) fn print_books() {
    with(|books| {
        for row in &books.rows[..books.n_rows] {
            let Row { site, alloc_objects, alloc_bytes, inuse_objects, inuse_bytes } = row;
            print(format_args!("site {site} {alloc_objects} {alloc_bytes} {inuse_objects} {inuse_bytes}\n"));
        }
    });
}

impl Books {
    fn alloc(&mut self, site: &'static str, address: usize, bytes: usize) {
        let row_idx = self.row(site);
        if address == 0 || bytes == 0 {
            return;
        }
        let block_idx = if self.free_blocks > 0 {
            let block_idx = self.free_blocks;
            self.free_blocks = self.blocks[block_idx].next;
            block_idx
        } else {
            self.n_blocks += 1;
            self.n_blocks - 1
        };
        let first = &mut self.buckets[bucket(address)];
        self.blocks[block_idx] = Block { address, bytes, row: row_idx, next: *first };
        *first = block_idx;
        let row = &mut self.rows[row_idx];
        row.alloc_objects += 1;
        row.alloc_bytes += bytes as u64;
        row.inuse_objects += 1;
        row.inuse_bytes += bytes as u64;
    }

    fn free(&mut self, address: usize) {
        let mut before = 0;
        let mut block_idx = self.buckets[bucket(address)];
        while block_idx > 0 {
            let block = self.blocks[block_idx];
            if block.address == address {
                let row = &mut self.rows[block.row];
                row.inuse_objects -= 1;
                row.inuse_bytes -= block.bytes as u64;
                if before > 0 {
                    self.blocks[before].next = block.next;
                } else {
                    self.buckets[bucket(address)] = block.next;
                }
                self.blocks[block_idx].next = self.free_blocks;
                self.free_blocks = block_idx;
                return;
            }
            before = block_idx;
            block_idx = block.next;
        }
    }

    fn row(&mut self, site: &'static str) -> usize {
        let found = self.rows[..self.n_rows].iter().position(|row| row.site == site);
        found.unwrap_or_else(|| {
            self.rows[self.n_rows].site = site;
            self.n_rows += 1;
            self.n_rows - 1
        })
    }
}

fn bucket(address: usize) -> usize {
    (address >> 3).wrapping_mul(2_654_435_761) >> 16 & (N_BUCKETS - 1)
}

#[cfg(target_os = "wasi")]
fn print(text: std::fmt::Arguments<'_>) {
    print!("{text}");
}

/// Without an operating system std prints nothing, but wprof offers WASI's functions to whoever imports them.
#[cfg(not(target_os = "wasi"))]
fn print(text: std::fmt::Arguments<'_>) {
    #[repr(C)]
    struct Part {
        start: *const u8,
        len: usize,
    }
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn fd_write(fd: u32, parts: *const Part, n_parts: usize, n_written: *mut usize) -> u32;
    }
    let text = text.to_string();
    let part = Part { start: text.as_ptr(), len: text.len() };
    let mut n_written = 0;
    // SAFETY: one part, which lies in `text`; the two pointers are good for the call.
    unsafe { fd_write(1, &raw const part, 1, &raw mut n_written) };
}
