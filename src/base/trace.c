/* The last events of a stack, see trace.h.
 *
 * Knows: memory. Shape: [first, first + count) of the ring, modulo its room. Units: events.
 * Errors: -ENOMEM leaves it off. Cost: O(1) for each event. */
#include "base/trace.h"

#include <errno.h>

void trace_fini(struct trace *t, struct mem *mem)
{
    mem_free(mem, t->ring, t->room * sizeof t->ring[0]);
    *t = (struct trace){.room = 0};
}

int trace_init(struct trace *t, struct mem *mem, uint32_t room)
{
    if (t->room)
        trace_fini(t, mem);
    if (room == 0)
        return 0;
    t->ring = mem_alloc(mem, room * sizeof t->ring[0]);
    if (!t->ring)
        return -ENOMEM;
    t->room = room;
    return 0;
}

void trace_add(struct trace *t, const struct weir_event *e)
{
    if (!t->room)
        return;
    if (t->count == t->room) {
        t->first = (t->first + 1) % t->room;
        t->count--;
    }
    t->added++;
    t->ring[(t->first + t->count++) % t->room] = *e;
}

bool trace_take(struct trace *t, struct weir_event *out)
{
    if (!t->count)
        return false;
    *out = t->ring[t->first];
    t->first = (t->first + 1) % t->room;
    t->count--;
    return true;
}

bool trace_look(const struct trace *t, uint64_t *cursor, struct weir_event *out)
{
    uint64_t oldest = t->added - t->count;

    if (*cursor < oldest)
        *cursor = oldest;
    if (*cursor >= t->added)
        return false;
    *out = t->ring[(t->first + (uint32_t)(*cursor - oldest)) % t->room];
    ++*cursor;
    return true;
}
