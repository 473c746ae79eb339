// What a guest tells wprof: labels, profiles of its own, waits for locks, when to profile. Go's runtime/pprof, for C99
// and C++ programs that run as WebAssembly. A guest needs none of this to be profiled.
//
// There is nothing to link. On wasm these are the imports of the module `wprof`, and a few functions that call them.
// Elsewhere, and where WPROF_DISABLE is defined, all of them do nothing and answer 0, which is what every call answers
// where there is no wprof. So a guest runs the same everywhere; but compiled for wasm without WPROF_DISABLE it runs
// under wprof only, as other runtimes lack the imports.
//
//     #include "wprof.h"
//
//     int32_t conns = wprof_profile_new("example.com/net.connections");
//     wprof_profile_add(conns, wprof_key(conn), 0);
//
//     int32_t before = wprof_labels_begin(2, "stage", "parse", "tenant", tenant);
//     parse();
//     wprof_labels_end(before);
//
// A result below 0 is one of WPROF_ERR_..., which wprof_strerror puts in words. Handles of profiles, streams and labels
// are above 0; 0 is none. Pointers are of the memory that the guest exports as `memory`.
#ifndef WPROF_H
#define WPROF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of these imports.
#define WPROF_VERSION 1
// Bytes that a profile's name may have.
#define WPROF_MAX_NAME 1024
// Bytes that a packed list of labels may have, and all labels of a thread together.
#define WPROF_MAX_LABELS 65536
// A gap between sampled blocks that is never used up.
#define WPROF_NEVER INT64_MAX

// Why a call has failed.
enum {
    WPROF_ERR_FAULT = -1,          // a pointer and its length lead out of the guest's memory
    WPROF_ERR_EMPTY_NAME = -2,     // a profile without a name
    WPROF_ERR_NAME_TAKEN = -3,     // a second profile of a name; wprof's own names are taken
    WPROF_ERR_BAD_NAME = -4,       // a name that is not UTF-8, or has spaces or control characters
    WPROF_ERR_UNKNOWN_HANDLE = -5, // no such profile, stream, or labels
    WPROF_ERR_BUILT_IN = -6,       // a value for a profile of wprof's own
    WPROF_ERR_DUPLICATE = -7,      // a value that is in the profile already
    WPROF_ERR_BUSY = -8,           // a CPU profile runs already
    WPROF_ERR_LIMIT = -9,          // larger or more than wprof keeps for a guest; nothing was kept
    WPROF_ERR_BAD_LABELS = -10,    // a list of labels that breaks off, or is not UTF-8
    WPROF_ERR_UNAVAILABLE = -11    // not measured in this run, or could not be written
};

#if defined(__wasm__) && !defined(WPROF_DISABLE)
#define WPROF_IMPORT(result, c_name, name, parameters, nothing)                                                        \
    __attribute__((import_module("wprof"), import_name(name))) result c_name parameters;
#else
#define WPROF_IMPORT(result, c_name, name, parameters, nothing)                                                        \
    static inline result c_name parameters { nothing }
#endif

// ---- The imports ----

// WPROF_VERSION; 0 without wprof.
WPROF_IMPORT(int32_t, wprof_version, "version", (void), return 0;)

// Writes the text of the calling thread's last error, cut to `cap` bytes, without a NUL. Its whole length.
WPROF_IMPORT(int32_t, wprof_last_error, "last_error", (char *buf, size_t cap), (void)buf; (void)cap; return 0;)

// Starts a CPU profile of `hz` samples a second of CPU time, 0 for 100. Go: StartCPUProfile. 0, or WPROF_ERR_BUSY.
WPROF_IMPORT(int32_t, wprof_cpu_start, "cpu_start", (int32_t hz), (void)hz; return 0;)

// Ends it. A stream of the profile; 0 if none runs that this guest has started. See wprof_cpu_stop.
WPROF_IMPORT(int32_t, wprof_cpu_stop_stream, "cpu_stop", (void), return 0;)

// See wprof_profile_new.
WPROF_IMPORT(int32_t, wprof_profile_new_n, "profile_new", (const char *name, size_t len),
             (void)name; (void)len; return 0;)

