/* What a program can say of its datagrams and hear of others': IP options, TOS, TTL, addresses, the
 * path. 1122#3.2.1.6 3.2.1.7 3.2.1.8 3.3.3 3.3.4 3.4 4.1.3 4.1.4. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

#define OUR_OTHER 0x0a000003u
#define STRANGER 0xc0000201u

static uint8_t udp[DATAGRAM_MAX], text[DATAGRAM_MAX];

static int set(struct frames *f, int sock, int name, int value)
{
    return weir_setsockopt(f->stack, sock, IPPROTO_IP, name, &value, sizeof value);
}

static int get(struct frames *f, int sock, int level, int name)
{
    int value = -1, v;
    size_t len = sizeof value;

    v = weir_getsockopt(f->stack, sock, level, name, &value, &len);
    return v < 0 ? v : value;
}

static int set_options(struct frames *f, int sock, const char *bytes, size_t n)
{
    return weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_OPTIONS, bytes, n);
}

static int other_address(struct frames *f)
{
    struct weir_addr a = weir_addr_v4(OUR_OTHER);

    return weir_addr_add(f->stack, 1, &a, 24);
}

/* -- IP options -------------------------------------------------------------------------------- */

#define ALERT "\x94\x04\0\0"          /* router alert, 2113 */
#define ODD "\x5e\x05xyz"             /* unknown, 5 bytes */
#define RECORD "\x07\x07\x04\0\0\0\0" /* record route, room for one */

static const struct {
    const char *bytes;
    size_t len;
} good[] = {{ALERT, 4}, {ODD, 5}, {"\1" RECORD, 8}, {"\x82\x0b\0\0\0\0\0\0\0\0\0", 11}};

/* REQ:1122-3.2.1.8-1 REQ:1122-4.1.3.2-2 REQ:1122-4.1.3.2-3 REQ:1122-3.4-1 REQ:1122-3.2.1.8-4 */
TEST(options_of_a_socket_are_in_its_datagrams) /* REQ:1122-3.2.1.8-11 REQ:1122-4.1.4-1
                                                  REQ:1122-4.1.4-2 */
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct frames *f = frames_of(.mtu = 1500);
        int sock = udp_socket(f, 5000);
        uint32_t padded = (uint32_t)(good[i].len + 3) & ~3u;
        uint8_t zero[4] = {0};
        struct taken *t;

        assert_int_equal(set_options(f, sock, good[i].bytes, good[i].len), 0);
        for (uint32_t len = 0; len < 1500; len += 499) {
            send_pattern(f, sock, THEM, 7, len);
            t = take(f);
            assert_int_equal(t->ip.hdr_len, IP4_LEN + padded);
            assert_memory_equal(t->bytes + IP4_LEN, good[i].bytes, good[i].len);
            assert_memory_equal(t->bytes + IP4_LEN + good[i].len, zero, padded - good[i].len);
            assert_true(is_pattern(t->l4 + UDP_LEN, t->l4_len - UDP_LEN));
            if (t->ip.frag & IP4_MF)
                assert_non_null(take(f));
            else
                assert_int_equal(sum_of_udp(t), 0);
        }
        assert_int_equal(set_options(f, sock, "", 0), 0);
        send_pattern(f, sock, THEM, 7, 10);
        assert_int_equal(take(f)->ip.hdr_len, IP4_LEN);
        frames_end(f);
    }
}

/* The headers count against the path, and only what has the copied flag is in each piece. */
TEST(options_make_room_for_themselves) /* REQ:791-3.1-11 */
{
    struct frames *f = frames_of(.mtu = 576);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    assert_int_equal(set_options(f, sock, ALERT RECORD, 11), 0);
    send_pattern(f, sock, THEM, 7, 576 - 20 - 12 - 8);
    t = take(f);
    assert_int_equal(t->ip.total_len, 576);
    assert_int_equal(t->ip.frag & ~IP4_DF, 0);
    send_pattern(f, sock, THEM, 7, 576 - 20 - 12 - 8 + 1);
    t = take(f);
    assert_int_equal(t->ip.frag, IP4_MF);
    assert_memory_equal(t->bytes + IP4_LEN, ALERT RECORD, 12);
    t = take(f);
    assert_int_equal(t->ip.frag & IP4_MF, 0);
    assert_memory_equal(t->bytes + IP4_LEN, ALERT "\1\1\1\1\1\1\1", 12);
    set(f, sock, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 576 - 20 - 12 - 8 + 1), -EMSGSIZE);
    frames_end(f);
}

