/* One event of a stack's trace as a line of text: see past.h.
 *
 * Knows: the order of the numbers. Shape: one format for both directions. Units: us. Errors: a line
 * that is not one is refused. Cost: O(1). */
#include "run/past.h"

#include <inttypes.h>
#include <stdio.h>

static void addr_hex(const struct weir_addr *a, char hex[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", a->b[i]);
}

static bool addr_from(const char *hex, struct weir_addr *a)
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        a->b[i] = (uint8_t)byte;
    }
    return true;
}

size_t past_write(const struct past *p, char text[PAST_LINE])
{
    char local[33], peer[33];

    addr_hex(&p->local.addr, local);
    addr_hex(&p->peer.addr, peer);
    return (size_t)snprintf(text, PAST_LINE, "%" PRId64 " %u %u %u %u %u %u %s %u %s %u\n",
                            p->ago_us, p->why.verdict, p->why.event, p->why.from, p->why.to,
                            p->why.n, p->why.of, local, p->local.port, peer, p->peer.port);
}

bool past_read(struct past *p, const char *line)
{
    unsigned n[6], lport, pport;
    char local[33], peer[33];

    if (sscanf(line, "%" SCNd64 " %u %u %u %u %u %u %32s %u %32s %u", &p->ago_us, &n[0], &n[1],
               &n[2], &n[3], &n[4], &n[5], local, &lport, peer, &pport) != 11)
        return false;
    p->why = (struct weir_why){.verdict = (uint16_t)n[0],
                               .event = (uint16_t)n[1],
                               .from = (uint8_t)n[2],
                               .to = (uint8_t)n[3],
                               .n = (uint8_t)n[4],
                               .of = (uint8_t)n[5]};
    p->local.port = (uint16_t)lport;
    p->peer.port = (uint16_t)pport;
    return addr_from(local, &p->local.addr) && addr_from(peer, &p->peer.addr);
}
