/* Who may be bound beside whom, and who then hears what: addresses of both versions, and those of
 * IPv4 as sockets of IPv6 write them. The table is what Linux 6.18 does. 3493#3.7, 3493#5.3.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "frames6.h"

#define PORT 5000
#define KINDS 8

static const struct kind {
    int family;
    const char *addr;
    int is_v6only;
    const char *beside; /* 'X': not beside this one */
} kinds[KINDS] = {
    {AF_INET, "0.0.0.0", 0, "XXX...XX"},
    {AF_INET, "10.0.0.1", 0, "XXX...XX"},
    {AF_INET6, "::", 0, "XXXXXXXX"},
    {AF_INET6, "::", 1, "..XXXX.."},
    {AF_INET6, "fd00::1", 0, "..XXXX.."},
    {AF_INET6, "fd00::1", 1, "..XXXX.."},
    {AF_INET6, "::ffff:10.0.0.1", 0, "XXX...XX"},
    {AF_INET6, "::ffff:0.0.0.0", 0, "XXX...XX"},
};

/* A socket of this kind, bound: its number, or why not. */
static int bound(struct frames *f, const struct kind *k, int type, int is_shared)
{
    struct weir_sockaddr at = {.addr = addr6(k->addr), .port = PORT};
    int s = weir_socket(f->stack, k->family, type, 0), v;

    assert_true(s >= 0);
    if (k->family == AF_INET6)
        weir_setsockopt(f->stack, s, IPPROTO_IPV6, IPV6_V6ONLY, &k->is_v6only, sizeof k->is_v6only);
    weir_setsockopt(f->stack, s, SOL_SOCKET, SO_REUSEADDR, &is_shared, sizeof is_shared);
    v = weir_bind(f->stack, s, &at);
    if (v < 0)
        weir_close(f->stack, s);
    return v < 0 ? v : s;
}

/* Datagrams, streams, and streams that share addresses beside a listener. */
TEST(the_table_of_linux_holds)
{
    static const struct {
        int type, is_shared;
    } ways[] = {{SOCK_DGRAM, 0}, {SOCK_STREAM, 0}, {SOCK_STREAM, 1}};

    for (int way = 0; way < 3; way++) {
        for (int i = 0; i < KINDS * KINDS; i++) {
            struct frames *f = frames_of(.has_v6 = true);
            const struct kind *a = &kinds[i / KINDS], *b = &kinds[i % KINDS];
            int one = bound(f, a, ways[way].type, ways[way].is_shared), other;

            assert_true(one >= 0);
            if (ways[way].is_shared)
                assert_int_equal(weir_listen(f->stack, one, 1), 0);
            other = bound(f, b, ways[way].type, ways[way].is_shared);
            if (a->beside[i % KINDS] == 'X')
                assert_int_equal(other, -EADDRINUSE);
            else
                assert_true(other >= 0);
            weir_close(f->stack, one); /* then there is room again */
            if (other < 0)
                assert_true(bound(f, b, ways[way].type, ways[way].is_shared) >= 0);
            frames_end(f);
        }
    }
}

static bool hears(struct frames *f, int sock)
{
    uint8_t text[16];

    return weir_recv(f->stack, sock, text, sizeof text, 0) == 10;
}

/* Of two that are bound side by side each hears its own version and not the other's; a socket of
 * IPv6 alone leaves datagrams of IPv4 to nobody. */
TEST(each_hears_its_own)
{
    uint8_t four[64], six[64];
    struct udp_spec udp = {.sport = 9, .dport = PORT, .len = 10};
    uint32_t n = build_udp(four, &udp);

    build_udp6(six, &udp, NULL, NULL);
    for (int i = 0; i < KINDS * KINDS; i++) {
        const struct kind *a = &kinds[i / KINDS], *b = &kinds[i % KINDS];
        struct frames *f;
        int one, other;

        if (a->beside[i % KINDS] == 'X' || a->beside[0] == '.')
            continue; /* `a` is of IPv4, `b` of IPv6 */
        f = frames_of(.has_v6 = true);
        one = bound(f, a, SOCK_DGRAM, 0);
        other = bound(f, b, SOCK_DGRAM, 0);
        assert_null(put(f, .proto = PROTO_UDP, .l4 = four, .len = n));
        assert_true(hears(f, one) && !hears(f, other));
        assert_null(put6(f, .proto = PROTO_UDP, .l4 = six, .len = n));
        assert_true(hears(f, other) && !hears(f, one));
        weir_close(f->stack, one);
        assert_string_equal(put(f, .proto = PROTO_UDP, .l4 = four, .len = n), "udp_no_port");
        assert_false(hears(f, other));
        assert_non_null(take(f)); /* port unreachable */
        frames_end(f);
    }
}

/* A socket at :: hears both, and tells IPv4's addresses as mapped ones; what it sends to a mapped
 * address is IPv4. */
TEST(a_socket_of_both_speaks_both)
{
    struct frames *f = frames_of(.has_v6 = true);
    int s = bound(f, &kinds[2], SOCK_DGRAM, 0);
    struct udp_spec udp = {.sport = 9, .dport = PORT, .len = 10};
    struct weir_addr them = addr6("::ffff:10.0.0.2");
    struct weir_sockaddr from;
    uint8_t bytes[64];
    uint32_t n = build_udp(bytes, &udp);
    struct taken *t;

    assert_null(put(f, .proto = PROTO_UDP, .l4 = bytes, .len = n));
    assert_int_equal(weir_recvfrom(f->stack, s, bytes, sizeof bytes, 0, &from), 10);
    assert_true(weir_addr_equal(&from.addr, &them));
    assert_int_equal(weir_sendto(f->stack, s, "x", 1, 0, &from), 1);
    t = take(f);
    assert_false(t->is_v6);
    assert_int_equal(t->ip.dst, THEM);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("bind6");
}