TEST(what_is_sent_as_options_is_well_formed_and_no_route) /* REQ:1122-3.2.1.8-5 REQ:1122-3.2.1.8-10
                                                           */
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x83\x07\x04\x0a\0\0\x02", 7}, /* loose and strict source routes */
        {"\x89\x07\x04\x0a\0\0\x02", 7},
        {"\x94\x04\0\0\x83\x07\x04\x0a\0\0\x02", 11},
        {"\x88\x04\0\1", 4}, /* a stream identifier */
        {"\1\x88\x04\0\1", 5},
        {"\x07\x07\x03\0\0\0\0", 7}, /* a pointer into the option's head */
        {"\x94\x05\0\0", 4},         /* longer than all */
        {"\x94", 1},
    };
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
    char many[44] = {1};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(set_options(f, sock, bad[i].bytes, bad[i].len), -EINVAL);
    memset(many, 1, sizeof many);
    assert_int_equal(set_options(f, sock, many, 41), -EINVAL);
    assert_int_equal(set_options(f, sock, many, 40), 0);
    assert_int_equal(set_options(f, tcp, ALERT, 4), -ENOPROTOOPT);
    assert_int_equal(set_options(f, tcp, "", 0), 0);
    frames_end(f);
}

TEST(options_of_a_socket_can_be_read_back)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    uint8_t bytes[40];
    size_t len = sizeof bytes;

    assert_int_equal(weir_getsockopt(f->stack, sock, IPPROTO_IP, IP_OPTIONS, bytes, &len), 0);
    assert_int_equal(len, 0);
    set_options(f, sock, ODD, 5);
    len = sizeof bytes;
    assert_int_equal(weir_getsockopt(f->stack, sock, IPPROTO_IP, IP_OPTIONS, bytes, &len), 0);
    assert_int_equal(len, 8);
    assert_memory_equal(bytes, ODD "\0\0\0", 8);
    frames_end(f);
}

static void options_come(struct frames *f, int sock, size_t i, bool is_cut)
{
    uint8_t padded[12] = {0};
    struct weir_datagram about;
    uint32_t n = build_udp(udp, &(struct udp_spec){.sport = 7, .dport = 5000, .len = 3000});
    struct packet_spec s = {.proto = PROTO_UDP, .options = padded, .l4 = udp, .len = n};

    s.options_len = (uint32_t)(good[i].len + 3) & ~3u;
    memcpy(padded, good[i].bytes, good[i].len);
    assert_null(is_cut ? put_pieces(f, &s, 1000) : put_packet(f, &s));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, sizeof text, 0, NULL, &about), 3000);
    assert_true(is_pattern(text, 3000));
    assert_int_equal(about.options_len, s.options_len);
    assert_memory_equal(about.options, padded, s.options_len);
}

/* REQ:1122-3.2.1.8-2 REQ:1122-3.4-3 REQ:1122-4.1.3.2-1 */
TEST(options_that_came_with_a_datagram_can_be_read) /* REQ:1122-4.1.4-1 REQ:791-3.3-2 */
{
    struct frames *f = frames_of(.mtu = 4000);
    int sock = udp_socket(f, 5000);
    struct weir_datagram about;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        options_come(f, sock, i, false);
        options_come(f, sock, i, true);
    }
    assert_null(put(f, .proto = PROTO_UDP, .l4 = udp,
                    .len = build_udp(udp, &(struct udp_spec){.dport = 5000, .len = 1})));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, sizeof text, 0, NULL, &about), 1);
    assert_int_equal(about.options_len, 0);
    frames_end(f);
}

