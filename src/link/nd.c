/* Messages of neighbour discovery that come in. 4861#6.1, 4861#7.1, 6980.
 *
 * Knows: which messages can be true. Shape: judged before anything is believed. Units: bytes.
 * Errors: verdicts. Cost: O(1). */
#include "link/link.h"

#define HOP_LIMIT 255 /* none but a neighbour can send it: a router takes one off */

enum drop nd_input(struct link *l, const struct nd_in *in, int64_t now_us)
{
    (void)l;
    (void)now_us;
    if (in->hop_limit != HOP_LIMIT || in->was_fragmented || in->message[1] != 0)
        return DROP_nd_invalid;
    return DROP_icmp_type;
}
