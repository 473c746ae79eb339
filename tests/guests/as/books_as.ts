// An AssemblyScript guest that keeps books of what it allocates, by hand (heap.alloc and its like) and as objects, of which
// the collector frees all that are not kept, and prints them.

// @ts-ignore: decorators of functions are AssemblyScript's own
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: u32, parts: usize, n_parts: u32, n_written: usize): u32;

// @ts-ignore: as above
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: u32): void;

/** In place of the import that a browser's glue would offer. */
export function on_abort(message: string | null, file: string | null, line: u32, column: u32): void {
  proc_exit(1);
}

// The books: for each site, objects and bytes allocated, then objects and bytes live. In static memory, as are these texts.
enum Site {
  Alloc, AllocZero, Realloc, ReallocInPlace, Point, Named, StaticArray, Array, Push, Concat, Recursive, Start, Garbage, N
}
const NAMES: StaticArray<string> = [
  "site_alloc", "site_alloc_zero", "site_realloc", "site_realloc_in_place", "site_point", "site_named",
  "site_static_array", "site_array", "site_push", "site_concat", "site_recursive", "site_start", "site_garbage"
];
const ROWS: usize = memory.data(512);

function add(site: Site, column: usize, objects: i64, bytes: i64): void {
  const row = ROWS + (<usize>site << 5) + (column << 3);
  store<u64>(row, load<u64>(row) + objects);
  store<u64>(row, load<u64>(row, 8) + bytes, 8);
}

function book(site: Site, bytes: usize): void {
  add(site, 0, 1, bytes);
  add(site, 2, 1, bytes);
}

function unbook(site: Site, bytes: usize): void {
  add(site, 2, -1, -<i64>bytes);
}

// By hand: to the byte, and freed at once.

export function site_alloc(n: usize): usize {
  const block = heap.alloc(n);
  book(Site.Alloc, n);
  return block;
}

export function site_alloc_zero(): usize {
  return heap.alloc(0); // no bytes are no block to a profile
}

export function site_realloc(old: usize, n: usize): usize {
  const block = heap.realloc(old, n);
  book(Site.Realloc, n);
  return block;
}

export function site_realloc_in_place(old: usize, n: usize): usize {
  const block = heap.realloc(old, n);
  if (block != old) proc_exit(2);
  book(Site.ReallocInPlace, n);
  return block;
}

// So small that they would be inlined where they are called; they are not if only memory knows which is called.
const ALLOC: StaticArray<(n: usize) => usize> = [site_alloc];
const REALLOC: StaticArray<(old: usize, n: usize) => usize> = [site_realloc, site_realloc_in_place];
const POINT: StaticArray<() => Point> = [site_point];

function by_hand(round: usize): void {
  heap.free(site_alloc_zero());
  for (let n: usize = 1; n < 5000; n += 97 + round) {
    ALLOC[0](n);
    heap.free(ALLOC[0](2 * n));
    unbook(Site.Alloc, 2 * n);

    let block = ALLOC[0](n);
    block = REALLOC[0](block, 30 * n);
    unbook(Site.Alloc, n);
    block = REALLOC[1](block, 15 * n);
    unbook(Site.Realloc, 30 * n);
    if (n % 2) continue;
    heap.free(block);
    unbook(Site.ReallocInPlace, 15 * n);
  }
}

// Objects. What a site makes for good is in use to the end; all else the collector has freed by then.

@final class Point {
  x: f64 = 1;
  y: f64 = 2;
  z: f32 = 3;
}

@final class Named {
  next: Named | null = null;
  point: Point = new Point();
  constructor(public name: string) {}
}

const kept: StaticArray<Object | null> = site_start(1000);
let n_kept = 0;

function keep(object: Object): void {
  kept[n_kept++] = object;
}

/** Called while the module starts, before there is anyone to say so. */
export function site_start(n: i32): StaticArray<Object | null> {
  book(Site.Start, n * sizeof<usize>());
  return new StaticArray<Object | null>(n);
}

