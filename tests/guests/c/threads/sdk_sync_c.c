// Waits for a lock, for two channels and for a group, as Go's sync.go has them, with threads and the lock calls of wprof.h:
// `sdk_sync_c DIR RATE FRACTION` writes the block and the mutex profile to DIR, each in both forms.
#include "lock.h"
#include "write.h"

#include <pthread.h>
#include <time.h>

#define NO_INLINE __attribute__((noinline))
#define N_WORKERS 4

static struct lock mu;
static struct group workers = {N_WORKERS}, first = {1}, second = {1};
static int32_t n_active = N_WORKERS;
// Threads take longer to begin and to wake than goroutines, so some things happen when others have: each of these is asked for.
static int32_t is_first_asked, is_second_asked, is_group_asked;

static void sleep_ms(int ms) {
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

// Holds it for so long, and until all wait for it who have turns left.
NO_INLINE static void hold_lock(int ms) {
    lock(&mu);
    sleep_ms(ms);
    while (n_waiting(&mu) < __atomic_load_n(&n_active, __ATOMIC_SEQ_CST) - 1) sleep_ms(1);
    unlock(&mu);
}

// What follows the calls keeps them from being the last thing done, which would leave no frame.
NO_INLINE static void wait_chan(struct group *chan) {
    group_wait(chan);
    __asm__ volatile("");
}

NO_INLINE static void wait_select(struct group *chan) {
    group_wait(chan);
    __asm__ volatile("");
}

NO_INLINE static void wait_group(struct group *group) {
    group_wait(group);
    __asm__ volatile("");
}

static void ask(int32_t *place) {
    __atomic_store_n(place, 1, __ATOMIC_SEQ_CST);
    wake_all(place);
}

static void *worker(void *arg) {
    wait_while(&is_first_asked, 0);
    // Or each turn would be a call of its own.
#pragma clang loop unroll(disable)
    for (int i = 0; i < 10; i++) hold_lock(2);
    __atomic_fetch_sub(&n_active, 1, __ATOMIC_SEQ_CST);
    wait_while(&is_group_asked, 0);
    sleep_ms(10);
    group_done(&workers);
    return arg;
}

static void *sender(void *arg) {
    wait_while(&is_first_asked, 0);
    sleep_ms(50);
    group_done(&first);
    wait_while(&is_second_asked, 0);
    sleep_ms(30);
    group_done(&second);
    return arg;
}

static void go(void *(*run)(void *)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL)) exit(1);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    wprof_set_block_profile_rate(atoi(argv[2]));
    wprof_set_mutex_profile_fraction(atoi(argv[3]));
    for (int i = 0; i < N_WORKERS; i++) go(worker);
    go(sender);
    ask(&is_first_asked);
    wait_chan(&first);
    ask(&is_second_asked);
    wait_select(&second);
    ask(&is_group_asked);
    wait_group(&workers);
    for (int debug = 0; debug < 2; debug++) {
        write_profile(argv[1], "block", debug);
        write_profile(argv[1], "mutex", debug);
    }
    return 0;
}
