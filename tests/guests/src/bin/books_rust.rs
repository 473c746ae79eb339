//! Keeps books of all that it allocates, by std's collections and by `std::alloc`, and prints them: `books_rust`. It is also
//! built for wasm32-unknown-unknown, where the allocator is Rust's own, as `books_bare`.

#[path = "../books.rs"]
mod books;

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::mem::forget;
use std::rc::Rc;

use books::{book_alloc, book_free, book_realloc, print_books};

fn main() {
    for round in 1..=20 {
        boxes(round);
        vectors(round);
        by_layout(round);
    }
    many_sizes(2000);
    // At the very end, as it leaves little room for others if it is done.
    site_realloc_huge(site_alloc(layout(8, 8)), layout(8, 8));
    print_books();
}

#[inline(never)]
fn site_box() -> Box<[u64; 3]> {
    let made = black_box(Box::new([1, 2, 3]));
    book_alloc("site_box", &raw const *made, size_of::<[u64; 3]>());
    made
}

#[inline(never)]
fn site_box_of_bytes() -> Box<[u8; 5]> {
    let made = black_box(Box::new([1; 5]));
    book_alloc("site_box_of_bytes", &raw const *made, 5);
    made
}

#[inline(never)]
fn site_rc() -> Rc<u64> {
    let made = black_box(Rc::new(7));
    // Two counts lie before the value.
    let counts = size_of::<[usize; 2]>();
    book_alloc("site_rc", Rc::as_ptr(&made).wrapping_byte_sub(counts), counts + size_of::<u64>());
    made
}

#[inline(never)]
fn site_recursive(depth: usize) -> Box<u32> {
    if depth > 0 {
        return black_box(site_recursive(black_box(depth - 1)));
    }
    let made = black_box(Box::new(7));
    book_alloc("site_recursive", &raw const *made, 4);
    made
}

fn boxes(round: usize) {
    forget(site_box());
    drop_box(site_box());
    forget(site_box_of_bytes());
    drop_box(site_box_of_bytes());
    forget(site_rc());
    forget(site_recursive(round));
    drop_box(site_recursive(2 * round));
}

#[inline(never)]
fn drop_box<T>(block: Box<T>) {
    book_free(&raw const *block);
    drop(block);
}

/// A vector's block: where and how many bytes; none if it has no capacity.
fn block<T>(vec: &Vec<T>) -> (*const T, usize) {
    (vec.as_ptr(), vec.capacity() * size_of::<T>())
}

#[inline(never)]
#[expect(clippy::same_item_push, reason = "growth step by step is the point")]
fn site_vec_push(n: usize) -> Vec<u64> {
    let mut vec = Vec::new();
    for _ in 0..n {
        let old = block(&vec);
        vec.push(black_box(7));
        book_realloc("site_vec_push", old, block(&vec));
    }
    vec
}

#[inline(never)]
fn site_with_capacity(n: usize) -> Vec<u32> {
    let vec = black_box(Vec::with_capacity(n));
    book_alloc("site_with_capacity", vec.as_ptr(), 4 * n);
    vec
}

#[inline(never)]
fn site_zeroed(n: usize) -> Vec<u16> {
    let vec = black_box(vec![0; n]);
    book_alloc("site_zeroed", vec.as_ptr(), 2 * n);
    vec
}

#[inline(never)]
fn site_collect(n: usize) -> Vec<usize> {
    let vec: Vec<usize> = black_box((0..n).map(|i| i * i).collect());
    book_alloc("site_collect", vec.as_ptr(), n * size_of::<usize>());
    vec
}

#[inline(never)]
fn site_reserve_exact(mut vec: Vec<u32>, more: usize) -> Vec<u32> {
    let old = block(&vec);
    vec.resize(vec.capacity(), 7);
    vec.reserve_exact(more);
    book_realloc("site_reserve_exact", old, block(&vec));
    vec
}

/// To no capacity at all if `len` is 0, which frees the block.
#[inline(never)]
fn site_shrink_to_fit(mut vec: Vec<u32>, len: usize) -> Vec<u32> {
    let old = block(&vec);
    vec.truncate(len);
    vec.shrink_to_fit();
    book_realloc("site_shrink_to_fit", old, block(&vec));
    vec
}

#[inline(never)]
fn site_boxed_slice(mut vec: Vec<u32>) -> Box<[u32]> {
    let old = block(&vec);
    vec.truncate(3);
    let slice = black_box(vec.into_boxed_slice());
    book_realloc("site_boxed_slice", old, (slice.as_ptr(), size_of_val(&*slice)));
    slice
}

