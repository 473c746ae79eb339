// The bench's loop of malloc and free of one small block: `pairs [N] [SIZE]`, 50,000,000 pairs of 32 bytes, about 11 ns each.
// Prints what a pair took.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((noinline)) static void pairs(long n, size_t size) {
    while (n--) {
        void *block = malloc(size);
        if (!block) exit(1);
        __asm__ volatile("" : "+r"(block)); // or the compiler would take the pair away
        free(block);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 50000000;
    size_t size = argc > 2 ? (size_t)atol(argv[2]) : 32;
    double start = now();
    pairs(n, size);
    printf("%.2f ns per pair\n", (now() - start) / (double)n);
    return 0;
}
