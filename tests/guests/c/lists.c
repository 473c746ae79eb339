// A C guest: builds linked lists with malloc, sorts them, and frees them. `lists [ROUNDS]`, about 0.5 s at the default 40.
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    unsigned key;
};

__attribute__((noinline)) static struct node *build_list(unsigned n_nodes, unsigned seed) {
    struct node *head = NULL;
    for (unsigned i = 0; i < n_nodes; i++) {
        struct node *node = malloc(sizeof *node);
        if (!node) exit(1);
        seed = seed * 1664525u + 1013904223u;
        node->key = seed >> 8;
        node->next = head;
        head = node;
    }
    return head;
}

__attribute__((noinline)) static struct node *merge(struct node *a, struct node *b) {
    struct node head = {0}, *tail = &head;
    while (a && b) {
        struct node **least = a->key <= b->key ? &a : &b;
        tail = tail->next = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

__attribute__((noinline)) static struct node *merge_sort(struct node *list) {
    if (!list || !list->next) return list;
    struct node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct node *back = slow->next;
    slow->next = NULL;
    return merge(merge_sort(list), merge_sort(back));
}

__attribute__((noinline)) static unsigned free_list(struct node *list) {
    unsigned n_nodes = 0;
    while (list) {
        struct node *next = list->next;
        free(list);
        list = next;
        n_nodes++;
    }
    return n_nodes;
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 40, n_nodes = 0;
    for (unsigned round = 0; round < rounds; round++)
        n_nodes += free_list(merge_sort(build_list(50000, round)));
    printf("sorted %u nodes\n", n_nodes);
    return 0;
}