/* The user of ICMP is a program with a ping socket. */
TEST(options_of_echoes_too) /* REQ:1122-3.2.1.8-2 REQ:1122-3.4-4 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = weir_socket(f->stack, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM)};
    uint8_t echo[20];
    uint32_t n = build_icmp(echo, 8, 0, 0, 12);
    struct weir_datagram about;
    struct taken *t;

    assert_int_equal(set_options(f, sock, RECORD, 7), 0);
    assert_int_equal(weir_sendto(f->stack, sock, echo, n, 0, &to), n);
    t = take(f);
    assert_int_equal(t->l4[0], 8);
    assert_int_equal(t->ip.hdr_len, IP4_LEN + 8);
    assert_memory_equal(t->bytes + IP4_LEN, RECORD, 7);
    n = build_icmp(echo, 0, 0, (uint32_t)(t->l4[4] << 8 | t->l4[5]) << 16, 12);
    assert_null(put(f, .proto = PROTO_ICMP, .l4 = echo, .len = n, .options_len = 8,
                    .options = (const uint8_t *)"\x07\x07\x08\x0a\0\0\2\0"));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, sizeof text, 0, NULL, &about), n);
    assert_int_equal(about.options_len, 8);
    assert_memory_equal(about.options, "\x07\x07\x08\x0a\0\0\2\0", 8);
    frames_end(f);
}

/* -- TOS and TTL ------------------------------------------------------------------------------- */

TEST(tos_and_ttl_are_what_was_set_when_the_datagram_was_sent)
/* REQ:1122-3.2.1.6-1 REQ:1122-3.2.1.7-3 REQ:1122-3.4-1 REQ:1122-4.1.4-1 REQ:1122-4.1.4-2 */
{
    static const int ttls[] = {1, 2, 64, 255}, toses[] = {0x10, 0xb8, 0, 0xff};
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    for (int i = 0; i < 4; i++) {
        set(f, sock, IP_TTL, ttls[i]);
        set(f, sock, IP_TOS, toses[i]);
        send_pattern(f, sock, THEM, 7, 1);
    }
    for (int i = 0; i < 4; i++) {
        t = take(f);
        assert_int_equal(t->ip.ttl, ttls[i]);
        assert_int_equal(t->ip.tos, toses[i]);
    }
    frames_end(f);
}

TEST(nothing_leaves_with_a_ttl_of_0) /* REQ:1122-3.2.1.7-1 */
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    struct weir_datagram about = {.ttl = 0, .tos = -1};
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    assert_int_equal(set(f, sock, IP_TTL, 0), -EINVAL);
    assert_int_equal(set(f, sock, IP_TTL, 256), -EINVAL);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.ip_default_ttl", "0"), -ERANGE);
    assert_int_equal(weir_sendmsg(f->stack, sock, "x", 1, 0, &to, &about), -EINVAL);
    send_pattern(f, sock, THEM, 7, 1);
    assert_int_equal(take(f)->ip.ttl, 64);
    assert_int_equal(set(f, sock, IP_MULTICAST_TTL, 0), 0); /* for members of this host alone */
    assert_int_equal(send_pattern(f, sock, 0xe0000105, 7, 1), 1);
    assert_null(take(f));
    frames_end(f);
}

TEST(the_ttl_of_all_that_names_none_is_a_knob) /* REQ:1122-3.2.1.7-4 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    uint8_t echo[20];
    uint32_t n = build_icmp(echo, 8, 0, 0, 12);

    for (int ttl = 64; ttl; ttl = ttl == 64 ? 33 : 0) {
        if (ttl == 33)
            assert_int_equal(weir_knob_set(f->stack, "net.ipv4.ip_default_ttl", "33"), 0);
        send_pattern(f, sock, THEM, 7, 1);
        assert_int_equal(take(f)->ip.ttl, ttl);
        assert_null(put(f, .proto = PROTO_ICMP, .l4 = echo, .len = n));
        assert_int_equal(take(f)->ip.ttl, ttl);
        tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
        weir_connect(f->stack, tcp, &to);
        assert_int_equal(take(f)->ip.ttl, ttl);
        assert_int_equal(weir_abort(f->stack, tcp), 0);
    }
    frames_end(f);
}

/* -- addresses --------------------------------------------------------------------------------- */

