// Blocks and waits that come step by step, as Go's delta.go has them, with the imports of wprof.h: after each step it prints
// `step N`, and goes on when it has read a line. What a delta profile has of each step is for the test to ask.
#include "../../../guest-sdk/include/wprof.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NO_INLINE __attribute__((noinline))

static void *keep[4096];
static int n_kept;

static void put(void *block) {
    if (!block) abort();
    keep[n_kept++] = block;
}

NO_INLINE static void site_a(int n) {
    for (int i = 0; i < n; i++) put(malloc(1024));
}

NO_INLINE static void site_b(int n) {
    for (int i = 0; i < n; i++) put(malloc(4096));
}

NO_INLINE static void release(void) {
    while (n_kept > 0) free(keep[--n_kept]);
}

// A wait in a host call is in the place of one for a channel.
NO_INLINE static void block(int n) {
    struct timespec five_ms = {.tv_nsec = 5000000};
    for (int i = 0; i < n; i++) nanosleep(&five_ms, NULL);
}

NO_INLINE static void dump(int step) {
    char line[16];
    printf("step %d\n", step);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) exit(1);
}

int main(void) {
    wprof_set_mem_profile_rate(1);
    wprof_set_block_profile_rate(1);
    site_a(10);
    site_b(5);
    block(2);
    dump(1); // everything so far
    site_a(7);
    block(1);
    dump(2); // more of A; B only in use
    dump(3); // only in use
    release();
    dump(4); // all freed
    site_b(3);
    dump(5);
    return 0;
}
