//! How much memory decoding takes, whatever a file claims: allocations are counted.
#![expect(clippy::expect_used, reason = "what a test cannot do without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use proto::codec::ErrorKind;
use proto::formats::{ReadError, Reader};
use proto::{FunctionSpec, Limits, Line, Profile, ProfileBuilder, decode, encode, encode_gzip};

/// The system's allocator, and the most that was ever allocated at once.
struct Counting {
    allocated: AtomicUsize,
    peak: AtomicUsize,
}

#[global_allocator]
static ALLOCATOR: Counting = Counting { allocated: AtomicUsize::new(0), peak: AtomicUsize::new(0) };

impl Counting {
    fn add(&self, size: usize) {
        let allocated = self.allocated.fetch_add(size, Ordering::Relaxed) + size;
        self.peak.fetch_max(allocated, Ordering::Relaxed);
    }

    fn subtract(&self, size: usize) {
        self.allocated.fetch_sub(size, Ordering::Relaxed);
    }
}

// SAFETY: all calls go to the system's allocator as they came; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it is copied there are both.
        self.add(size);
        self.subtract(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.subtract(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

const MB: usize = 1 << 20;

/// A gzip of `n_chunks` × 16 MiB of zeros in one member, made of one chunk's deflate stream again and again.
fn zeros(n_chunks: usize) -> Vec<u8> {
    let chunk = vec![0; 16 * MB];
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&chunk).and_then(|()| encoder.flush()).expect("a Vec takes all");
    let deflated = encoder.get_ref().clone();
    let mut chunk_crc = Crc::new();
    chunk_crc.update(&chunk);
    let mut crc = Crc::new();
    (0..n_chunks).for_each(|_| crc.combine(&chunk_crc));
    // RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    file.extend(deflated.repeat(n_chunks));
    // RFC 1951: a last block, of fixed codes, that ends at once.
    file.extend([0x03, 0x00]);
    file.extend(crc.sum().to_le_bytes());
    file.extend(crc.amount().to_le_bytes());
    file
}

/// The error of `file`, and how much memory it took to find it beside the file's own.
fn refuse(file: &[u8], limits: Limits) -> (ErrorKind, usize) {
    let before = ALLOCATOR.allocated.load(Ordering::Relaxed);
    ALLOCATOR.peak.store(before, Ordering::Relaxed);
    let kind = decode(file, &limits).expect_err("no profile").kind().clone();
    (kind, ALLOCATOR.peak.load(Ordering::Relaxed) - before)
}

/// The same of a file that is pushed.
fn refuse_pieces(file: &[u8], limits: Limits) -> (ErrorKind, usize) {
    let before = ALLOCATOR.allocated.load(Ordering::Relaxed);
    ALLOCATOR.peak.store(before, Ordering::Relaxed);
    let mut reader = Reader::new(&limits);
    reader.expect(file.len() as u64);
    // The error comes again at the end.
    let _pushed = file.chunks(MB).try_for_each(|it| reader.push(it));
    let Err(ReadError::Profile(error)) = reader.finish_salvaged() else { unreachable!("no other format") };
    (error.kind().clone(), ALLOCATOR.peak.load(Ordering::Relaxed) - before)
}

/// A profile of stacks as long and ids as large as a big program's, and all different.
fn big() -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let function = builder.function(FunctionSpec { name: "work", ..FunctionSpec::default() });
    let locations: Vec<_> =
        (0..40_000).map(|it| builder.location(None, it, &[Line { function, line: 1, column: 0 }])).collect();
    for sample in 0..100_000 {
        let stack: Vec<_> =
            (0..70).map(|depth| locations[(sample * 7919 + depth * (13 + sample / 40_000)) % 40_000]).collect();
        builder.sample(&stack, &[1, 10], &[]);
    }
    builder.finish()
}