export function site_point(): Point {
  book(Site.Point, offsetof<Point>());
  return new Point();
}

/** Two objects at a time. */
export function site_named(name: string): Named {
  book(Site.Named, offsetof<Named>());
  book(Site.Named, offsetof<Point>());
  return new Named(name);
}

export function site_static_array(n: i32): StaticArray<u16> {
  book(Site.StaticArray, 2 * n);
  return new StaticArray<u16>(n);
}

/** The array, and the buffer behind it, which has room for 8 at least. */
export function site_array(n: i32): Array<i32> {
  book(Site.Array, offsetof<Array<i32>>());
  book(Site.Array, 4 * max(n, 8));
  return new Array<i32>(n);
}

/** Its buffer doubles when it is full; the old one is garbage then. */
export function site_push(array: Array<i32>, n: i32): void {
  for (let i = 0; i < n; i++) {
    const old_start = array.dataStart, old_bytes = capacity(array);
    array.push(i);
    if (array.dataStart == old_start) continue;
    if (old_bytes > 0) unbook(old_bytes == 32 ? Site.Array : Site.Push, old_bytes);
    book(Site.Push, capacity(array));
  }
}

/** In bytes: the third of an array's fields. */
function capacity(array: Array<i32>): usize {
  return load<u32>(changetype<usize>(array), 8);
}

export function site_concat(a: string, b: string): string {
  book(Site.Concat, 2 * (a.length + b.length));
  return a + b;
}

export function site_recursive(depth: i32): Point {
  if (depth > 0) return site_recursive(depth - 1);
  book(Site.Recursive, offsetof<Point>());
  return new Point();
}

/** So much that the collector runs by itself, in the middle of an allocation. */
export function site_garbage(): void {
  for (let n = 1; n < 3000; n++) {
    new StaticArray<u8>(n);
    add(Site.Garbage, 0, 1, n);
  }
}

function objects(): void {
  for (let i = 1; i <= 50; i++) {
    keep(POINT[0]());
    POINT[0]();
    unbook(Site.Point, offsetof<Point>());
    site_named("garbage");
    unbook(Site.Named, offsetof<Named>());
    unbook(Site.Named, offsetof<Point>());
    keep(site_named("kept"));
    site_static_array(10 * i);
    unbook(Site.StaticArray, 20 * i);
    keep(site_static_array(i));
    const array = site_array(8);
    site_push(array, 20 * i);
    keep(array);
    keep(changetype<Object>(site_concat("the one and ", "the other")));
    site_concat("garbage", "");
    unbook(Site.Concat, 14);
    keep(site_recursive(i));
    site_garbage();
  }
}

export function _start(): void {
  by_hand(0);
  objects();
  __collect();
  by_hand(1);
  print_books();
}

// Printing, without a string that is not there already.

const LINE: usize = memory.data(256);
let length: usize = 0;

function put(char: u32): void {
  store<u8>(LINE + length++, char);
}

function put_text(text: string): void {
  for (let i = 0; i < text.length; i++) put(text.charCodeAt(i));
}

function put_number(number: u64): void {
  put(0x20);
  let digit: u64 = 1;
  while (number / digit >= 10) digit *= 10;
  for (; digit > 0; digit /= 10) put(0x30 + <u32>(number / digit % 10));
}

const PARTS: usize = memory.data(16);

function print_books(): void {
  for (let site = 0; site < Site.N; site++) {
    length = 0;
    put_text("site ");
    put_text(NAMES[site]);
    for (let column = 0; column < 4; column++) put_number(load<u64>(ROWS + (<usize>site << 5) + (column << 3)));
    put(0x0a);
    store<usize>(PARTS, LINE);
    store<usize>(PARTS, length, 4);
    fd_write(1, PARTS, 1, PARTS + 8);
  }
}
