/* Frames of the packet-test language: built, taken apart, printed. See peer.h.
 *
 * Knows: the wire, through the stack's own writer of headers but with a checksum of its own.
 * Shape: pure. Units: bytes. Errors: a text that says what is wrong. Cost: O(bytes). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_net.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u

bool peer_is_v6(void)
{
    const char *version = getenv("WEIR_TEST_IP");

    return version && strcmp(version, "6") == 0;
}

struct weir_addr peer_addr(bool is_host)
{
    struct weir_addr six = {.b = {0xfd, [15] = is_host ? 1 : 2}};

    return peer_is_v6() ? six : weir_addr_v4(is_host ? HOST : PEER);
}

uint32_t peer_ip_len(void)
{
    return peer_is_v6() ? IP6_LEN : IP4_LEN;
}

uint32_t peer_put_ip(uint8_t *p, const struct peer_packet *s)
{
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .tos = s->tos,
                     .proto = s->proto,
                     .src = s->is_from_host ? HOST : PEER,
                     .dst = s->is_from_host ? PEER : HOST,
                     .total_len = (uint16_t)(IP4_LEN + s->len)};
    struct ip6 ip6 = {.tclass = s->tos,
                      .next = s->proto,
                      .hop_limit = 64,
                      .payload_len = (uint16_t)s->len,
                      .src = peer_addr(s->is_from_host),
                      .dst = peer_addr(!s->is_from_host)};

    return (uint32_t)(peer_is_v6() ? ip6_emit(p, &ip6) : ip4_emit(p, &ip));
}

uint8_t peer_byte(bool is_from_stack, uint32_t relative)
{
    uint32_t x = relative * 2654435761u + (is_from_stack ? 40503u : 0);

    return (uint8_t)(x >> 24 ^ x >> 11);
}

/* 1071, written apart from src/base/sum.c. */
static uint32_t add_words(uint32_t sum, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        sum += (uint32_t)(i & 1 ? p[i] : p[i] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static uint32_t tcp_sum(const uint8_t *ip, uint32_t tcp_len)
{
    bool is_v6 = peer_is_v6();
    uint32_t sum = add_words(PROTO_TCP + tcp_len, ip + (is_v6 ? 8 : 12), is_v6 ? 32 : 8);

    return add_words(sum, ip + peer_ip_len(), tcp_len);
}

static struct tcp_hdr header_of(const struct peer *p, const struct segment *s)
{
    struct tcp_hdr h = {.sport = s->port ? s->port : p->port,
                        .dport = p->stack_port,
                        .seq = seq_of(p->isn + s->seq),
                        .ack = seq_of(s->flags & ACK ? p->stack_isn + s->ack : 0),
                        .flags = s->flags,
                        .ae = s->ae,
                        .urg = s->urg};
    bool has_ts = s->has_ts || s->tsval;

    h.wnd = (uint16_t)(s->wnd == CLOSED_WINDOW ? 0 : s->wnd ? s->wnd : 65535);
    h.opt.mss = s->mss;
    h.opt.wscale = (uint8_t)(s->wscale - 1);
    h.opt.has = (uint8_t)((s->mss ? TCP_OPT_MSS : 0) | (s->wscale ? TCP_OPT_WSCALE : 0) |
                          (s->sack_ok ? TCP_OPT_SACK_OK : 0) | (has_ts ? TCP_OPT_TS : 0));
    h.opt.has |= s->accs ? TCP_OPT_ACC : 0;
    h.opt.accs = s->accs;
    h.opt.is_acc_1 = s->is_acc_1;
    memcpy(h.opt.acc, s->acc, sizeof h.opt.acc);
    h.opt.tsval = s->tsval;
    h.opt.tsecr = s->tsecr ? p->ts_first + s->tsecr : 0;
    for (int i = 0; i < TCP_SACK_MAX && s->sack[i].end; i++) {
        h.opt.has |= TCP_OPT_SACK;
        h.opt.sack[h.opt.sacks++] = (struct tcp_sack){seq_of(p->stack_isn + s->sack[i].start),
                                                      seq_of(p->stack_isn + s->sack[i].end)};
    }
    return h;
}

uint32_t peer_build(const struct peer *p, const struct segment *s, uint8_t *frame)
{
    struct tcp_hdr h = header_of(p, s);
    uint32_t at = peer_ip_len(), head = (uint32_t)tcp_emit(frame + at, &h);
    uint32_t first = s->seq + !!(s->flags & SYN), sum;
    struct peer_packet ip = {.tos = s->ecn & 3, .proto = PROTO_TCP, .len = head + s->len};

    assert_true(at + ip.len <= PEER_FRAME_MAX);
    peer_put_ip(frame, &ip);
    for (uint32_t i = 0; i < s->len; i++)
        frame[at + head + i] = peer_byte(false, first + i);
    frame[at + 16] = frame[at + 17] = 0;
    sum = ~tcp_sum(frame, head + s->len);
    frame[at + 16] = (uint8_t)(sum >> 8);
    frame[at + 17] = (uint8_t)sum;
    return at + ip.len;
}

/* What is wrong with the IP header, or NULL. */
static const char *parse_ip(const uint8_t *frame, uint32_t len, struct got *out)
{
    struct weir_addr host = peer_addr(true), peer = peer_addr(false);
    struct ip4 ip;
    struct ip6 ip6;

    if (peer_is_v6()) {
        if (ip6_parse(&ip6, frame, len) != IP6_LEN || IP6_LEN + (uint32_t)ip6.payload_len != len)
            return "a bad IPv6 header";
        out->tos = ip6.tclass;
        out->is_whole = true;
        if (ip6.next != PROTO_TCP || !weir_addr_equal(&ip6.src, &host) ||
            !weir_addr_equal(&ip6.dst, &peer))
            return "no TCP to the peer";
        return ip6.flow ? NULL : "no flow label";
    }
    if (ip4_parse(&ip, frame, len) != IP4_LEN || ip.total_len != len)
        return "a bad IP header";
    out->tos = ip.tos;
    out->is_whole = ip.frag & IP4_DF;
    if (add_words(0, frame, IP4_LEN) != 0xffff)
        return "a bad IP checksum";
    return ip.proto != PROTO_TCP || ip.src != HOST || ip.dst != PEER ? "no TCP to the peer" : NULL;
}

const char *peer_parse(const uint8_t *frame, uint32_t len, struct got *out)
{
    uint32_t at = peer_ip_len();
    const char *wrong = parse_ip(frame, len, out);
    int head;

    if (wrong)
        return wrong;
    if (tcp_sum(frame, len - at) != 0xffff)
        return "a bad TCP checksum";
    head = tcp_parse(&out->h, frame + at, len - at);
    if (head <= 0)
        return "a bad TCP header";
    out->len = len - at - (uint32_t)head;
    memcpy(out->text, frame + at + head, out->len);
    return NULL;
}

/* What was got, in the numbers that tests use. */
void peer_relative(const struct peer *p, const struct got *g, struct segment *out)
{
    const struct tcp_opts *o = &g->h.opt;

    *out = (struct segment){.flags = g->h.flags,
                            .seq = g->h.seq.v - p->stack_isn,
                            .ack = g->h.flags & ACK ? g->h.ack.v - p->isn : 0,
                            .len = g->len,
                            .wnd = g->h.wnd ? g->h.wnd : CLOSED_WINDOW,
                            .urg = g->h.urg,
                            .ecn = g->tos & 3 ? g->tos & 3 : NOT_ECT,
                            .mss = o->has & TCP_OPT_MSS ? o->mss : 0,
                            .wscale = (uint8_t)(o->has & TCP_OPT_WSCALE ? o->wscale + 1 : 0),
                            .sack_ok = !!(o->has & TCP_OPT_SACK_OK),
                            .has_ts = !!(o->has & TCP_OPT_TS),
                            .sacks = o->has & TCP_OPT_SACK ? o->sacks : NO_SACK};
    out->ae = g->h.ae;
    out->accs = o->has & TCP_OPT_ACC ? o->accs : 0;
    out->is_acc_1 = o->has & TCP_OPT_ACC && o->is_acc_1;
    for (int i = 0; i < out->accs; i++)
        out->acc[i] = o->acc[i];
    if (out->has_ts) {
        out->tsval = o->tsval - p->ts_first;
        out->tsecr = o->tsecr;
    }
    for (int i = 0; i < TCP_SACK_MAX && out->sacks != NO_SACK && i < out->sacks; i++)
        out->sack[i] = (struct tcp_sack_spec){o->sack[i].start.v - p->isn,
                                              o->sack[i].end.v - p->isn};
}

static void add(char **at, size_t *left, const char *name, uint32_t n)
{
    int len = n == ANY ? 0 : snprintf(*at, *left, " %s %u", name, n);

    assert_true(len >= 0 && (size_t)len < *left);
    *at += len;
    *left -= (size_t)len;
}

void peer_print_segment(const struct segment *s, char *text, size_t size)
{
    static const char names[] = "FSRPAUEC";
    char *at = text;

    for (int i = 0; i < 8; i++)
        if (s->flags & 1 << i)
            *at++ = names[i];
    *at = '\0';
    size -= (size_t)(at - text);
    if (s->ae)
        add(&at, &size, "ae", 1);
    for (int i = 0; i < s->accs; i++)
        add(&at, &size, s->is_acc_1 ? "accecn1" : "accecn0", s->acc[i]);
    add(&at, &size, "seq", s->seq);
    add(&at, &size, "ack", s->ack);
    add(&at, &size, "len", s->len);
    if (s->wnd)
        add(&at, &size, "wnd", s->wnd == CLOSED_WINDOW ? 0 : s->wnd);
    if (s->urg)
        add(&at, &size, "urg", s->urg);
    if (s->mss)
        add(&at, &size, "mss", s->mss);
    if (s->wscale)
        add(&at, &size, "wscale", s->wscale - 1u);
    if (s->sack_ok)
        add(&at, &size, "sackOK", 1);
    if (s->tsval || s->has_ts) {
        add(&at, &size, "tsval", s->tsval);
        add(&at, &size, "tsecr", s->tsecr);
    }
    for (int i = 0; i < TCP_SACK_MAX && s->sack[i].end; i++) {
        add(&at, &size, "sack", s->sack[i].start);
        add(&at, &size, "to", s->sack[i].end);
    }
}