// See wprof_profile_lookup.
WPROF_IMPORT(int32_t, wprof_profile_lookup_n, "profile_lookup", (const char *name, size_t len),
             (void)name; (void)len; return 0;)

// Writes the names of all profiles in order, a NUL behind each, if they fit into `cap` bytes. The length of that. Go:
// Profiles.
WPROF_IMPORT(int32_t, wprof_profiles_list, "profiles_list", (char *buf, size_t cap), (void)buf; (void)cap; return 0;)

// What is in a profile now; of wprof's own, the number of records. Or WPROF_ERR_UNKNOWN_HANDLE. Go: Profile.Count.
WPROF_IMPORT(int64_t, wprof_profile_count, "profile_count", (int32_t profile), (void)profile; return 0;)

// Adds a value by its key, with the stack that begins at the function that calls this; at a `skip` above 0, so many
// callers further up. Labels of the thread are kept with it. 0, or WPROF_ERR_BUILT_IN, _DUPLICATE, _UNKNOWN_HANDLE, or
// _LIMIT, and then the value is not in it. Go: Profile.Add.
WPROF_IMPORT(int32_t, wprof_profile_add, "profile_add", (int32_t profile, int64_t key, int32_t skip),
             (void)profile; (void)key; (void)skip; return 0;)

// Removes a value; does nothing if it is not in the profile. 0, or WPROF_ERR_UNKNOWN_HANDLE. Go: Profile.Remove.
WPROF_IMPORT(int32_t, wprof_profile_remove, "profile_remove", (int32_t profile, int64_t key),
             (void)profile; (void)key; return 0;)

// A stream of a profile. Or WPROF_ERR_UNKNOWN_HANDLE, WPROF_ERR_UNAVAILABLE. See wprof_profile_write.
WPROF_IMPORT(int32_t, wprof_profile_stream, "profile_write", (int32_t profile, int32_t debug),
             (void)profile; (void)debug; return 0;)

// Reads on. The bytes read, 0 at the end, or WPROF_ERR_UNKNOWN_HANDLE.
WPROF_IMPORT(int32_t, wprof_stream_read, "stream_read", (int32_t stream, void *buf, size_t cap),
             (void)stream; (void)buf; (void)cap; return 0;)

// Gives up a stream, read to its end or not.
WPROF_IMPORT(void, wprof_stream_close, "stream_close", (int32_t stream), (void)stream;)

// `labels` with those of a packed list, which is for each label the length of the key and of the value in 4 bytes each,
// little-endian, the key and the value. `labels` stays as it is. Or WPROF_ERR_BAD_LABELS, _LIMIT, _UNKNOWN_HANDLE. See
// wprof_labels.
WPROF_IMPORT(int32_t, wprof_labels_with, "labels_with", (int32_t labels, const void *list, size_t len),
             (void)labels; (void)list; (void)len; return 0;)

// Makes them the calling thread's own, in place of those that it had, which are the result. Or
// WPROF_ERR_UNKNOWN_HANDLE, and then nothing changes. Go: SetGoroutineLabels.
WPROF_IMPORT(int32_t, wprof_labels_use, "labels_use", (int32_t labels), (void)labels; return 0;)

// The calling thread's own; 0 for none. A new thread has those that its spawner had.
WPROF_IMPORT(int32_t, wprof_labels_current, "labels_current", (void), return 0;)

// From now on the calling thread's labels are what stands in `cell`, which it may change without a call: those that it has
// now, which stand there then. `cell` must be there as long as the thread. Or WPROF_ERR_UNAVAILABLE, and then
// wprof_labels_use is the way; that goes on to work beside a cell, too.
WPROF_IMPORT(int32_t, wprof_labels_cell, "labels_cell", (volatile int32_t *cell), (void)cell; return 0;)

// Writes a packed list of them, sorted by key, if it fits into `cap` bytes. The length of that, or
// WPROF_ERR_UNKNOWN_HANDLE.
WPROF_IMPORT(int32_t, wprof_labels_read, "labels_read", (int32_t labels, void *buf, size_t cap),
             (void)labels; (void)buf; (void)cap; return 0;)

// How long a thread waits for each sample of the block profile, on average. 1: all, 0: none. Go: SetBlockProfileRate.
WPROF_IMPORT(void, wprof_set_block_profile_rate, "set_block_profile_rate", (int64_t nanos), (void)nanos;)

