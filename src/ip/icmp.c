/* ICMP messages that come in: echo requests are answered, errors are read for the transports. 792,
 * 1122#3.2.2, 6633, 6918.
 *
 * Knows: messages and quotes. Not sockets or connections: whether a quote is ours they will say.
 * Shape: nothing is believed here, and nothing changed but the queue of answers. Units: bytes.
 * Errors: verdicts. Cost: one pass for the checksum, one copy of an echo. */
#include "ip/inner.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define QUOTE_MAX 68   /* the longest IP header and 8 bytes: 792 */
#define UNREACH_MAX 15 /* codes that are defined */
#define REDIRECT_MAX 3

enum { REPLY_QUERIES_FIRST = 13, REPLY_QUERIES_LAST = 18 }; /* timestamp, information, mask */

static enum drop input_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *h);
static enum drop input_error(const struct icmp_view *in, const struct icmp4 *h,
                             struct icmp_event *out);

enum drop icmp_input(struct ip *ip, const struct icmp_view *in, struct icmp_event *out)
{
    uint32_t len = slices_len(in->part, in->parts);
    uint8_t hdr[ICMP_LEN];
    struct icmp4 h;

    out->kind = ICMP_EVENT_NONE;
    if (slices_peek(in->part, in->parts, hdr, ICMP_LEN) < ICMP_LEN)
        return DROP_icmp_short;
    if (sum_finish(slices_sum(0, in->part, in->parts, len)) != 0)
        return DROP_icmp_checksum;
    h = (struct icmp4){.type = hdr[0], .code = hdr[1], .rest = get32(hdr + 4)};
    switch (h.type) {
    case ICMP4_ECHO:
        return input_echo(ip, in, &h);
    case ICMP4_ECHO_REPLY:
        out->kind = ICMP_EVENT_REPLY;
        out->id = (uint16_t)(h.rest >> 16);
        return PASS;
    case ICMP4_UNREACH:
    case ICMP4_TIME:
    case ICMP4_PARAM:
    case ICMP4_REDIRECT:
        return input_error(in, &h, out);
    case ICMP4_QUENCH: /* 6633#3 */
        return DROP_icmp_ignored;
    default:
        return h.type >= REPLY_QUERIES_FIRST && h.type <= REPLY_QUERIES_LAST ? DROP_icmp_ignored
                                                                             : DROP_icmp_type;
    }
}

/* The reply is the request with another type: its checksum follows by arithmetic (1624), and would
 * be wrong if the request was changed on its way through us. */
enum drop icmp_answer_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *reply,
                           uint8_t request, uint32_t moved)
{
    uint32_t len = slices_len(in->part, in->parts);
    struct icmp_answer a = {
        .src = in->local,
        .dst = in->src,
        .ifindex = in->ifindex,
        .tos = in->tos,
        .skip = ICMP_LEN,
        .len = len - ICMP_LEN,
        .parts = in->parts,
        .part = in->part,
    };
    uint8_t old[ICMP_LEN], was[2] = {request, 0}, is[2] = {reply->type, 0};
    uint16_t sum;

    slices_peek(in->part, in->parts, old, sizeof old);
    memcpy(&sum, old + 2, sizeof sum);
    moved += sum_add((uint16_t)~sum, is, sizeof is) + sum_finish(sum_add(0, was, sizeof was));
    icmp4_emit(a.hdr, reply);
    sum = sum_finish(moved);
    if (!sum)
        sum = 0xffff; /* -0: a message of zeros needs it, to any other it is the same */
    memcpy(a.hdr + 2, &sum, sizeof sum);
    return icmp_queue(ip, &a);
}

static enum drop input_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *h)
{
    const struct ip_config *c = &ip->config;
    struct icmp4 reply = {.type = ICMP4_ECHO_REPLY, .code = h->code, .rest = h->rest};

    if (c->icmp_echo_ignore_all || (in->is_group && c->icmp_echo_ignore_broadcasts))
        return DROP_icmp_echo_refused;
    return icmp_answer_echo(ip, in, &reply, ICMP4_ECHO, 0);
}

static int unreach_errno(uint8_t code)
{
    static const uint8_t table[UNREACH_MAX + 1] = {
        /* as Linux */
        ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, EMSGSIZE,     EOPNOTSUPP,
        ENETUNREACH,  EHOSTDOWN,    ENONET,       ENETUNREACH,  EHOSTUNREACH, ENETUNREACH,
        EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
    };

    return table[code];
}

