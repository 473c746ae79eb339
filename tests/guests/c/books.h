// Books that a guest keeps of its own allocations, a row for each site: the truth that heap profiles are held against.
//
// A site is a function that calls the allocator itself and is never inlined, so that it is the innermost frame once the
// allocator's own are taken away. What the books need lies in static memory: they allocate nothing.
// Blocks of size 0 are not booked, as a profile has no place for them.
#pragma once
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// No tail call either, which would take the site off the stack.
#define SITE __attribute__((noinline, disable_tail_calls)) static

enum { MAX_SITES = 64, MAX_BLOCKS = 1 << 18, N_BUCKETS = 1 << 16 };

struct row {
    const char *site;
    uint64_t alloc_objects, alloc_bytes, inuse_objects, inuse_bytes;
};

// A live block, in a chain of those whose addresses fall into one bucket.
struct block {
    uintptr_t address;
    size_t bytes;
    int row;
    int next;
};

static struct row rows[MAX_SITES];
static int n_rows;
static struct block blocks[MAX_BLOCKS]; // 0 is none
static int n_blocks = 1, free_blocks, buckets[N_BUCKETS];
static uint64_t live_bytes;

__attribute__((noinline)) static void books_full(const char *what) {
    fprintf(stderr, "the books have no room for more %s\n", what);
    abort();
}

static int *bucket(uintptr_t address) { return &buckets[(address >> 4) * 2654435761u >> 16 & (N_BUCKETS - 1)]; }

static int row_of(const char *site) {
    for (int row = 0; row < n_rows; row++)
        if (!strcmp(rows[row].site, site)) return row;
    if (n_rows == MAX_SITES) books_full("sites");
    rows[n_rows].site = site;
    return n_rows++;
}

// A call at `site` returned `address` for a request of `bytes`.
__attribute__((noinline)) static void book_alloc(const char *site, void *address, size_t bytes) {
    int row = row_of(site);
    if (!address || !bytes) return;
    int added = free_blocks;
    if (added) free_blocks = blocks[added].next;
    else if ((added = n_blocks++) == MAX_BLOCKS) books_full("blocks");
    int *first = bucket((uintptr_t)address);
    struct block entry = {(uintptr_t)address, bytes, row, *first};
    blocks[added] = entry;
    *first = added;
    rows[row].alloc_objects++;
    rows[row].alloc_bytes += bytes;
    rows[row].inuse_objects++;
    rows[row].inuse_bytes += bytes;
    live_bytes += bytes;
}

// The block is freed, or taken by a realloc; nothing if it is NULL or was not booked.
__attribute__((noinline)) static void book_free(void *address) {
    for (int *at = bucket((uintptr_t)address); *at; at = &blocks[*at].next) {
        struct block *old = &blocks[*at];
        if (old->address != (uintptr_t)address) continue;
        rows[old->row].inuse_objects--;
        rows[old->row].inuse_bytes -= old->bytes;
        live_bytes -= old->bytes;
        int freed = *at;
        *at = old->next;
        old->next = free_blocks;
        free_blocks = freed;
        return;
    }
}

// What realloc did: a failed one keeps the old block, one to size 0 may return NULL and has freed it.
__attribute__((noinline, unused)) static void book_realloc(const char *site, void *old, void *address, size_t bytes) {
    row_of(site);
    if (address || !bytes) book_free(old);
    book_alloc(site, address, bytes);
}

static void print_books(const struct row *row, int n) {
    for (; n--; row++)
        printf("site %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", row->site, row->alloc_objects,
               row->alloc_bytes, row->inuse_objects, row->inuse_bytes);
}

static uint32_t random_state = 1;

__attribute__((unused)) static uint32_t random_below(uint32_t bound) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)random_state * bound >> 32);
}