#[inline(never)]
fn site_string(n: usize) -> String {
    let mut text = String::new();
    for _ in 0..n {
        let old = (text.as_ptr(), text.capacity());
        text.push_str("some more text; ");
        book_realloc("site_string", old, (text.as_ptr(), text.capacity()));
    }
    text
}

#[inline(never)]
fn site_to_owned(text: &str) -> String {
    let owned = black_box(text.to_owned());
    book_alloc("site_to_owned", owned.as_ptr(), owned.capacity());
    owned
}

fn vectors(round: usize) {
    drop_vec(site_vec_push(50 * round));
    forget(site_vec_push(round));
    drop_vec(site_zeroed(100 * round));
    forget(site_zeroed(100 * round));
    forget(site_collect(round));
    let vec = site_reserve_exact(site_with_capacity(10 * round), 1000);
    let vec = site_shrink_to_fit(site_reserve_exact(vec, 100_000), 500);
    forget(site_boxed_slice(vec));
    drop_vec(site_shrink_to_fit(site_with_capacity(round), 0));
    forget(site_string(round));
    drop_vec(site_string(3 * round).into_bytes());
    forget(site_to_owned("a text of some length"));
    drop_vec(site_to_owned("another one").into_bytes());
}

#[inline(never)]
fn drop_vec<T>(vec: Vec<T>) {
    book_free(vec.as_ptr());
    drop(vec);
}

#[inline(never)]
fn site_alloc(layout: Layout) -> *mut u8 {
    // SAFETY: no layout here has size 0.
    let made = unsafe { alloc(layout) };
    book_alloc("site_alloc", made, layout.size());
    made
}

#[inline(never)]
fn site_alloc_aligned(layout: Layout) -> *mut u8 {
    // SAFETY: as above.
    let made = unsafe { alloc(layout) };
    assert_eq!(made.addr() % layout.align(), 0);
    book_alloc("site_alloc_aligned", made, layout.size());
    made
}

#[inline(never)]
fn site_alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: as above.
    let made = unsafe { alloc_zeroed(layout) };
    book_alloc("site_alloc_zeroed", made, layout.size());
    made
}

/// More than there may be room for: then it returns null.
#[inline(never)]
fn site_alloc_huge(layout: Layout) -> *mut u8 {
    // SAFETY: as above.
    let made = unsafe { alloc(layout) };
    book_alloc("site_alloc_huge", made, layout.size());
    made
}

#[inline(never)]
fn site_realloc(old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: `old` is of this layout, and the new size is not 0.
    let made = unsafe { realloc(old, layout, size) };
    book_realloc("site_realloc", (old, layout.size()), (made, size));
    made
}

/// Where there is no room for it, it fails, and the old block stays.
#[inline(never)]
fn site_realloc_huge(old: *mut u8, layout: Layout) -> *mut u8 {
    // SAFETY: as above.
    let made = unsafe { realloc(old, layout, 1 << 30) };
    if !made.is_null() {
        book_free(old);
    }
    book_alloc("site_realloc_huge", made, 1 << 30);
    made
}

#[inline(never)]
fn free(block: *mut u8, layout: Layout) {
    if block.is_null() {
        return;
    }
    book_free(block);
    // SAFETY: it is of this layout, and freed once.
    unsafe { dealloc(block, layout) };
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap_or(Layout::new::<u64>())
}

fn by_layout(round: usize) {
    for align in [1, 2, 4, 8, 16, 64, 1024] {
        // A size that is no multiple of the alignment is rounded up by some versions of std.
        let (small, big) = (layout(round * align, align), layout(30 * round * align, align));
        site_alloc(small);
        free(site_alloc(small), small);
        site_alloc_zeroed(small);
        free(site_alloc_zeroed(big), big);
        free(site_realloc(site_alloc(small), small, big.size()), big);
        site_realloc(site_alloc(big), big, small.size());
        site_alloc_aligned(small);
        free(site_alloc_aligned(big), big);
        let huge = layout(1 << 30, align);
        free(site_alloc_huge(huge), huge);
    }
}

/// Many blocks, freed in no order.
fn many_sizes(n: usize) {
    let mut slots = [(std::ptr::null_mut(), layout(8, 8)); 100];
    let mut random = 1_u32;
    for _ in 0..n {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let slot = &mut slots[(random >> 8) as usize % 100];
        free(slot.0, slot.1);
        let new = layout(8 * (1 + (random >> 20) as usize), 8);
        *slot = (site_alloc(new), new);
    }
}