static bool is_unreach_hard(uint8_t code)
{
    switch (code) {
    case UNREACH_PROTO:
    case UNREACH_PORT:
    case UNREACH_FRAG:
    case 6:  /* network unknown */
    case 7:  /* host unknown */
    case 8:  /* source host isolated */
    case 9:  /* network prohibited */
    case 10: /* host prohibited */
    case UNREACH_ADMIN:
    case 14: /* precedence violation */
    case 15: /* precedence cutoff */
        return true;
    default:
        return false; /* 1122#3.2.2.1: hints */
    }
}

uint32_t icmp_plateau_below(uint32_t len)
{
    static const uint16_t plateau[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

    for (size_t i = 0; i < sizeof plateau / sizeof *plateau; i++)
        if (plateau[i] < len)
            return plateau[i];
    return 68;
}

enum drop icmp_read_quote(const uint8_t *p, uint32_t n, struct icmp_error *out)
{
    uint32_t hdr_len;

    if (n < IP4_LEN || p[0] >> 4 != 4)
        return DROP_icmp_quote;
    hdr_len = (uint32_t)(p[0] & 15) * 4;
    if (hdr_len < IP4_LEN || n < hdr_len + 8)
        return DROP_icmp_quote;
    if (get16(p + 6) & 0x1fff)
        return DROP_icmp_quote; /* a later fragment: whose it was can not be seen */
    out->proto = p[9];
    out->local = weir_addr_v4(get32(p + 12));
    out->remote = weir_addr_v4(get32(p + 16));
    return icmp_read_transport(p + hdr_len, out->proto == PROTO_ICMP, ICMP4_ECHO, out);
}

enum drop icmp_read_transport(const uint8_t *p, bool is_icmp, uint8_t echo, struct icmp_error *out)
{
    if (is_icmp) {
        if (p[0] != echo)
            return DROP_icmp_unmatched; /* nobody waits for what became of an answer */
        out->lport = get16(p + 4);
        return PASS;
    }
    out->lport = get16(p);
    out->rport = get16(p + 2);
    out->seq = get32(p + 4);
    return PASS;
}

/* What the message says to the sender of the packet: an errno, and how serious it is. */
static void explain(const struct icmp4 *h, uint16_t quoted_len, struct icmp_error *out)
{
    out->type = h->type;
    out->code = h->code;
    if (h->type != ICMP4_UNREACH) {
        out->error = h->type == ICMP4_TIME ? EHOSTUNREACH : EPROTO;
        out->is_hard = h->type == ICMP4_PARAM;
        return;
    }
    out->error = unreach_errno(h->code);
    out->is_hard = is_unreach_hard(h->code);
    if (h->code == UNREACH_FRAG) {
        out->mtu = h->rest & 0xffff;
        if (!out->mtu) {
            out->mtu = icmp_plateau_below(quoted_len);
            out->quoted_len = quoted_len;
        }
    }
}

static enum drop input_error(const struct icmp_view *in, const struct icmp4 *h,
                             struct icmp_event *out)
{
    uint8_t bytes[ICMP_LEN + QUOTE_MAX];
    uint32_t n = slices_peek(in->part, in->parts, bytes, sizeof bytes);
    enum drop d;

    if ((h->type == ICMP4_UNREACH && h->code > UNREACH_MAX) ||
        (h->type == ICMP4_REDIRECT && h->code > REDIRECT_MAX))
        return DROP_icmp_type;
    out->error = (struct icmp_error){.from = in->src};
    d = icmp_read_quote(bytes + ICMP_LEN, n - ICMP_LEN, &out->error);
    if (d != PASS)
        return d;
    if (h->type == ICMP4_REDIRECT) { /* 1122#3.3.1.2: of a network counts as of a host */
        out->gateway = weir_addr_v4(h->rest);
        out->kind = ICMP_EVENT_REDIRECT;
        return PASS;
    }
    explain(h, get16(bytes + ICMP_LEN + 2), &out->error);
    out->error.text_at = ICMP_LEN + (uint32_t)(bytes[ICMP_LEN] & 15) * 4 + 8;
    out->kind = ICMP_EVENT_ERROR;
    return PASS;
}
