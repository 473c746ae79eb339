// Five threads that wait for a lock which another has for 200 ms: that one has made others wait for a second. It tells by the
// calls of wprof.h; compiled with WPROF_DISABLE it tells nothing, and there are the instructions that it waits and wakes by.
#include "lock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NO_INLINE __attribute__((noinline))
#define N_WAITERS 5

static struct lock mu;

static void sleep_ms(int ms) {
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

NO_INLINE static void waiter(void) {
    lock(&mu);
    unlock(&mu);
}

NO_INLINE static void holder(void) {
    while (n_waiting(&mu) < N_WAITERS) sleep_ms(1);
    sleep_ms(200);
    unlock(&mu);
}

static void *run(void *arg) {
    waiter();
    return arg;
}

int main(void) {
    pthread_t threads[N_WAITERS];
    lock(&mu);
    for (int i = 0; i < N_WAITERS; i++)
        if (pthread_create(&threads[i], NULL, run, NULL)) exit(1);
    holder();
    for (int i = 0; i < N_WAITERS; i++) pthread_join(threads[i], NULL);
    return 0;
}
