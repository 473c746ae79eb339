// A C guest with sites large enough for statistics. Prints its books, and by how much an estimate of each site's bytes
// scatters at two sampling rates: `deviation SITE RATE ALLOCATED LIVE`, one standard deviation in bytes. 3.1 GB are allocated,
// 1.5 GB are live at the end, of which little is ever touched.
//
// A site of many blocks that are small against the rate R is estimated to within sqrt(R / total), in standard deviations:
// 640 MB give 2.9 % at R = 512 KiB, and the mean of 20 runs is then within 2 % by three standard deviations.
#include "books.h"
#include <math.h>

#define N_RATES 2
static const double rates[N_RATES] = {65536, 524288};
// The variance of a site's estimates, in bytes squared: [0] of all allocated, [1] of those live.
static double variances[MAX_SITES][N_RATES][2];

// What a block adds to the variance. It is sampled with p = 1 - e^(-size/rate) and then stands for size / p, so that is
// size² · (1 - p) / p = size² / (e^(size/rate) - 1).
static void vary(int row, size_t size, int column, double n) {
    for (int rate = 0; rate < N_RATES; rate++)
        variances[row][rate][column] += n * (double)size * (double)size / expm1((double)size / rates[rate]);
}

static void *booked(const char *site, void *p, size_t n) {
    book_alloc(site, p, n);
    if (!p) abort();
    vary(row_of(site), n, 0, 1);
    vary(row_of(site), n, 1, 1);
    return p;
}

static void drop(void *p, const char *site, size_t n) {
    vary(row_of(site), n, 1, -1);
    book_free(p);
    free(p);
}

// Allocates and frees at once. Booked at the end, or the books would take longer than the rest.
SITE void site_tiny(int n, size_t size) {
    for (int i = 0; i < n; i++) {
        void *p = malloc(size);
        __asm__ volatile("" : "+r"(p));
        free(p);
    }
    struct row *row = &rows[row_of(__func__)];
    row->alloc_objects += (uint64_t)n;
    row->alloc_bytes += (uint64_t)n * size;
    vary(row_of(__func__), size, 0, n);
}

// These names are also wanted where the block is freed.
static const char KEPT[] = "site_kept", HALF[] = "site_half", BIG[] = "site_big";

SITE void *site_kept(size_t n) { return booked(KEPT, malloc(n), n); }

SITE void *site_half(size_t n) { return booked(HALF, malloc(n), n); }

SITE void *site_big(size_t n) { return booked(BIG, malloc(n), n); }

enum { N_SLOTS = 15000, N_BIG = 120 };

int main(void) {
    static void *slots[N_SLOTS], *big[N_BIG];
    static size_t sizes[N_SLOTS], big_sizes[N_BIG];
    for (int i = 0; i < N_SLOTS; i++) {
        site_kept(20000 + random_below(45000));
        // Half of these are freed, in no order, before the end.
        for (int turn = 0; turn < 2; turn++) {
            uint32_t slot = turn ? (uint32_t)i : random_below(N_SLOTS);
            if (slots[slot]) drop(slots[slot], HALF, sizes[slot]);
            slots[slot] = site_half(sizes[slot] = 20000 + random_below(45000));
        }
    }
    for (int i = 0; i < 3 * N_BIG; i++) {
        int slot = i % N_BIG;
        if (big[slot]) drop(big[slot], BIG, big_sizes[slot]);
        big[slot] = site_big(big_sizes[slot] = 100000 + random_below(3000000));
    }
    site_tiny(14000000, 48);
    print_books(rows, n_rows);
    for (int row = 0; row < n_rows; row++)
        for (int rate = 0; rate < N_RATES; rate++)
            printf("deviation %s %.0f %.0f %.0f\n", rows[row].site, rates[rate], sqrt(variances[row][rate][0]),
                   sqrt(fmax(0, variances[row][rate][1])));
    return 0;
}
