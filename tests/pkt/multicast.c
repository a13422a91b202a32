/* Groups: joining and leaving, what routers hear of it, sending and receiving. 1112, 2236, 3376. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

#define GROUP 0xefff0001u /* 239.255.0.1 */
#define OTHER 0xefff0002u
#define ALL_HOSTS 0xe0000001u
#define ALL_ROUTERS 0xe0000002u
#define V3_ROUTERS 0xe0000016u
#define SECOND 1000000

enum { IGMP = 2, QUERY = 0x11, V1_REPORT = 0x12, V2_REPORT = 0x16, LEAVE = 0x17, V3_REPORT = 0x22 };
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW_NEW, BLOCK_OLD };

static int member(struct frames *f, int sock, int name, uint32_t group)
{
    struct ip_mreq m = {.imr_multiaddr.s_addr = htonl(group), .imr_interface.s_addr = htonl(US)};

    return weir_setsockopt(f->stack, sock, IPPROTO_IP, name, &m, sizeof m);
}

static void set(struct frames *f, int sock, int name, int value)
{
    assert_int_equal(weir_setsockopt(f->stack, sock, IPPROTO_IP, name, &value, sizeof value), 0);
}

static void check_igmp(const struct taken *t, uint32_t dst, uint8_t type)
{
    assert_non_null(t);
    assert_int_equal(t->ip.proto, IGMP);
    assert_int_equal(t->ip.ttl, 1);
    assert_int_equal(t->ip.src, US);
    assert_int_equal(t->ip.dst, dst);
    assert_memory_equal(t->l4 - 4, "\x94\4\0\0", 4); /* router alert: 2113 */
    assert_int_equal(sum_of(t->l4, t->l4_len), 0);
    assert_int_equal(t->l4[0], type);
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A report of version 3 about one group. */
static void expect_record(struct frames *f, uint8_t type, uint32_t group)
{
    struct taken *t = take(f);

    check_igmp(t, V3_ROUTERS, V3_REPORT);
    assert_int_equal(t->l4_len, 16);
    assert_int_equal(word(t->l4 + 4), 1);
    assert_int_equal(t->l4[8], type);
    assert_int_equal(word(t->l4 + 12), group);
}

static void expect_old(struct frames *f, uint8_t type, uint32_t dst, uint32_t group)
{
    struct taken *t = take(f);

    check_igmp(t, dst, type);
    assert_int_equal(t->l4_len, 8);
    assert_int_equal(word(t->l4 + 4), group);
}

/* Both announcements of a join. */
static int joined(struct frames *f, uint32_t group)
{
    int sock = udp_socket(f, 5000);

    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, group), 0);
    expect_record(f, TO_EXCLUDE, group);
    frames_advance(f, SECOND);
    expect_record(f, TO_EXCLUDE, group);
    frames_advance(f, 100 * SECOND);
    assert_null(take(f));
    return sock;
}

static const char *query(struct frames *f, uint32_t group, uint8_t code, uint32_t len)
{
    uint8_t q[12] = {QUERY, code, 0, 0, group >> 24, group >> 16, group >> 8, group, 2, 125};
    uint16_t sum = sum_of(q, len);

    q[2] = (uint8_t)(sum >> 8);
    q[3] = (uint8_t)sum;
    return put(f, .dst = group ? group : ALL_HOSTS, .proto = IGMP, .ttl = 1, .l4 = q, .len = len);
}

