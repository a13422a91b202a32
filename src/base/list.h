/* Doubly linked lists of pool objects by index: 8 bytes a node, unlinking from anywhere.
 *
 * Knows: pool. Shape: one list has one pool and one node offset; a node that is on no list has
 * next == LIST_OFF. Cost: O(1). */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

#define LIST_OFF UINT32_MAX

struct list_node {
    uint32_t next, prev; /* 0: end */
};

struct list {
    struct pool *pool;
    uint32_t offset;
    uint32_t first, last;
    uint32_t count;
};

static inline void list_init(struct list *l, struct pool *pool, uint32_t offset)
{
    *l = (struct list){.pool = pool, .offset = offset};
}
static inline struct list_node *list_node_at(const struct list *l, uint32_t i)
{
    return (struct list_node *)(void *)((uint8_t *)pool_at(l->pool, i) + l->offset);
}
static inline void list_node_init(struct list_node *n)
{
    n->next = n->prev = LIST_OFF;
}
static inline bool list_is_on(const struct list_node *n)
{
    return n->next != LIST_OFF;
}

static inline void list_append(struct list *l, uint32_t i)
{
    struct list_node *n = list_node_at(l, i);
    n->next = 0;
    n->prev = l->last;
    if (l->last)
        list_node_at(l, l->last)->next = i;
    else
        l->first = i;
    l->last = i;
    l->count++;
}

/* `i` goes in front of `before`, which is on the list. */
static inline void list_insert(struct list *l, uint32_t i, uint32_t before)
{
    struct list_node *n = list_node_at(l, i), *next = list_node_at(l, before);
    n->next = before;
    n->prev = next->prev;
    if (n->prev)
        list_node_at(l, n->prev)->next = i;
    else
        l->first = i;
    next->prev = i;
    l->count++;
}

static inline void list_unlink(struct list *l, uint32_t i)
{
    struct list_node *n = list_node_at(l, i);
    if (n->prev)
        list_node_at(l, n->prev)->next = n->next;
    else
        l->first = n->next;
    if (n->next)
        list_node_at(l, n->next)->prev = n->prev;
    else
        l->last = n->prev;
    list_node_init(n);
    l->count--;
}

#endif