// Keeps one of `n` contentions in the mutex profile, on average; the `n` before. 0: none; below 0 only asks. Go:
// SetMutexProfileFraction.
WPROF_IMPORT(int32_t, wprof_set_mutex_profile_fraction, "set_mutex_profile_fraction", (int32_t n), (void)n; return 0;)

// How many bytes are allocated for each sample of the heap profile, on average. 1: all, 0: none. Go: MemProfileRate.
WPROF_IMPORT(void, wprof_set_mem_profile_rate, "set_mem_profile_rate", (int64_t bytes), (void)bytes;)

// For locks of the guest's own; `lock` is a number that tells one from another, such as wprof_key of it. A thread that
// does not get a lock at once says so before it waits, and when it has it; its stack goes to the block profile.
WPROF_IMPORT(void, wprof_lock_waits, "lock_waits", (int64_t lock), (void)lock;)
WPROF_IMPORT(void, wprof_lock_taken, "lock_taken", (int64_t lock), (void)lock;)

// Whoever releases a lock that others wait for says so just before; its stack goes to the mutex profile.
WPROF_IMPORT(void, wprof_lock_released, "lock_released", (int64_t lock), (void)lock;)

// For allocators that wprof does not find. Bytes until the first block to be sampled; WPROF_NEVER if wprof sees
// allocations by itself; 0 without wprof, and then nothing more is to be told.
WPROF_IMPORT(int64_t, wprof_alloc_gap, "alloc_gap", (void), return 0;)

// The block with which the gap was used up. Bytes until the next one.
WPROF_IMPORT(int64_t, wprof_alloc_sampled, "alloc_sampled", (void *block, int64_t size),
             (void)block; (void)size; return 0;)

// A block that may have been sampled is about to be freed.
WPROF_IMPORT(void, wprof_free_sampled, "free_sampled", (void *block), (void)block;)

// ---- What they are used by ----

// What a code says, in Go's words where Go has some.
static inline const char *wprof_strerror(int32_t code) {
    switch (code) {
    case WPROF_ERR_FAULT: return "a pointer leads out of the guest's memory";
    case WPROF_ERR_EMPTY_NAME: return "pprof: NewProfile with empty name";
    case WPROF_ERR_NAME_TAKEN: return "pprof: NewProfile name already in use";
    case WPROF_ERR_BAD_NAME: return "a profile's name is UTF-8 without spaces and control characters";
    case WPROF_ERR_UNKNOWN_HANDLE: return "pprof: use of uninitialized Profile";
    case WPROF_ERR_BUILT_IN: return "pprof: Add called on built-in Profile";
    case WPROF_ERR_DUPLICATE: return "pprof: Profile.Add of duplicate value";
    case WPROF_ERR_BUSY: return "cpu profiling already in use";
    case WPROF_ERR_LIMIT: return "more than wprof keeps for a guest";
    case WPROF_ERR_BAD_LABELS: return "a list of labels breaks off, or is not UTF-8";
    case WPROF_ERR_UNAVAILABLE: return "not measured in this run, or could not be written";
    default: return code < 0 ? "not known to this version of wprof.h" : "no error";
    }
}

// A number that tells one value of a profile, or one lock, from another: where it is.
static inline int64_t wprof_key(const void *value) { return (int64_t)(uintptr_t)value; }

// Makes a profile of the guest's own, by convention `import/path.thing`. Go: NewProfile. A handle; 0 without wprof; or
// WPROF_ERR_EMPTY_NAME, _NAME_TAKEN, _BAD_NAME, _LIMIT.
static inline int32_t wprof_profile_new(const char *name) { return wprof_profile_new_n(name, strlen(name)); }

// The profile of this name, wprof's own (heap, block, ...) or a guest's. Go: Lookup. 0 if there is none.
static inline int32_t wprof_profile_lookup(const char *name) { return wprof_profile_lookup_n(name, strlen(name)); }

// Takes `len` bytes, which follow those before. 0, or something else if it cannot; then it is not asked again.
typedef int (*wprof_write_fn)(void *arg, const void *bytes, size_t len);