TEST(joining_and_leaving_are_told_twice) /* REQ:1122-3.3.7-2 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP);

    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_advance(f, SECOND);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_advance(f, 100 * SECOND);
    frames_end(f);
}

TEST(the_last_socket_leaves_for_the_host)
{
    struct frames *f = frames_of(.mtu = 1500);
    int first = joined(f, GROUP), second = udp_socket(f, 5001);

    assert_int_equal(member(f, second, IP_ADD_MEMBERSHIP, GROUP), 0);
    assert_null(take(f));
    weir_close(f->stack, first);
    assert_null(take(f));
    weir_close(f->stack, second);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_advance(f, SECOND);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_end(f);
}

TEST(all_hosts_is_never_told)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, ALL_HOSTS), 0);
    frames_advance(f, 10 * SECOND);
    weir_close(f->stack, sock);
    frames_end(f);
}

TEST(a_query_is_answered_within_its_time)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP);
    int64_t began;
    struct taken *t;

    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, OTHER), 0);
    frames_advance(f, 10 * SECOND);
    while (take(f))
        ;
    for (int i = 0; i < 20; i++) {
        began = f->now_ns;
        assert_null(query(f, 0, 20, 12)); /* 2 s */
        frames_advance(f, 2 * SECOND);
        t = take(f);
        check_igmp(t, V3_ROUTERS, V3_REPORT);
        assert_in_range(t->at_ns - began, 0, 2000000000);
        assert_int_equal(word(t->l4 + 4), 2);
        assert_int_equal(t->l4[8], IS_EXCLUDE);
        assert_int_equal(t->l4[16], IS_EXCLUDE);
        assert_int_equal(word(t->l4 + 12) ^ word(t->l4 + 20), GROUP ^ OTHER);
        assert_null(take(f));
    }
    assert_null(query(f, OTHER, 20, 12));
    frames_advance(f, 2 * SECOND);
    expect_record(f, IS_EXCLUDE, OTHER);
    frames_end(f);
}

TEST(a_querier_of_version_2_is_spoken_to_in_version_2)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP);
    uint8_t report[8] = {V2_REPORT, 0, 0, 0, GROUP >> 24, (uint8_t)(GROUP >> 16), 0, 1};
    uint16_t sum = sum_of(report, sizeof report);

    report[2] = (uint8_t)(sum >> 8);
    report[3] = (uint8_t)sum;
    assert_null(query(f, 0, 100, 8));
    frames_advance(f, 10 * SECOND);
    expect_old(f, V2_REPORT, GROUP, GROUP);
    assert_null(query(f, 0, 100, 8)); /* another member is faster */
    assert_null(put(f, .dst = GROUP, .proto = IGMP, .ttl = 1, .l4 = report, .len = 8));
    frames_advance(f, 10 * SECOND);
    assert_null(take(f));
    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_old(f, LEAVE, ALL_ROUTERS, GROUP);
    frames_advance(f, 10 * SECOND);
    assert_null(take(f));
    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_old(f, V2_REPORT, GROUP, GROUP);
    frames_advance(f, SECOND);
    expect_old(f, V2_REPORT, GROUP, GROUP);
    frames_advance(f, 260ll * SECOND); /* it is gone */
    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_advance(f, SECOND);
    expect_record(f, TO_INCLUDE, GROUP);
    frames_end(f);
}

TEST(a_querier_of_version_1_hears_no_leaving)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP);

    assert_null(query(f, 0, 0, 8));
    frames_advance(f, 10 * SECOND);
    expect_old(f, V1_REPORT, GROUP, GROUP);
    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), 0);
    frames_advance(f, 10 * SECOND);
    frames_end(f);
}

/* 4541#2.1.1: a switch has no address of its own to ask from. */
TEST(a_query_from_nobody_is_answered)
{
    struct frames *f = frames_of(.mtu = 1500);
    uint8_t q[46] = {0x46,       0xc0,     0,    36, 0, 0, 0,     0,  1, IGMP, 0,        0,
                     [16] = 224, [19] = 1, 0x94, 4,  0, 0, QUERY, 10, 0, 0,    [32] = 2, 125};
    uint16_t sum;

    joined(f, GROUP);
    sum = sum_of(q, 24);
    q[10] = (uint8_t)(sum >> 8);
    q[11] = (uint8_t)sum;
    sum = sum_of(q + 24, 12);
    q[26] = (uint8_t)(sum >> 8);
    q[27] = (uint8_t)sum;
    assert_null(put_frame(f, q, 36));
    frames_advance(f, SECOND);
    expect_record(f, IS_EXCLUDE, GROUP);
    frames_end(f);
}

