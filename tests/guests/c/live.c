// Keeps blocks to the end: `live [N] [SIZE]`, 1,000,000 of 16 bytes, for what a live block costs wprof.
#include <stdio.h>
#include <stdlib.h>

struct block {
    struct block *next;
};

__attribute__((noinline)) static struct block *keep(struct block *last, size_t size) {
    struct block *block = malloc(size);
    if (!block) exit(1);
    block->next = last;
    return block;
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1000000, n_kept = 0;
    size_t size = argc > 2 ? (size_t)atol(argv[2]) : 16;
    if (size < sizeof(struct block)) size = sizeof(struct block);
    struct block *last = NULL;
    for (long i = 0; i < n; i++) last = keep(last, size);
    for (; last; last = last->next) n_kept++;
    printf("%ld blocks of %zu bytes are live\n", n_kept, size);
    return 0;
}
