/* Congestion control: which algorithms there are. Adding one is one file and one line here.
 *
 * Knows: the table. Not what an algorithm does. Shape: an algorithm sees struct cc, the ack_event
 * and the rtt, never the tcb. Units: bytes. Errors: NULL for an unknown name. Cost: O(1). */
#include <string.h>

#include "tcp/tcb.h"

static const struct cc_algo *const algorithms[] = {&cc_reno};

const struct cc_algo *cc_find(const char *name)
{
    for (unsigned i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i]->name, name) == 0)
            return algorithms[i];
    return NULL;
}

void cc_init(struct cc *c, const struct cc_algo *algo, uint32_t mss, uint32_t initial_segments)
{
    *c = (struct cc){.algo = algo ? algo : algorithms[0], .ssthresh = UINT32_MAX, .mss = mss};
    c->cwnd = mss * initial_segments;
    c->algo->init(c, mss);
}
