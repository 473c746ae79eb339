// Labels on CPU time, as Go's cpu.go has them but for its goroutine, with the imports of wprof.h: `sdk_labels_c FILE` writes the
// CPU profile there, and prints what the calls answer.
#include "../../../guest-sdk/include/wprof.h"

#include <stdio.h>

#define NO_INLINE __attribute__((noinline))

static volatile uint64_t sink;

// About a millisecond's: work and not time, of which another program may have a part.
#define N_STEPS 700000

NO_INLINE static void spin(int ms, uint64_t factor) {
    for (int n = 0; n < ms; n++) {
        uint64_t product = sink;
        for (uint64_t i = 0; i < N_STEPS; i++) product = product * factor + i;
        sink = product;
    }
}

// What follows the calls keeps them from being the last thing done, which would leave no frame.
NO_INLINE static void burn_a(int ms) {
    spin(ms, 3);
    __asm__ volatile("");
}

NO_INLINE static void burn_b(int ms) {
    spin(ms, 5);
    __asm__ volatile("");
}

static uint32_t length(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// Go's ForLabels: the labels of the thread, from their packed list.
static void print_labels(void) {
    unsigned char list[256];
    int32_t len = wprof_labels_read(wprof_labels_current(), list, sizeof list);
    if (len > (int32_t)sizeof list) return;
    for (const unsigned char *at = list; at < list + len;) {
        int key = (int)length(at), value = (int)length(at + 4);
        const char *texts = (const char *)at + 8;
        printf("inner label %.*s %.*s\n", key, texts, value, texts + key);
        at += 8 + key + value;
    }
}

static int put(void *file, const void *bytes, size_t len) { return fwrite(bytes, 1, len, file) != len; }

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "wb") : NULL;
    if (!file) return 2;
    int32_t result = wprof_cpu_start(0);
    if (result == 0) {
        result = wprof_cpu_start(0);
        printf("second start: %s\n", wprof_strerror(result));
    }

    int32_t outer = wprof_labels_begin(2, "stage", "outer", "tenant", "a");
    burn_a(400);
    int32_t inner = wprof_labels_begin(2, "stage", "inner", "req", "42");
    print_labels();
    burn_b(300);
    wprof_labels_end(inner);
    printf("outer after inner: %s\n", wprof_labels_current() == inner ? "the same" : "others");
    burn_a(200);
    wprof_labels_end(outer);
    burn_b(200); // without labels

    result = wprof_cpu_stop(put, file);
    if (result == 0) result = wprof_cpu_stop(put, file); // does nothing
    if (fclose(file) || result < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], wprof_strerror(result));
        return 1;
    }
    return 0;
}
