// A C guest whose heap is highest in the middle of its run: it grows, shrinks, grows to its peak in other sites, and ends
// with less. Prints its books as they were at the highest moment (`site …`), what is live at the end (`end …`), and how many
// pages its memory began and ended with.
#include "books.h"

extern char __heap_end; // the linker's: where the memory that the module begins with ends

static struct row at_peak[MAX_SITES];
static int n_at_peak;
static uint64_t peak_bytes;

__attribute__((noinline)) static void note_peak(void) {
    if (live_bytes <= peak_bytes) return;
    peak_bytes = live_bytes;
    memcpy(at_peak, rows, sizeof rows);
    n_at_peak = n_rows;
}

SITE void *site_early(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    note_peak();
    return p;
}

SITE void *site_high(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    note_peak();
    return p;
}

SITE void *site_grown(void *old, size_t n) {
    void *p = realloc(old, n);
    book_realloc(__func__, old, p, n);
    note_peak();
    return p;
}

SITE void *site_late(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    note_peak();
    return p;
}

__attribute__((noinline)) static void drop(void *p) {
    book_free(p);
    free(p);
}

enum { N = 1000 };

int main(void) {
    static void *early[N], *high[N], *late[N];
    size_t initial = (size_t)&__heap_end >> 16;
    for (int i = 0; i < N; i++) early[i] = site_early(3000); // 3 MB
    for (int i = 0; i < N; i += 2) drop(early[i]);           // 1.5 MB
    for (int i = 0; i < N; i++) high[i] = site_high(100 + 10 * (size_t)i); // 6.6 MB
    void *grown = NULL;
    // 8.6 MB, the peak: a block that grows is never there twice.
    for (int i = 1; i <= 100; i++) grown = site_grown(grown, 20000 * (size_t)i);
    for (int i = 0; i < N; i++) drop(high[i]); // 3.5 MB
    grown = site_grown(grown, 700000);
    for (int i = 0; i < N; i++) late[i] = site_late(4000); // 6.2 MB
    for (int i = 0; i < N; i++)
        if (i % 4) drop(late[i]);
    print_books(at_peak, n_at_peak);
    for (int row = 0; row < n_rows; row++)
        printf("end %s %" PRIu64 " %" PRIu64 "\n", rows[row].site, rows[row].inuse_objects, rows[row].inuse_bytes);
    printf("pages initial %zu\npages final %zu\n", initial, (size_t)__builtin_wasm_memory_size(0));
    return 0;
}