TEST(bad_igmp_is_dropped)
{
    struct frames *f = frames_of(.mtu = 1500);
    uint8_t bad[8] = {QUERY, 100, 1, 1}, short_one[4] = {QUERY};

    joined(f, GROUP);
    assert_string_equal(put(f, .dst = ALL_HOSTS, .proto = IGMP, .l4 = bad, .len = 8),
                        "igmp_invalid");
    assert_string_equal(put(f, .dst = ALL_HOSTS, .proto = IGMP, .l4 = short_one, .len = 4),
                        "igmp_invalid");
    assert_string_equal(query(f, 0, 10, 10), "igmp_invalid");
    frames_advance(f, 100 * SECOND);
    frames_end(f);
}

/* -- sources ----------------------------------------------------------------------------------- */

static int source(struct frames *f, int sock, int name, uint32_t from)
{
    struct ip_mreq_source m = {.imr_multiaddr.s_addr = htonl(GROUP),
                               .imr_interface.s_addr = htonl(US),
                               .imr_sourceaddr.s_addr = htonl(from)};

    return weir_setsockopt(f->stack, sock, IPPROTO_IP, name, &m, sizeof m);
}

/* Twice, as any news. */
static void expect_sources(struct frames *f, uint8_t type, uint16_t sources, uint32_t first)
{
    for (int i = 0; i < 2; i++, frames_advance(f, SECOND)) {
        struct taken *t = take(f);

        check_igmp(t, V3_ROUTERS, V3_REPORT);
        assert_int_equal(t->l4_len, 16 + 4 * sources);
        assert_int_equal(word(t->l4 + 8), (uint32_t)type << 24 | sources);
        assert_int_equal(word(t->l4 + 12), GROUP);
        assert_int_equal(word(t->l4 + 16), first);
        if (i == 0)
            frames_advance(f, SECOND);
    }
    assert_null(take(f));
}

/* 3376#5.1, #5.2 */
TEST(senders_of_a_group_are_told_and_asked_for)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);
    uint8_t q[20] = {
        QUERY, 10, 0, 0, GROUP >> 24, (uint8_t)(GROUP >> 16), 0, 1, 2, 125, 0, 2, 10, 0, 0, 2,
        10,    0,  0, 9};
    uint16_t sum = sum_of(q, sizeof q);
    struct taken *t;

    q[2] = (uint8_t)(sum >> 8);
    q[3] = (uint8_t)sum;
    assert_int_equal(source(f, sock, IP_ADD_SOURCE_MEMBERSHIP, THEM), 0);
    expect_sources(f, ALLOW_NEW, 1, THEM);
    assert_int_equal(source(f, sock, IP_ADD_SOURCE_MEMBERSHIP, THEM), -EADDRNOTAVAIL);
    assert_int_equal(source(f, sock, IP_BLOCK_SOURCE, THEM), -EINVAL);
    assert_null(put(f, .dst = GROUP, .proto = IGMP, .ttl = 1, .l4 = q, .len = sizeof q));
    frames_advance(f, SECOND);
    t = take(f);
    check_igmp(t, V3_ROUTERS, V3_REPORT);
    assert_int_equal(word(t->l4 + 8), IS_INCLUDE << 24 | 1);
    assert_int_equal(word(t->l4 + 16), THEM);
    assert_string_equal(put(f, .dst = GROUP, .proto = IGMP, .ttl = 1, .l4 = q, .len = 16),
                        "igmp_invalid");
    assert_int_equal(source(f, sock, IP_DROP_SOURCE_MEMBERSHIP, THEM), 0);
    expect_sources(f, BLOCK_OLD, 1, THEM);
    frames_end(f);
}

/* -- datagrams --------------------------------------------------------------------------------- */

static const char *put_to(struct frames *f, uint32_t group)
{
    uint8_t udp[100];
    uint32_t n = build_udp(udp,
                           &(struct udp_spec){.dst = group, .sport = 9, .dport = 5000, .len = 50});

    return put(f, .dst = group, .proto = PROTO_UDP, .ttl = 1, .l4 = udp, .len = n);
}

