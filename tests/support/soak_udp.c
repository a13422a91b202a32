/* The datagrams of a random world: each that arrives is one that was sent, whole. See soak.h.
 *
 * Knows: libweir's sockets. Shape: a header of id and number, then bytes that follow from them; the
 * large ones travel in fragments. Units: bytes. Errors: soak_wrong. Cost: O(flows). */
#include "soak.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PORT_FIRST 5000
#define SIZE_MAX_ 8192

static uint32_t fill(const struct soak_flow *f, uint32_t number, uint8_t *to)
{
    uint32_t size = 8 + (f->size - 8) * (number % 4 + 1) / 4;

    memcpy(to, (uint32_t[]){(uint32_t)f->id, number}, 8);
    for (uint32_t at = 8; at < size;) {
        uint32_t n = size - at;
        const uint8_t *from = soak_pattern((uint32_t)f->id * 977 + number * 131, at, &n);
        memcpy(to + at, from, n);
        at += n;
    }
    return size;
}

void soak_flows_begin(struct soak *w)
{
    for (int i = 0; i < w->flows; i++) {
        struct soak_flow *f = &w->flow[i];
        struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = (uint16_t)(PORT_FIRST + i)};
        f->from_sock = weir_socket(f->from->stack, AF_INET, SOCK_DGRAM, 0);
        f->to_sock = weir_socket(f->to->stack, AF_INET, SOCK_DGRAM, 0);
        weir_bind(f->to->stack, f->to_sock, &at);
    }
}

static bool send_next(struct soak *w, struct soak_flow *f)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(lab_addr(f->to, f->from)),
                               .port = (uint16_t)(PORT_FIRST + f->id)};
    uint8_t data[SIZE_MAX_ + 8];

    if (f->sent == f->count || f->next_at > w->lab->now || !f->from->stack)
        return false;
    weir_sendto(f->from->stack, f->from_sock, data, fill(f, f->sent, data), 0, &to);
    f->sent++;
    f->next_at = w->lab->now + f->pause;
    return true;
}

static void judge(struct soak *w, struct soak_flow *f, const uint8_t *data, uint32_t len)
{
    uint8_t want[SIZE_MAX_ + 8];
    uint32_t head[2] = {0, 0};

    if (len >= 8)
        memcpy(head, data, 8);
    if (len < 8 || head[0] != (uint32_t)f->id || head[1] >= f->sent ||
        fill(f, head[1], want) != len || memcmp(want, data, len) != 0)
        soak_wrong(w, "flow %d: a datagram of %u bytes that nobody sent", f->id, len);
    else if (f->seen[head[1]]++ && !w->has_dup)
        soak_wrong(w, "flow %d: datagram %u came twice", f->id, head[1]);
    f->got++;
    w->datagrams++;
    w->bytes += len;
}

static bool read_flow(struct soak *w, struct soak_flow *f)
{
    static uint8_t data[65536];
    ssize_t n = -1;

    if (f->to->stack && f->to_sock >= 0)
        n = weir_recv(f->to->stack, f->to_sock, data, sizeof data, 0);
    if (n >= 0)
        judge(w, f, data, (uint32_t)n);
    return n >= 0;
}

bool soak_flows(struct soak *w)
{
    bool did = false;

    for (int i = 0; i < w->flows; i++) {
        did |= send_next(w, &w->flow[i]);
        did |= read_flow(w, &w->flow[i]);
    }
    return did;
}

int64_t soak_flows_deadline(const struct soak *w)
{
    int64_t at = WEIR_NEVER;

    for (int i = 0; i < w->flows; i++)
        if (w->flow[i].sent < w->flow[i].count && w->flow[i].next_at < at)
            at = w->flow[i].next_at;
    return at;
}
