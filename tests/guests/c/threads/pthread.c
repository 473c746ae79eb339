// As much of POSIX threads as the guests here and Rust's std need, over the imports and exports of wasi-threads: the C libraries
// at hand have none. Linked to guests that share their memory between threads.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#define MAX_THREADS 16
#define STACK_BYTES (128 << 10)
#define TLS_BYTES 4096
#define MAX_KEYS 16

// What a thread has. None is used again: a thread that has said that it is done still stands on its stack for a moment.
struct thread {
    char *stack_top; // wasi_thread_start looks here, so it is the first
    void *(*run)(void *);
    void *arg;
    void *result;
    int32_t is_done;
    _Alignas(16) char tls[TLS_BYTES];
    _Alignas(16) char stack[STACK_BYTES];
};

static struct thread threads[MAX_THREADS];
static int32_t n_threads;

static void (*destructors[MAX_KEYS])(void *);
static uint32_t n_keys;
static _Thread_local void *values[MAX_KEYS];

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int32_t wasi_thread_spawn(struct thread *thread);

// The linker's: fills the place of the calling thread's variables.
void __wasm_init_tls(void *tls);

// A new thread comes here, in an instance of its own, without a stack.
__asm__(".functype thread_main (i32, i32) -> ()\n"
        ".globaltype __stack_pointer, i32\n"
        ".globl wasi_thread_start\n"
        ".type wasi_thread_start, @function\n"
        ".export_name wasi_thread_start, wasi_thread_start\n"
        "wasi_thread_start:\n"
        ".functype wasi_thread_start (i32, i32) -> ()\n"
        "local.get 1\n"
        "i32.load 0\n"
        "global.set __stack_pointer\n"
        "local.get 0\n"
        "local.get 1\n"
        "call thread_main\n"
        "end_function\n");

__attribute__((used)) void thread_main(int32_t id, struct thread *thread) {
    (void)id;
    __wasm_init_tls(thread->tls);
    thread->result = thread->run(thread->arg);
    // A destructor may set what another has to destroy.
    for (int round = 0; round < 4; round++) {
        for (uint32_t key = 0; key < MAX_KEYS; key++) {
            void *value = values[key];
            values[key] = NULL;
            if (value && destructors[key]) destructors[key](value);
        }
    }
    __atomic_store_n(&thread->is_done, 1, __ATOMIC_SEQ_CST);
    __builtin_wasm_memory_atomic_notify(&thread->is_done, INT32_MAX);
}

int pthread_create(pthread_t *made, const pthread_attr_t *attr, void *(*run)(void *), void *arg) {
    (void)attr;
    int32_t number = __atomic_fetch_add(&n_threads, 1, __ATOMIC_SEQ_CST);
    if (number >= MAX_THREADS || __builtin_wasm_tls_size() > TLS_BYTES) return EAGAIN;
    struct thread *thread = &threads[number];
    thread->stack_top = thread->stack + STACK_BYTES;
    thread->run = run;
    thread->arg = arg;
    *made = (pthread_t)thread;
    return wasi_thread_spawn(thread) < 0 ? EAGAIN : 0;
}

int pthread_join(pthread_t joined, void **result) {
    struct thread *thread = (struct thread *)joined;
    while (!__atomic_load_n(&thread->is_done, __ATOMIC_SEQ_CST))
        __builtin_wasm_memory_atomic_wait32(&thread->is_done, 0, -1);
    if (result) *result = thread->result;
    return 0;
}

int pthread_detach(pthread_t thread) {
    (void)thread;
    return 0;
}

// Stacks have one size.
int pthread_attr_init(pthread_attr_t *attr) {
    *attr = (pthread_attr_t){0};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr) {
    (void)attr;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t bytes) {
    (void)attr;
    (void)bytes;
    return 0;
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    *key = __atomic_fetch_add(&n_keys, 1, __ATOMIC_SEQ_CST);
    if (*key >= MAX_KEYS) return EAGAIN;
    destructors[*key] = destructor;
    return 0;
}

// A key is not used again; nobody makes many.
int pthread_key_delete(pthread_key_t key) {
    destructors[key] = NULL;
    return 0;
}

void *pthread_getspecific(pthread_key_t key) { return values[key]; }

int pthread_setspecific(pthread_key_t key, const void *value) {
    values[key] = (void *)value;
    return 0;
}
