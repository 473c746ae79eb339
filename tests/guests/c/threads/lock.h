// Locks, channels and groups that tell wprof who waits for them, on the atomic instructions of wasm.
#ifndef LOCK_H
#define LOCK_H

#include "../../../../guest-sdk/include/wprof.h"

// Waits until another thread has changed the number at `place`, which was `seen`, and says so.
static inline void wait_while(int32_t *place, int32_t seen) {
    while (__atomic_load_n(place, __ATOMIC_SEQ_CST) == seen) __builtin_wasm_memory_atomic_wait32(place, seen, -1);
}

static inline void wake_all(int32_t *place) { __builtin_wasm_memory_atomic_notify(place, INT32_MAX); }

// Its holders follow each other as they have come: Go's does so as well, when somebody has waited for a millisecond.
struct lock {
    int32_t n_come, serving;
};

static inline void lock(struct lock *lock) {
    int32_t number = __atomic_fetch_add(&lock->n_come, 1, __ATOMIC_SEQ_CST);
    int32_t serving = __atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST);
    if (serving == number) return;
    wprof_lock_waits(wprof_key(lock));
    while ((serving = __atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST)) != number) wait_while(&lock->serving, serving);
    wprof_lock_taken(wprof_key(lock));
}

// How many wait for it, of whoever has it.
static inline int32_t n_waiting(struct lock *lock) {
    return __atomic_load_n(&lock->n_come, __ATOMIC_SEQ_CST) - __atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST) - 1;
}

static inline void unlock(struct lock *lock) {
    if (n_waiting(lock) > 0) wprof_lock_released(wprof_key(lock));
    __atomic_fetch_add(&lock->serving, 1, __ATOMIC_SEQ_CST);
    wake_all(&lock->serving);
}

// Something to wait for: until as many have come as were expected.
struct group {
    int32_t n_missing;
};

static inline void group_wait(struct group *group) {
    int32_t n_missing = __atomic_load_n(&group->n_missing, __ATOMIC_SEQ_CST);
    if (n_missing == 0) return;
    wprof_lock_waits(wprof_key(group));
    while ((n_missing = __atomic_load_n(&group->n_missing, __ATOMIC_SEQ_CST)) > 0)
        wait_while(&group->n_missing, n_missing);
    wprof_lock_taken(wprof_key(group));
}

static inline void group_done(struct group *group) {
    if (__atomic_sub_fetch(&group->n_missing, 1, __ATOMIC_SEQ_CST) == 0) wake_all(&group->n_missing);
}

#endif
