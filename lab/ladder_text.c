/* A segment in words.
 *
 * Knows: segments. Shape: each connection has a number, from 1 in the order of appearance, and each
 * direction the first number it was seen with, which a SYN sets anew. Units: bytes.
 * Errors: text that does not fit is cut. Cost: O(1) by hash. */
#include "lab/ladder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

#define BUCKETS 1024

struct flow {
    struct flow *next;
    uint32_t addr[2]; /* the lower address first, then by port */
    uint16_t port[2];
    uint32_t first[2]; /* sequence number of the direction from end 0, from end 1 */
    bool is_known[2];
    uint8_t shift[2]; /* window scale that the direction's SYN offered */
    bool has_scale[2];
    int number;
};

struct ladder_flows {
    struct flow *bucket[BUCKETS];
    int count;
};

struct ladder_flows *ladder_flows_new(void)
{
    struct ladder_flows *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    return f;
}

void ladder_flows_free(struct ladder_flows *f)
{
    for (int i = 0; i < BUCKETS; i++)
        while (f->bucket[i]) {
            struct flow *x = f->bucket[i];
            f->bucket[i] = x->next;
            free(x);
        }
    free(f);
}

int ladder_flow_count(const struct ladder_flows *f)
{
    return f->count;
}

/* What it would be found by, and where. *dir: 0 if the segment's sender is end 0. */
static struct flow **find(struct ladder_flows *f, const struct lab_seg *s, struct flow *like,
                          int *dir)
{
    uint32_t hash = (s->src ^ s->dst) * 2654435761u + (uint32_t)(s->sport ^ s->dport) * 40503u;
    struct flow **at = &f->bucket[(hash >> 8) % BUCKETS];

    *dir = s->src > s->dst || (s->src == s->dst && s->sport > s->dport);
    like->addr[*dir] = s->src;
    like->addr[1 - *dir] = s->dst;
    like->port[*dir] = s->sport;
    like->port[1 - *dir] = s->dport;
    while (*at && (memcmp((*at)->addr, like->addr, sizeof like->addr) != 0 ||
                   memcmp((*at)->port, like->port, sizeof like->port) != 0))
        at = &(*at)->next;
    return at;
}

static struct flow *flow_of(struct ladder_flows *f, const struct lab_seg *s, int *dir)
{
    struct flow like = {.number = 0};
    struct flow **at = find(f, s, &like, dir);

    if (*at != NULL)
        return *at;
    *at = calloc(1, sizeof **at);
    if (!*at)
        abort();
    like.number = ++f->count;
    **at = like;
    return *at;
}

int ladder_flow_find(const struct ladder_flows *f, const struct lab_seg *s)
{
    struct flow like;
    int dir;
    const struct flow *x = *find((struct ladder_flows *)f, s, &like, &dir);

    return x ? x->number : 0;
}

struct out {
    char *text;
    size_t size, len;
};

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(o->text + o->len, o->size - o->len, format, args);
    va_end(args);
    o->len += (size_t)n;
    if (o->len >= o->size)
        o->len = o->size - 1;
}

static void put_tcp(struct out *o, const struct lab_seg *s, uint32_t first, uint32_t peer_first)
{
    static const char *const counters[] = {"e0b", "ceb", "e1b"};
    uint32_t seq = s->seq - first, ack = s->ack - peer_first;
    bool has_ack = s->flags & TCP_ACK;

    if (s->flags & TCP_SYN)
        put(o, has_ack ? "SYN/ACK %u" : "SYN %u", seq);
    else if (s->flags & TCP_RST)
        put(o, has_ack ? "RST/ACK %u" : "RST %u", seq);
    else if (s->flags & TCP_FIN)
        put(o, s->len ? "FIN data %u:%u" : "FIN %u", seq, seq + s->len);
    else if (s->len)
        put(o, "data %u:%u", seq, seq + s->len);
    else
        put(o, "ACK %u", ack);
    if (has_ack && (s->len || s->flags & (TCP_SYN | TCP_RST | TCP_FIN)))
        put(o, " ack %u", ack);
    if (s->flags & TCP_URG)
        put(o, " urg");
    if (s->flags & TCP_SYN && s->opts & TCP_OPT_MSS)
        put(o, " mss %u", s->mss);
    if (!s->wnd && !(s->flags & TCP_RST))
        put(o, " win 0");
    for (int i = 0; i < s->sacks && i < 2; i++)
        put(o, " sack %u:%u", s->sack[i][0] - peer_first, s->sack[i][1] - peer_first);
    if (s->opts & TCP_OPT_ACC)
        put(o, " accecn%d", s->is_acc_1);
    for (int i = 0; i < s->accs; i++)
        put(o, " %s %u", counters[s->is_acc_1 ? 2 - i : i], s->acc[i]);
}

