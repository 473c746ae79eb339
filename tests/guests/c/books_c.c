// A C guest that keeps books of all it allocates, in every way that C has, and prints them. `books_c [ROUNDS]` does all of it
// ROUNDS times (3), about 10,000 calls each.
#include "books.h"
#include <errno.h>

void *memalign(size_t align, size_t n); // it is there, but no header says so

#define HUGE_SIZE ((size_t)3 << 30) // more than there is room for

SITE void *site_malloc(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    return p;
}

SITE void *site_malloc_small(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    return p;
}

SITE void *site_malloc_big(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    return p;
}

SITE void site_malloc_huge(void) {
    void *p = malloc(HUGE_SIZE);
    book_alloc(__func__, p, HUGE_SIZE);
    if (p) abort();
}

SITE void *site_malloc_zero(void) {
    void *p = malloc(0);
    book_alloc(__func__, p, 0);
    return p;
}

SITE void *site_calloc(size_t n, size_t size) {
    char *p = calloc(n, size);
    book_alloc(__func__, p, n * size);
    if (p && (p[0] || p[n * size - 1])) abort();
    return p;
}

SITE void site_calloc_overflow(size_t n) {
    void *p = calloc(n, n); // n * n does not fit
    book_alloc(__func__, p, 1);
    if (p) abort();
}

SITE void *site_realloc_up(void *old, size_t n) {
    void *p = realloc(old, n);
    book_realloc(__func__, old, p, n);
    return p;
}

SITE void *site_realloc_down(void *old, size_t n) {
    void *p = realloc(old, n);
    book_realloc(__func__, old, p, n);
    return p;
}

SITE void *site_realloc_in_place(void *old, size_t n) {
    void *p = realloc(old, n);
    book_realloc(__func__, old, p, n);
    return p;
}

SITE void *site_realloc_null(size_t n) {
    void *p = realloc(NULL, n);
    book_realloc(__func__, NULL, p, n);
    return p;
}

SITE void *site_realloc_huge(void *old) {
    void *p = realloc(old, HUGE_SIZE);
    book_realloc(__func__, old, p, HUGE_SIZE);
    if (p) abort();
    return old; // is kept
}

SITE void *site_realloc_zero(void *old) {
    void *p = realloc(old, 0);
    book_realloc(__func__, old, p, 0);
    return p;
}

SITE void *site_reallocarray(void *old, size_t n, size_t size) {
    void *p = reallocarray(old, n, size);
    book_realloc(__func__, old, p, n * size);
    return p;
}

SITE void *site_reallocarray_overflow(void *old, size_t n) {
    void *p = reallocarray(old, n, n);
    book_realloc(__func__, old, p, 1);
    if (p) abort();
    return old;
}

SITE void *site_aligned_alloc(size_t align, size_t n) {
    void *p = aligned_alloc(align, n);
    book_alloc(__func__, p, n);
    if ((uintptr_t)p % align) abort();
    return p;
}

SITE void *site_memalign(size_t align, size_t n) {
    void *p = memalign(align, n);
    book_alloc(__func__, p, n);
    if ((uintptr_t)p % align) abort();
    return p;
}

SITE void *site_posix_memalign(size_t align, size_t n) {
    void *p = NULL;
    if (posix_memalign(&p, align, n)) abort();
    book_alloc(__func__, p, n);
    if ((uintptr_t)p % align) abort();
    return p;
}

// What a failed call leaves in `p` is a block of another site's, and no new one.
SITE void site_posix_memalign_fails(void *p) {
    void *before = p;
    if (posix_memalign(&p, 2, 64) != EINVAL) abort();
    if (posix_memalign(&p, 16, HUGE_SIZE) != ENOMEM) abort();
    if (p != before) abort();
    book_alloc(__func__, NULL, 1);
}

SITE char *site_strdup(const char *text) {
    char *copy = strdup(text);
    book_alloc(__func__, copy, strlen(text) + 1);
    return copy;
}

SITE char *site_asprintf(const char *text, int number) {
    char *made = NULL;
    int length = asprintf(&made, "%s %d", text, number);
    book_alloc(__func__, made, (size_t)length + 1);
    return made;
}

