/* IPv6 in the packet-test language. See frames6.h.
 *
 * Knows: the public interface, and the wire through a checksum of its own. Shape: as frames.c.
 * Units: bytes. Errors: a failure ends the test. Cost: none that matters. */
#include "frames6.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct weir_addr addr6(const char *text)
{
    struct weir_addr a;

    assert_int_equal(weir_addr_parse(&a, text), 0);
    return a;
}

static uint32_t add_words(uint32_t sum, const void *bytes, uint32_t n)
{
    const uint8_t *p = bytes;

    for (uint32_t i = 0; i < n; i++) {
        sum += (uint32_t)(i & 1 ? p[i] : p[i] << 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint16_t sum6(const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto,
                     const uint8_t *p, uint32_t len)
{
    uint8_t tail[8] = {len >> 24, len >> 16, len >> 8, len, 0, 0, 0, proto};
    uint32_t sum = add_words(add_words(add_words(0, src->b, 16), dst->b, 16), tail, sizeof tail);

    return (uint16_t)~add_words(sum, p, len);
}

static void put_sum(uint8_t *at, uint16_t sum)
{
    at[0] = (uint8_t)(sum >> 8);
    at[1] = (uint8_t)sum;
}

uint16_t sum_of_taken6(const struct taken *t)
{
    return sum6(&t->ip6.src, &t->ip6.dst, t->ip6.next, t->l4, t->l4_len);
}

uint32_t build_icmp6(uint8_t *p, const struct icmp6_spec *s)
{
    struct weir_addr src = addr6(s->src ? s->src : THEM6), dst = addr6(s->dst ? s->dst : US6);
    struct icmp4 h = {.type = s->type, .code = s->code, .rest = s->rest};

    icmp4_emit(p, &h);
    for (uint32_t i = 0; i < s->len; i++)
        p[ICMP_LEN + i] = s->data ? ((const uint8_t *)s->data)[i] : pattern(i);
    put_sum(p + 2, sum6(&src, &dst, PROTO_ICMP6, p, ICMP_LEN + s->len));
    return ICMP_LEN + s->len;
}

uint32_t build_udp6(uint8_t *p, const struct udp_spec *s, const char *src, const char *dst)
{
    struct weir_addr from = addr6(src ? src : THEM6), to = addr6(dst ? dst : US6);
    struct udp h = {.sport = s->sport, .dport = s->dport, .len = (uint16_t)(UDP_LEN + s->len)};

    udp_emit(p, &h);
    p[6] = p[7] = 0;
    for (uint32_t i = 0; i < s->len; i++)
        p[UDP_LEN + i] = pattern(i);
    put_sum(p + 6, sum6(&from, &to, PROTO_UDP, p, h.len));
    return h.len;
}

uint32_t build_quote6(uint8_t *p, const struct packet6_spec *s)
{
    struct ip6 h = {.tclass = s->tclass,
                    .next = s->proto,
                    .hop_limit = s->hops ? s->hops : 64,
                    .payload_len = (uint16_t)s->len,
                    .src = addr6(s->src ? s->src : THEM6),
                    .dst = addr6(s->dst ? s->dst : US6)};

    ip6_emit(p, &h);
    if (s->len)
        memcpy(p + IP6_LEN, s->l4, s->len);
    return IP6_LEN + s->len;
}

const char *put_packet6(struct frames *f, const struct packet6_spec *s)
{
    static uint8_t bytes[IP6_LEN + DATAGRAM_MAX];

    return put_frame(f, bytes, build_quote6(bytes, s));
}

void frames6_addresses(struct frames *f)
{
    struct weir_addr us = addr6(US6), router = addr6("fd00::fe"), right = addr6("fd00:1::1");
    struct weir_addr all = {.w = {0}};

    assert_int_equal(weir_addr_add(f->stack, 1, &us, 64), 0);
    assert_int_equal(weir_route_add(f->stack, &all, 0, &router, 1, 0), 0);
    if (f->ifaces < 2)
        return;
    assert_int_equal(weir_addr_add(f->stack, 2, &right, 64), 0);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv6.conf.all.forwarding", "1"), 0);
}

int udp6_socket(struct frames *f, uint16_t port)
{
    struct weir_sockaddr at = {.port = port};
    int s = weir_socket(f->stack, AF_INET6, SOCK_DGRAM, 0);

    assert_true(s >= 0);
    if (port)
        assert_int_equal(weir_bind(f->stack, s, &at), 0);
    return s;
}

int send_pattern6(struct frames *f, int sock, const char *to, uint16_t port, uint32_t len)
{
    struct weir_sockaddr peer = {.addr = addr6(to), .port = port};
    static uint8_t text[DATAGRAM_MAX + 1];

    for (uint32_t i = 0; i < len; i++)
        text[i] = pattern(i);
    return (int)weir_sendto(f->stack, sock, text, len, 0, &peer);
}
