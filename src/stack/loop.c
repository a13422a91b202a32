/* Packets of the stack to one of its own addresses: they never reach the link. 1122#3.3.1.1
 *
 * Knows: frames as they would leave, and weir_input. Shape: output copies such a frame into a list,
 * weir_advance lets it come in; so nothing is answered from within output, and what is lent stays.
 * Units: bytes. Errors: loop_queue, where too much waits: who sends it repeats it or does not care.
 * Cost: one copy. */
#include <string.h>

#include "stack/burst.h"

#define WAITING_MAX (4u << 20)

struct looped {
    struct looped *next;
    int ifindex;
    struct weir_frame frame; /* its one part is `bytes` */
    uint32_t len;
    uint8_t bytes[];
};

void burst_loop(struct burst *b, const struct weir_frame *f)
{
    struct loop *l = &b->k->loop;
    uint32_t len = (uint32_t)weir_frame_len(f), at = 0;
    struct looped *one;

    if (l->bytes + len > WAITING_MAX || !(one = mem_alloc(&b->k->mem, sizeof *one + len))) {
        burst_drop(b, DROP_loop_queue);
        return;
    }
    *one = (struct looped){.ifindex = b->ifindex, .frame = *f, .len = len};
    for (int i = 0; i < f->parts; at += f->part[i++].len)
        memcpy(one->bytes + at, f->part[i].data, f->part[i].len);
    one->frame.part[0] = (struct weir_slice){one->bytes, len};
    one->frame.parts = 1;
    *(l->first ? &l->last->next : &l->first) = one;
    l->last = one;
    l->bytes += len;
    b->k->account.frames_out++;
    b->k->account.bytes_out += len;
}

int loop_advance(struct weir_stack *k)
{
    struct looped *one = k->loop.first, *next;
    int n = 0;

    k->loop = (struct loop){.is_open = one};
    for (; one; one = next, n++) {
        next = one->next;
        weir_input(k, one->ifindex, &one->frame, 1, k->now_us * 1000);
        mem_free(&k->mem, one, sizeof *one + one->len);
    }
    k->loop.is_open = false;
    k->judged.ifindex = 0; /* from our own address, which nobody else may use */
    return n;
}

void loop_fini(struct weir_stack *k)
{
    struct looped *one = k->loop.first, *next;

    for (; one; one = next) {
        next = one->next;
        mem_free(&k->mem, one, sizeof *one + one->len);
    }
}