static int got(struct frames *f, int sock)
{
    uint8_t text[100];

    return (int)weir_recv(f->stack, sock, text, sizeof text, 0);
}

TEST(what_is_joined_is_received_and_nothing_else) /* REQ:1122-3.3.7-1 */
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP);

    assert_null(put_to(f, GROUP));
    assert_int_equal(got(f, sock), 50);
    assert_string_equal(put_to(f, OTHER), "ip_not_local");
    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), 0);
    assert_string_equal(put_to(f, GROUP), "ip_not_local");
    assert_int_equal(got(f, sock), -EAGAIN);
    frames_advance(f, 10 * SECOND);
    while (take(f))
        ;
    frames_end(f);
}

/* Linux: all sockets of the port get it, unless they said that they want their own groups only. */
TEST(each_socket_of_the_port_gets_its_copy)
{
    struct frames *f = frames_of(.mtu = 1500);
    struct weir_sockaddr any = {.port = 5000}, at = {.port = 5000};
    int sock[4], one = 1;

    any.addr = weir_addr_v4(0);
    at.addr = weir_addr_v4(GROUP);
    for (int i = 0; i < 4; i++) {
        sock[i] = udp_socket(f, 0);
        weir_setsockopt(f->stack, sock[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        assert_int_equal(weir_bind(f->stack, sock[i], i == 3 ? &at : &any), 0);
    }
    set(f, sock[2], IP_MULTICAST_ALL, 0);
    assert_int_equal(member(f, sock[0], IP_ADD_MEMBERSHIP, GROUP), 0);
    frames_advance(f, SECOND);
    while (take(f))
        ;
    assert_null(put_to(f, GROUP));
    assert_int_equal(got(f, sock[0]), 50);
    assert_int_equal(got(f, sock[1]), 50);
    assert_int_equal(got(f, sock[2]), -EAGAIN);
    assert_int_equal(got(f, sock[3]), 50);
    frames_end(f);
}

TEST(who_wants_some_senders_hears_no_others)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000);

    assert_int_equal(source(f, sock, IP_ADD_SOURCE_MEMBERSHIP, THEM + 1), 0);
    assert_string_equal(put_to(f, GROUP), "udp_no_listener");
    assert_int_equal(got(f, sock), -EAGAIN);
    assert_int_equal(source(f, sock, IP_ADD_SOURCE_MEMBERSHIP, THEM), 0);
    assert_null(put_to(f, GROUP));
    assert_int_equal(got(f, sock), 50);
    frames_advance(f, 10 * SECOND);
    while (take(f))
        ;
    frames_end(f);
}

TEST(a_whole_filter_of_ip4_is_set_and_read)
{
    struct frames *f = frames_of(.mtu = 1500);
    uint32_t bytes[4 + 3] = {htonl(GROUP), htonl(US),      MCAST_INCLUDE, 2,
                             htonl(THEM),  htonl(THEM + 1)};
    int sock = udp_socket(f, 5000);
    size_t len = IP_MSFILTER_SIZE(3);

    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, GROUP), 0);
    frames_advance(f, 10 * SECOND);
    while (take(f))
        ;
    assert_int_equal(
        weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_MSFILTER, bytes, IP_MSFILTER_SIZE(2) - 1),
        -EINVAL);
    assert_int_equal(
        weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_MSFILTER, bytes, IP_MSFILTER_SIZE(2)), 0);
    expect_sources(f, TO_INCLUDE, 2, THEM);
    assert_null(put_to(f, GROUP)); /* from THEM */
    bytes[2] = 7;
    bytes[3] = 3;
    bytes[4] = 0;
    assert_int_equal(weir_getsockopt(f->stack, sock, IPPROTO_IP, IP_MSFILTER, bytes, &len), 0);
    assert_int_equal(len, IP_MSFILTER_SIZE(2));
    assert_int_equal(bytes[2], MCAST_INCLUDE);
    assert_int_equal(bytes[3], 2);
    frames_end(f);
}