// Writes what a call has answered: a stream, nothing (0), or a code, and closes it. 0, or that code;
// WPROF_ERR_UNAVAILABLE if `write` could not.
static inline int32_t wprof_stream_write(int32_t stream, wprof_write_fn write, void *arg) {
    char piece[4096];
    int32_t n_read = stream;
    if (stream <= 0) return stream;
    while ((n_read = wprof_stream_read(stream, piece, sizeof piece)) > 0) {
        if (write(arg, piece, (size_t)n_read) != 0) {
            n_read = WPROF_ERR_UNAVAILABLE;
            break;
        }
    }
    wprof_stream_close(stream);
    return n_read;
}

// Writes a profile: at `debug` 0 in pprof's format, compressed, for `wprof` and `go tool pprof`; at others as text. Go:
// Profile.WriteTo. 0, WPROF_ERR_UNKNOWN_HANDLE, or WPROF_ERR_UNAVAILABLE. Without wprof writes nothing.
static inline int32_t wprof_profile_write(int32_t profile, int32_t debug, wprof_write_fn write, void *arg) {
    return wprof_stream_write(wprof_profile_stream(profile, debug), write, arg);
}

// Writes the heap profile as it is now. Go: WriteHeapProfile. As wprof_profile_write.
static inline int32_t wprof_heap_write(wprof_write_fn write, void *arg) {
    int32_t heap = wprof_profile_lookup("heap");
    return heap <= 0 ? heap : wprof_profile_write(heap, 0, write, arg);
}

// Ends the CPU profile that this guest has started, and writes it. Go: StopCPUProfile. Does nothing if none runs. 0, or
// WPROF_ERR_UNAVAILABLE; it has ended all the same.
static inline int32_t wprof_cpu_stop(wprof_write_fn write, void *arg) {
    return wprof_stream_write(wprof_cpu_stop_stream(), write, arg);
}

// wprof_labels with the pairs in a va_list.
static inline int32_t wprof_labels_v(int32_t labels, int n, va_list pairs) {
    unsigned char list[4096];
    size_t len = 0;
    if (n <= 0) return labels;
    while (n-- > 0) {
        const char *texts[2];
        size_t lens[2];
        int i, byte;
        for (i = 0; i < 2; i++) {
            texts[i] = va_arg(pairs, const char *);
            lens[i] = strlen(texts[i]);
            if (lens[i] > sizeof list) return WPROF_ERR_LIMIT;
        }
        if (8 + lens[0] + lens[1] > sizeof list - len) return WPROF_ERR_LIMIT;
        for (i = 0; i < 2; i++)
            for (byte = 0; byte < 4; byte++) list[len++] = (unsigned char)(lens[i] >> 8 * byte);
        for (i = 0; i < 2; i++) {
            memcpy(list + len, texts[i], lens[i]);
            len += lens[i];
        }
    }
    return wprof_labels_with(labels, list, len);
}

// `labels` (0: none) and `n` more, each a key and a value: wprof_labels(0, 2, "stage", "parse", "tenant", tenant).
// Where both have a key, or a key is there twice, the last value counts. Go: WithLabels. Make them once and keep the
// number, where that may be: to use it costs a call. Or WPROF_ERR_LIMIT, if there is more than wprof keeps or, packed,
// more than 4096 bytes; WPROF_ERR_BAD_LABELS if a text is not UTF-8.
static inline int32_t wprof_labels(int32_t labels, int n, ...) {
    va_list pairs;
    int32_t made;
    va_start(pairs, n);
    made = wprof_labels_v(labels, n, pairs);
    va_end(pairs);
    return made;
}

// Adds `n` labels to those of the calling thread, until wprof_labels_end with the result. Go: the start of Do. If they
// cannot be made, the thread keeps those that it has, and the result is theirs.
static inline int32_t wprof_labels_begin(int n, ...) {
    int32_t before = wprof_labels_current(), made;
    va_list pairs;
    va_start(pairs, n);
    made = wprof_labels_v(before, n, pairs);
    va_end(pairs);
    if (made > 0) wprof_labels_use(made);
    return before;
}

// Gives the calling thread those labels back that it had. Go: the end of Do.
static inline void wprof_labels_end(int32_t before) { wprof_labels_use(before); }

#undef WPROF_IMPORT

#ifdef __cplusplus
}
#endif

#endif
