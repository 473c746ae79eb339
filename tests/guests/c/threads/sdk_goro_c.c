// Threads that wait, as Go's goro.go has goroutines, with the calls of wprof.h: `sdk_goro_c DIR` writes the profiles of what
// they do, and of where they began, to DIR in all three forms.
#include "lock.h"
#include "write.h"

#include <pthread.h>
#include <time.h>

#define NO_INLINE __attribute__((noinline))
#define N_THREADS 7

static struct lock mu;
static struct group started = {N_THREADS}, never = {1};

// What follows the calls keeps them from being the last thing done, which would leave no frame.
NO_INLINE static void *parked_worker(void *arg) {
    group_done(&started);
    group_wait(&never);
    __asm__ volatile("");
    return arg;
}

NO_INLINE static void *sleeper(void *arg) {
    struct timespec hour = {.tv_sec = 3600};
    group_done(&started);
    nanosleep(&hour, NULL);
    __asm__ volatile("");
    return arg;
}

NO_INLINE static void *locker(void *arg) {
    group_done(&started);
    lock(&mu);
    __asm__ volatile("");
    return arg;
}

static void go(void *(*run)(void *)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL)) exit(1);
}

int main(int argc, char **argv) {
    static const char *names[] = {"goroutine", "threadcreate"};
    struct timespec moment = {.tv_nsec = 50000000};
    if (argc < 2) return 2;
    for (int i = 0; i < 3; i++) go(parked_worker);
    int32_t before = wprof_labels_begin(2, "role", "labelled", "a", "q\"uote");
    for (int i = 0; i < 2; i++) go(parked_worker);
    wprof_labels_end(before);
    go(sleeper);
    lock(&mu);
    go(locker);
    // A thread may take longer than that to begin.
    group_wait(&started);
    nanosleep(&moment, NULL);
    for (int name = 0; name < 2; name++)
        for (int debug = 0; debug < 3; debug++) write_profile(argv[1], names[name], debug);
    return 0;
}