TEST(what_goes_to_a_group_has_ttl_1_and_its_mac)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true);
    int sock = udp_socket(f, 5000);
    struct taken *t;

    assert_int_equal(send_pattern(f, sock, GROUP, 7, 50), 50);
    t = take(f);
    assert_non_null(t);
    assert_memory_equal(t->bytes, "\x01\x00\x5e\x7f\x00\x01", 6);
    assert_int_equal(t->ip.ttl, 1);
    assert_int_equal(t->ip.dst, GROUP);
    set(f, sock, IP_MULTICAST_TTL, 33);
    assert_int_equal(send_pattern(f, sock, GROUP, 7, 50), 50);
    assert_int_equal(take(f)->ip.ttl, 33);
    set(f, sock, IP_MULTICAST_TTL, 0);
    assert_int_equal(send_pattern(f, sock, GROUP, 7, 50), 50);
    frames_end(f);
}

TEST(what_goes_to_a_group_comes_back_to_members_here)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = joined(f, GROUP), other = udp_socket(f, 0);

    assert_int_equal(send_pattern(f, other, GROUP, 5000, 50), 50);
    assert_non_null(take(f));
    assert_int_equal(got(f, sock), 50);
    assert_int_equal(send_pattern(f, other, OTHER, 5000, 50), 50); /* nobody joined it */
    assert_non_null(take(f));
    assert_int_equal(got(f, sock), -EAGAIN);
    set(f, other, IP_MULTICAST_LOOP, 0);
    assert_int_equal(send_pattern(f, other, GROUP, 5000, 50), 50);
    assert_non_null(take(f));
    assert_int_equal(got(f, sock), -EAGAIN);
    set(f, other, IP_MULTICAST_LOOP, 1);
    set(f, other, IP_MULTICAST_TTL, 0);
    assert_int_equal(send_pattern(f, other, GROUP, 5000, 50), 50);
    assert_null(take(f));
    assert_int_equal(got(f, sock), 50);
    frames_end(f);
}

TEST(mistakes_are_refused_as_by_linux)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), tcp = weir_socket(f->stack, AF_INET, SOCK_STREAM, 0);
    struct ip_mreqn nowhere = {.imr_multiaddr.s_addr = htonl(GROUP), .imr_ifindex = 9};

    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, THEM), -EINVAL);
    assert_int_equal(member(f, sock, IP_DROP_MEMBERSHIP, GROUP), -EADDRNOTAVAIL);
    assert_int_equal(member(f, tcp, IP_ADD_MEMBERSHIP, GROUP), -EPROTO);
    assert_int_equal(
        weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &nowhere, sizeof nowhere),
        -ENODEV);
    assert_int_equal(weir_setsockopt(f->stack, sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &nowhere, 4),
                     -EINVAL);
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, GROUP + i), 0);
    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, GROUP), -EADDRINUSE);
    assert_int_equal(member(f, sock, IP_ADD_MEMBERSHIP, GROUP + 99), -ENOBUFS);
    while (take(f))
        ;
    frames_advance(f, SECOND);
    while (take(f))
        ;
    frames_end(f);
}

/* What a broadcast address gets, sockets of this host get too. */
TEST(broadcasts_need_leave_and_come_back)
{
    struct frames *f = frames_of(.mtu = 1500);
    int sock = udp_socket(f, 5000), one = 1;
    struct taken *t;

    assert_int_equal(send_pattern(f, sock, 0x0a0000ff, 5000, 50), -EACCES);
    assert_int_equal(weir_setsockopt(f->stack, sock, SOL_SOCKET, SO_BROADCAST, &one, sizeof one),
                     0);
    assert_int_equal(send_pattern(f, sock, 0x0a0000ff, 5000, 50), 50);
    t = take(f);
    assert_int_equal(t->ip.dst, 0x0a0000ff);
    assert_int_equal(t->ip.ttl, 64);
    assert_int_equal(got(f, sock), 50);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("multicast");
}