static void put_icmp(struct out *o, const struct lab_seg *s)
{
    switch (s->icmp_type) {
    case ICMP4_ECHO:
        put(o, "echo request, ttl %u", s->ttl);
        return;
    case ICMP4_ECHO_REPLY:
        put(o, "echo reply");
        return;
    case ICMP4_TIME:
        put(o, "ICMP time exceeded");
        return;
    case ICMP4_UNREACH:
        if (s->icmp_code == UNREACH_FRAG)
            put(o, "ICMP too big, MTU %u", s->mtu);
        else
            put(o, "ICMP unreachable (%s)",
                s->icmp_code == UNREACH_PORT   ? "port"
                : s->icmp_code == UNREACH_HOST ? "host"
                : s->icmp_code == UNREACH_NET  ? "net"
                                               : "refused");
        return;
    default:
        put(o, "ICMP type %u", s->icmp_type);
    }
}

int ladder_text(struct ladder_flows *f, const struct lab_seg *s, char *text, size_t size)
{
    struct out o = {text, size, 0};
    struct flow *x;
    int dir;

    text[0] = '\0';
    if (s->proto == LAB_UDP)
        put(&o, "UDP %u bytes", s->len);
    else if (s->proto == LAB_ICMP)
        put_icmp(&o, s);
    else if (s->proto == LAB_ARP)
        put(&o, s->arp_op == ARP_REQUEST ? "%s who has .%u?" : "%s it is I, .%u",
            s->is_v6 ? "ND" : "ARP", s->arp_op == ARP_REQUEST ? s->dst & 255 : s->src & 255);
    else if (s->proto != LAB_TCP)
        put(&o, "IP packet");
    if (s->proto != LAB_TCP)
        return 0;
    x = flow_of(f, s, &dir);
    if (!x->is_known[dir] || s->flags & TCP_SYN) {
        x->first[dir] = s->seq;
        x->is_known[dir] = true;
    }
    if (!x->is_known[1 - dir] && s->flags & TCP_ACK) {
        x->first[1 - dir] = s->ack - 1;
        x->is_known[1 - dir] = true;
    }
    if (s->flags & TCP_SYN) {
        x->has_scale[dir] = s->opts & TCP_OPT_WSCALE;
        x->shift[dir] = s->wscale;
    }
    put_tcp(&o, s, x->first[dir], x->first[1 - dir]);
    return x->number;
}

void ladder_numbers(struct ladder_flows *f, const struct lab_seg *s, struct ladder_numbers *n)
{
    int dir;
    const struct flow *x = flow_of(f, s, &dir);
    bool is_scaled = x->has_scale[0] && x->has_scale[1] && !(s->flags & TCP_SYN);

    n->seq = s->seq - x->first[dir];
    n->ack = s->flags & TCP_ACK ? s->ack - x->first[1 - dir] : 0;
    n->window = is_scaled ? (uint32_t)s->wnd << x->shift[dir] : s->wnd;
    for (int i = 0; i < s->sacks && i < 4; i++) {
        n->sack[i][0] = s->sack[i][0] - x->first[1 - dir];
        n->sack[i][1] = s->sack[i][1] - x->first[1 - dir];
    }
}