/// How much memory reading `file` took at most, beside it, and how much the profile then has.
fn read_pieces(file: &[u8]) -> [usize; 2] {
    let before = ALLOCATOR.allocated.load(Ordering::Relaxed);
    ALLOCATOR.peak.store(before, Ordering::Relaxed);
    let mut reader = Reader::new(&Limits::default());
    reader.expect(file.len() as u64);
    file.chunks(MB).try_for_each(|it| reader.push(it)).expect("it is sound");
    let profile = reader.finish().expect("it is sound");
    assert_eq!(profile.n_samples(), 100_000);
    [ALLOCATOR.peak.load(Ordering::Relaxed), ALLOCATOR.allocated.load(Ordering::Relaxed)].map(|it| it - before)
}

/// One test, as another at the same time would be counted with it.
#[test]
fn what_is_refused_is_refused_in_little_memory() {
    let limits = Limits::default();
    let too_large = |limit| ErrorKind::TooLarge { limit };

    let bomb = zeros(192);
    assert!(bomb.len() < 4 * MB, "{} bytes", bomb.len());
    let (kind, peak) = refuse(&bomb, limits);
    assert_eq!(kind, too_large(limits.max_inflated));
    assert!(peak < 200 * MB, "3 GiB in one member took {} MB", peak / MB);

    // As many members, each of them small.
    let (kind, peak) = refuse(&zeros(1).repeat(192), limits);
    assert_eq!(kind, too_large(limits.max_inflated));
    assert!(peak < 200 * MB, "3 GiB in 192 members took {} MB", peak / MB);

    // What is within the limit is read, and refused for what it is.
    let (kind, peak) = refuse(&zeros(6), limits);
    assert!(matches!(kind, ErrorKind::Wire { .. }), "{kind:?}");
    assert!(peak < 3 * 96 * MB, "96 MiB took {} MB", peak / MB);
    let small = Limits { max_inflated: 95 << 20 };
    assert_eq!(refuse(&zeros(6), small).0, too_large(95 << 20));

    // Lengths that are not there: a sample's, a text's, a stack's.
    let stack = [0_u64, 3, 0, 1, 0, 1, u64::MAX].map(u64::to_le_bytes).concat();
    for file in [&[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x32, 0xff, 0xff, 0xff, 0xff, 0x0f], &stack] {
        let (kind, peak) = refuse(file, limits);
        assert!(peak < MB, "{kind:?} took {peak} bytes");
    }

    // The same in pieces; and one field that is as long as the limit, or a little less.
    for length in [[0xff, 0xff, 0xff, 0xff, 0x07], [0x80, 0x80, 0x80, 0x80, 0x06]] {
        let field = encode_field(&[&[0x12][..], &length].concat());
        for file in [&bomb, &[field, bomb.clone()].concat()] {
            let (kind, peak) = refuse_pieces(file, limits);
            assert_eq!(kind, too_large(limits.max_inflated));
            assert!(peak < 200 * MB, "3 GiB in pieces took {} MB", peak / MB);
            assert!(refuse(file, limits).1 < 200 * MB);
        }
    }
    let (kind, peak) = refuse_pieces(&zeros(6), limits);
    assert!(matches!(kind, ErrorKind::Wire { .. }), "{kind:?}");
    assert!(peak < 3 * 96 * MB, "96 MiB took {} MB", peak / MB);

    // What is read takes little more than it comes to.
    let profile = big();
    let message = encode(&profile);
    let file = encode_gzip(&profile);
    drop(profile);
    let ids = 7_000_000 * 4;
    // How much a gzip will inflate to is a guess, and the column may have to move once.
    for (file, n_quarters) in [(&message, 1), (&file, 3)] {
        let [peak, own] = read_pieces(file);
        assert!(own < ids + ids / 2, "{own} bytes");
        assert!(peak < own + own / 4 * n_quarters + 5 * MB, "{own} bytes took {peak}");
    }
}

/// A gzip member of these bytes.
fn encode_field(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes all")
}