// The allocator as a value: it is called through the module's table.
static void *(*volatile allocate)(size_t) = malloc;
static void (*volatile release)(void *) = free;

SITE void *site_by_pointer(size_t n) {
    void *p = allocate(n);
    book_alloc(__func__, p, n);
    return p;
}

SITE void *site_recursive(int depth, size_t n) {
    if (depth > 0) {
        void *p = site_recursive(depth - 1, n);
        __asm__ volatile("" ::: "memory"); // so that it stays a call
        return p;
    }
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    return p;
}

// Two sites, one under the other: what the inner one allocates is not the outer one's.
SITE void *site_inner(size_t n) {
    void *p = malloc(n);
    book_alloc(__func__, p, n);
    return p;
}

SITE void *site_outer(size_t n, void **inner) {
    *inner = site_inner(n);
    void *p = malloc(2 * n);
    book_alloc(__func__, p, 2 * n);
    return p;
}

__attribute__((noinline)) static void drop(void *p) {
    book_free(p);
    free(p);
}

__attribute__((noinline)) static void drop_by_pointer(void *p) {
    book_free(p);
    release(p);
}

static void each_way_once(size_t n) {
    drop(site_malloc_zero());
    drop(NULL);
    site_malloc_huge();
    site_calloc_overflow((size_t)1 << 20);
    site_calloc(n, 24);
    drop(site_calloc(3, n));

    void *p = site_malloc(n);
    p = site_realloc_in_place(p, n + 1);
    p = site_realloc_up(p, 50 * n);
    p = site_realloc_huge(p);
    p = site_reallocarray_overflow(p, (size_t)1 << 20);
    p = site_realloc_down(p, 3);
    p = site_realloc_up(p, 200000);
    p = site_realloc_down(p, 100000);
    p = site_reallocarray(p, n, 12);
    site_posix_memalign_fails(p);
    drop(site_realloc_zero(p)); // frees it, whatever it returns
    drop(site_realloc_zero(NULL));
    site_realloc_up(site_realloc_null(n), 7 * n);
    drop(site_realloc_null(5));

    for (size_t align = 16; align <= 4096; align *= 4) {
        site_aligned_alloc(align, 2 * align);
        drop(site_aligned_alloc(align, align));
        drop(site_memalign(align, n));
        site_posix_memalign(align, n + align);
        site_realloc_up(site_posix_memalign(align, n), 3 * n + align);
    }
    site_strdup("a text of some length");
    drop(site_strdup(""));
    drop(site_asprintf("the round's size is", (int)n));
    site_asprintf("kept", (int)n);
    site_by_pointer(n);
    drop_by_pointer(site_by_pointer(2 * n));
    for (int depth = 0; depth < 40; depth += 13) {
        site_recursive(depth, n);
        drop(site_recursive(depth, 9));
    }
    void *inner;
    drop(site_outer(n, &inner));
    drop(inner);
    site_outer(n, &inner);
}

enum { N_SLOTS = 700 };

// Many blocks of many sizes, freed in no order.
static void at_random(int n_steps) {
    static void *slots[N_SLOTS];
    for (int step = 0; step < n_steps; step++) {
        void **slot = &slots[random_below(N_SLOTS)];
        switch (random_below(8)) {
        case 0: drop(*slot), *slot = site_malloc_small(1 + random_below(128)); break;
        case 1: drop(*slot), *slot = site_malloc_big(1000 + random_below(9000)); break;
        case 2: drop(*slot), *slot = site_calloc(1 + random_below(20), 1 + random_below(60)); break;
        case 3: *slot = site_realloc_up(*slot, 500 + random_below(2000)); break;
        case 4: *slot = site_realloc_down(*slot, 1 + random_below(40)); break;
        case 5: drop(*slot), *slot = site_posix_memalign(64, 64 * (1 + random_below(10))); break;
        case 6: drop_by_pointer(*slot), *slot = site_by_pointer(1 + random_below(300)); break;
        default: drop(*slot), *slot = NULL; break;
        }
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 3;
    for (int round = 1; round <= rounds; round++) {
        each_way_once(100 * (size_t)round);
        at_random(10000);
    }
    print_books(rows, n_rows);
    return 0;
}