/* REQ:1122-3.2.1.3-2 REQ:1122-3.2.1.3-3 REQ:1122-4.1.3.6-2 */
TEST(only_addresses_of_ours_are_sources)
{
    static const uint32_t none[] = {THEM, STRANGER, 0xf0000001, 0x7f000001};
    static const uint32_t heard_at[] = {0xffffffff, 0x0a0000ff, 0x0a000000, 0xe0000105};
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_sockaddr at = {.port = 5000}, to = {.addr = weir_addr_v4(THEM), .port = 7};

    for (int i = 0; i < 4; i++) {
        int sock = weir_socket(f->stack, AF_INET, SOCK_DGRAM, 0);

        at.addr = weir_addr_v4(none[i]);
        assert_int_equal(weir_bind(f->stack, sock, &at), -EADDRNOTAVAIL);
    }
    for (int i = 0; i < 4; i++) { /* to hear what goes there, not to send from */
        int sock = weir_socket(f->stack, AF_INET, SOCK_DGRAM, 0);
        int tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);

        at.addr = weir_addr_v4(heard_at[i]);
        assert_int_equal(weir_bind(f->stack, sock, &at), 0);
        send_pattern(f, sock, THEM, 7, 1);
        assert_int_equal(take(f)->ip.src, US);
        assert_int_equal(weir_connect(f->stack, sock, &to), 0);
        send_pattern(f, sock, THEM, 7, 1);
        assert_int_equal(take(f)->ip.src, US);
        assert_int_equal(weir_bind(f->stack, tcp, &at), 0); /* as Linux */
        weir_connect(f->stack, tcp, &to);
        assert_int_equal(take(f)->ip.src, US);
        assert_int_equal(weir_abort(f->stack, tcp), 0);
        assert_int_equal(weir_close(f->stack, sock), 0);
    }
    frames_end(f);
}

/* 127/8 stays inside, also where an interface has it. */
TEST(loopback_is_no_source_towards_others) /* REQ:1122-3.2.1.3-2 REQ:1122-3.2.1.3-6 */
{
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_sockaddr at = {.addr = weir_addr_v4(0x7f000001), .port = 5000};
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    struct weir_iface_config lo = {
        .name = "lo", .type = WEIR_LINK_IP, .mtu = 65535, .flags = WEIR_IF_LOOPBACK_OK};
    int sock = weir_socket(f->stack, AF_INET, SOCK_DGRAM, 0);
    int tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);

    f->ifaces = weir_iface_add(f->stack, &lo);
    assert_int_equal(weir_addr_add(f->stack, f->ifaces, &at.addr, 8), 0);
    assert_int_equal(weir_bind(f->stack, sock, &at), 0);
    assert_int_equal(weir_bind(f->stack, tcp, &at), 0);
    assert_int_equal(send_pattern(f, sock, THEM, 7, 1), -EINVAL); /* as Linux */
    assert_int_equal(weir_connect(f->stack, sock, &to), -EINVAL);
    assert_int_equal(weir_connect(f->stack, tcp, &to), -EINVAL);
    assert_null(take(f));
    sock = udp_socket(f, 5001);
    send_pattern(f, sock, 0x7f000009, 7, 1);
    assert_int_equal(take(f)->ifindex, f->ifaces);
    assert_int_equal(weir_iface_set_up(f->stack, f->ifaces, false), 0);
    assert_int_equal(weir_addr_remove(f->stack, f->ifaces, &at.addr), 0);
    assert_int_equal(send_pattern(f, sock, 0x7f000009, 7, 1), -ENETUNREACH);
    assert_null(take(f));
    frames_end(f);
}

/* Bound or connected, a socket has the address that the program named; else the stack finds one,
 * and it can be asked which. */
TEST(the_source_is_the_program_s_choice_or_can_be_learned)
/* REQ:1122-3.3.4.2-2 REQ:1122-4.1.3.5-3 REQ:1122-4.1.3.5-4 */
{
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_sockaddr other = {.addr = weir_addr_v4(OUR_OTHER), .port = 5000}, name;
    struct weir_sockaddr to = {.addr = weir_addr_v4(THEM), .port = 7};
    int free = udp_socket(f, 0), bound = weir_socket(f->stack, AF_INET, SOCK_DGRAM, 0);
    int tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(other_address(f), 0);
    send_pattern(f, free, THEM, 7, 1);
    assert_int_equal(take(f)->ip.src, US);
    assert_int_equal(weir_connect(f->stack, free, &to), 0);
    assert_int_equal(weir_getsockname(f->stack, free, &name), 0);
    assert_int_equal(weir_addr_to_v4(&name.addr), US);
    assert_int_equal(weir_bind(f->stack, bound, &other), 0);
    send_pattern(f, bound, THEM, 7, 1);
    assert_int_equal(take(f)->ip.src, OUR_OTHER);
    other.port = 0;
    assert_int_equal(weir_bind(f->stack, tcp, &other), 0);
    weir_connect(f->stack, tcp, &to);
    assert_int_equal(take(f)->ip.src, OUR_OTHER);
    frames_end(f);
}

