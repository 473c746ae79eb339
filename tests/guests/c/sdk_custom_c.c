// A profile of its own, as Go's custom.go has it, with the imports of wprof.h: `sdk_custom_c DIR` writes it to DIR in all three
// forms, and prints what the calls answer. A wrong call answers a code in C.
#include "../../../guest-sdk/include/wprof.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME "example.com/golden.conns"
#define NO_INLINE __attribute__((noinline))

static int32_t conns;

struct conn {
    int id;
};

NO_INLINE static struct conn *new_client(int skip, int id) {
    struct conn *conn = malloc(sizeof *conn);
    if (!conn) abort();
    conn->id = id;
    wprof_profile_add(conns, wprof_key(conn), skip);
    return conn;
}

// What follows the call keeps it from being the last thing done, which would leave no frame.
NO_INLINE static struct conn *run(int skip, int id) {
    struct conn *conn = new_client(skip, id);
    __asm__ volatile("" : "+r"(conn));
    return conn;
}

static void try(const char *what, int32_t result) {
    printf("%s -> %s\n", what, result < 0 ? wprof_strerror(result) : "fine");
}

static int put(void *file, const void *bytes, size_t len) { return fwrite(bytes, 1, len, file) != len; }

static void print_names(void) {
    static char names[4096];
    int32_t len = wprof_profiles_list(names, sizeof names);
    for (const char *name = names; len <= (int32_t)sizeof names && name < names + len; name += strlen(name) + 1)
        printf("profile %s\n", name);
}

static void write_to(const char *dir, const char *kind, int debug) {
    char path[1024];
    snprintf(path, sizeof path, "%s/custom.%s", dir, kind);
    FILE *file = fopen(path, "wb");
    int32_t result = file ? wprof_profile_write(conns, debug, put, file) : WPROF_ERR_UNAVAILABLE;
    if (!file || fclose(file) || result < 0) {
        fprintf(stderr, "%s: %s\n", path, wprof_strerror(result));
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    struct conn *made[8], absent = {99};
    conns = wprof_profile_new(NAME);
    // Or each turn would be a call of its own.
#pragma clang loop unroll(disable)
    for (int i = 0; i < 5; i++) made[i] = run(0, i);
#pragma clang loop unroll(disable)
    for (int i = 5; i < 7; i++) made[i] = run(1, i);
    made[7] = run(100, 7); // skip too large
    printf("count %lld\n", (long long)wprof_profile_count(conns));
    wprof_profile_remove(conns, wprof_key(made[0]));
    wprof_profile_remove(conns, wprof_key(&absent)); // does nothing
    printf("count after remove %lld\n", (long long)wprof_profile_count(conns));

    try("Add duplicate", wprof_profile_add(conns, wprof_key(made[1]), 0));
    try("NewProfile duplicate", wprof_profile_new(NAME));
    try("NewProfile heap", wprof_profile_new("heap"));
    try("NewProfile empty", wprof_profile_new(""));
    try("NewProfile bad", wprof_profile_new("two words"));
    try("heap.Add", wprof_profile_add(wprof_profile_lookup("heap"), 1, 0));
    try("heap.Remove", wprof_profile_remove(wprof_profile_lookup("heap"), 1));
    try("zero.Add", wprof_profile_add(0, 1, 0));
    try("zero.WriteTo", wprof_profile_write(0, 0, put, stdout));
    printf("Lookup unknown nil: %s\n", wprof_profile_lookup("nope") == 0 ? "true" : "false");
    print_names();

    write_to(argv[1], "pb.gz", 0);
    write_to(argv[1], "debug1.txt", 1);
    write_to(argv[1], "debug2.txt", 2);
    return 0;
}