TEST(an_answer_comes_from_where_the_question_went) /* REQ:1122-3.3.4.2-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    struct weir_sockaddr from;
    struct weir_datagram about;
    uint8_t echo[20];
    uint32_t n = build_icmp(echo, 8, 0, 0, 12);

    assert_int_equal(other_address(f), 0);
    assert_null(put(f, .dst = OUR_OTHER, .proto = PROTO_ICMP, .l4 = echo, .len = n));
    assert_int_equal(take(f)->ip.src, OUR_OTHER);
    n = build_udp(udp, &(struct udp_spec){.dst = OUR_OTHER, .sport = 7, .dport = 5000, .len = 9});
    assert_null(put(f, .dst = OUR_OTHER, .proto = PROTO_UDP, .l4 = udp, .len = n));
    assert_int_equal(weir_recvmsg(f->stack, sock, text, 9, 0, &from, &about), 9);
    assert_int_equal(weir_sendmsg(f->stack, sock, text, 9, 0, &from, &about), 9);
    assert_int_equal(take(f)->ip.src, OUR_OTHER);
    udp[3] ^= 1; /* a port that nobody has */
    udp[6] = udp[7] = 0;
    assert_string_equal(put(f, .dst = OUR_OTHER, .proto = PROTO_UDP, .l4 = udp, .len = n),
                        "udp_no_port");
    assert_int_equal(take(f)->ip.src, OUR_OTHER);
    frames_end(f);
}

TEST(datagrams_from_nobody_are_dropped) /* REQ:1122-4.1.3.6-1 */
{
    static const uint32_t nobody[] = {0x0a0000ff, 0xffffffff, 0xe0000001, 0x7f000001,
                                      0xf0000001, 0x00000001, US};
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
        uint32_t n = build_udp(udp, &(struct udp_spec){.src = nobody[i], .dport = 5000, .len = 1});

        assert_string_equal(put(f, .src = nobody[i], .proto = PROTO_UDP, .l4 = udp, .len = n),
                            "ip_martian_source");
    }
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), -EAGAIN);
    frames_end(f);
}

/* -- the path ---------------------------------------------------------------------------------- */

TEST(the_size_that_a_path_takes_can_be_asked) /* REQ:1122-3.3.3-2 */
{
    struct frames *f = frames_of(.mtu = 1400);
    struct weir_sockaddr to = {.addr = weir_addr_v4(STRANGER), .port = 7};
    int sock = udp_socket(f, 5000), tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
    uint8_t message[100];
    struct taken *t;
    uint32_t n;

    assert_int_equal(get(f, sock, IPPROTO_IP, IP_MTU), -ENOTCONN);
    assert_int_equal(get(f, tcp, IPPROTO_IP, IP_MTU), -ENOTCONN);
    assert_int_equal(weir_connect(f->stack, sock, &to), 0);
    weir_connect(f->stack, tcp, &to);
    assert_non_null(take(f));
    assert_int_equal(get(f, sock, IPPROTO_IP, IP_MTU), 1400);
    send_pattern(f, sock, STRANGER, 7, 1372);
    t = take(f);
    n = build_error(message, &(struct error_spec){3, 4, 1000, t->bytes, 28});
    assert_null(put(f, .src = ROUTER, .proto = PROTO_ICMP, .l4 = message, .len = n));
    assert_int_equal(get(f, sock, IPPROTO_IP, IP_MTU), 1000);
    assert_int_equal(get(f, tcp, IPPROTO_IP, IP_MTU), 1000);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("rfc_udp");
}
