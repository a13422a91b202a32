/* Headers that no good peer sends, and addresses that no good peer has: RFC 9293 sections 3.1, 3.2,
 * 3.9.2 and 3.9.2.3. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "def/drop.h"
#include "support/states.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define EVERY_STATE                                                                                \
    WEIR_LISTEN, WEIR_SYN_SENT, WEIR_SYN_RECV, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, \
        WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK, WEIR_TIME_WAIT

struct packet {
    uint8_t bytes[PEER_FRAME_MAX];
    uint32_t len;
};

static uint32_t words(uint32_t sum, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        sum += (uint32_t)(i & 1 ? p[i] : p[i] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

/* Both checksums anew, after something was changed. */
static void seal(struct packet *k)
{
    uint32_t head = (k->bytes[0] & 15u) * 4, len = k->len - head;

    memset(k->bytes + 10, 0, 2);
    memset(k->bytes + head + 16, 0, 2);
    put_sum(k->bytes + 10, words(0, k->bytes, head));
    put_sum(k->bytes + head + 16,
            words(words(PROTO_TCP + len, k->bytes + 12, 8), k->bytes + head, len));
}

static struct packet packet_of(const struct peer *p, const struct segment *s)
{
    struct packet k;

    k.len = peer_build(p, s, k.bytes);
    return k;
}

static void put_address(struct packet *k, uint32_t at, uint32_t address)
{
    for (int i = 0; i < 4; i++)
        k->bytes[at + (uint32_t)i] = (uint8_t)(address >> 8 * (3 - i));
    seal(k);
}

/* The verdict. */
static uint16_t input(struct peer *p, struct packet *k)
{
    struct weir_frame f = {.parts = 1, .part = {{k->bytes, k->len}}};

    weir_input(p->stack, 1, &f, 1, (1000 + peer_now_ms(p)) * 1000000);
    return f.why.verdict;
}

/* -- addresses --------------------------------------------------------------------------------- */

static const uint8_t kinds[] = {SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK, 0};

TEST(what_goes_to_a_group_vanishes) /* FSM-002 REQ:MUST-57 */
{
    const uint32_t groups[] = {0x0a0000ff, 0xffffffff, 0xe0000001, 0xe00000fb};

    each_state (state, EVERY_STATE) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);
        for (size_t i = 0; i < sizeof groups / sizeof groups[0] * sizeof kinds; i++) {
            struct segment s = {.flags = kinds[i % sizeof kinds], .seq = n.rcv_nxt, .ack = n.nxt};
            struct packet k = packet_of(&p, &s);
            put_address(&k, 16, groups[i / sizeof kinds]);
            assert_true(input(&p, &k) >= DROP_FIRST);
            expect_quiet(&p);
        }
        if (state != WEIR_LISTEN)
            expect_state(&p, state);
        peer_end(&p);
    }
}

TEST(what_comes_from_nobody_vanishes) /* FSM-003 REQ:MUST-63 */
{
    const uint32_t bad[] = {0, 0xffffffff, 0x0a0000ff, 0xe0000001, 0xf0000001, 0x7f000001, HOST};

    each_state (state, EVERY_STATE) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0] * sizeof kinds; i++) {
            struct segment s = {.flags = kinds[i % sizeof kinds], .seq = n.rcv_nxt, .ack = n.nxt};
            struct packet k = packet_of(&p, &s);
            put_address(&k, 12, bad[i / sizeof kinds]);
            assert_true(input(&p, &k) >= DROP_FIRST);
            expect_quiet(&p);
        }
        if (state != WEIR_LISTEN)
            expect_state(&p, state);
        peer_end(&p);
    }
}

/* -- options of IP and TCP --------------------------------------------------------------------- */

TEST(options_of_ip_are_of_no_concern) /* REQ:MUST-50 */
{
    static const uint8_t options[][8] = {
        {1, 1, 1, 1, 1, 1, 1, 0},    /* NOPs, end */
        {0x94, 4, 0, 0, 0, 0, 0, 0}, /* router alert */
        {0x82, 8, 0, 0, 0, 0, 0, 0}, /* of no known kind any more */
        {0x1e, 5, 1, 2, 3, 1, 0, 0}, /* experimental */
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct peer p = listening(0);
        struct segment s = {.flags = SYN, .seq = 0, .mss = 1460};
        struct packet k = packet_of(&p, &s);

        memmove(k.bytes + 28, k.bytes + 20, k.len - 20);
        memcpy(k.bytes + 20, options[i], 8);
        k.len += 8;
        k.bytes[0] = 0x47;
        k.bytes[3] = (uint8_t)k.len;
        seal(&k);
        assert_int_equal(input(&p, &k), PASS);
        expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
        peer_end(&p);
    }
}

/* No length 0 or 1, nothing beyond the header: such a list ends there, and the segment counts. */
TEST(a_malformed_list_of_options_does_no_harm) /* FSM-004 REQ:MUST-7 */
{
    each_state (state, EVERY_STATE) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);
        bool is_opening = state == WEIR_LISTEN || state == WEIR_SYN_SENT;
        for (int len = 0; len < 256; len++) {
            struct segment s = {
                .flags = is_opening ? RST : ACK, .seq = n.rcv_nxt, .ack = n.una - 1};
            struct packet k = packet_of(&p, &s);
            memmove(k.bytes + 44, k.bytes + 40, k.len - 40);
            k.bytes[40] = len & 1 ? 99 : 2; /* unknown, or the MSS */
            k.bytes[41] = (uint8_t)len;
            k.bytes[42] = k.bytes[43] = 0;
            k.bytes[20 + 12] = 6 << 4;
            k.len += 4;
            k.bytes[3] = (uint8_t)k.len;
            seal(&k);
            if (state == WEIR_SYN_RECV)
                k.bytes[20 + 13] = 0, seal(&k); /* no ACK: it would establish */
            input(&p, &k);
            expect_quiet(&p);
        }
        if (state != WEIR_LISTEN)
            expect_state(&p, state);
        expect_stat(&p, "TcpInErrs", weir_stat_by_name(p.stack, "TcpInErrs"));
        peer_end(&p);
    }
}

/* Text in a SYN with a Fast Open cookie, real or not: the SYN alone is acknowledged. */
TEST(fast_open_is_answered_by_an_ordinary_handshake) /* FSM-113 FSM-111 */
{
    struct peer p = listening(0);
    struct segment s = {.flags = SYN, .seq = 0, .mss = 1460, .len = 20};
    struct packet k = packet_of(&p, &s);
    static const uint8_t cookie[8] = {34, 6, 1, 2, 3, 4, 1, 1};

    memmove(k.bytes + 48, k.bytes + 44, k.len - 44);
    memcpy(k.bytes + 40, cookie, 8); /* in the place of the MSS and four bytes more */
    k.bytes[20 + 12] = 7 << 4;
    k.len += 4;
    k.bytes[3] = (uint8_t)k.len;
    seal(&k);
    assert_int_equal(input(&p, &k), PASS);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_read_error(&p, EAGAIN);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 20);
    app_read(&p, 20);
    peer_forget_output(&p);
    peer_end(&p);
}

TEST(each_syn_has_an_mss_also_where_it_is_536) /* REQ:MAY-3 REQ:SHLD-5 ROW:105 */
{
    struct peer p = listening(.mtu = 576), q;

    inject(&p, .flags = SYN, .seq = 0);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 536);
    peer_end(&p);
    q = begin(.mtu = 576);
    q.sock = weir_socket(q.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(
        weir_connect(q.stack, q.sock,
                     &(struct weir_sockaddr){.addr = weir_addr_v4(PEER), .port = 4000}),
        -EINPROGRESS);
    expect(&q, .flags = SYN, .mss = 536);
    peer_end(&q);
}

/* -- windows and what is sent ------------------------------------------------------------------ */

TEST(windows_are_counted_with_32_bits) /* REQ:REC-1 REQ:MUST-1 */
{
    struct peer p = established(.mss = 1000, .wscale = 14 + 1);
    struct weir_sock_info info;

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
    assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
    assert_int_equal(info.snd_wnd, 65535u << 14);
    for (uint32_t at = 1; at < 1 + 200000; at += 10000) { /* beyond 65535, and the numbers wrap */
        app_write(&p, 10000);
        peer_forget_output(&p);
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 10000, .wnd = 65535);
    }
    assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
    assert_int_equal(info.in_flight, 0);
    peer_end(&p);
}

/* The window shrank to one segment while five are in flight: what lies in it is repeated, nothing
 * new is sent, and what lies beyond may be repeated too. REQ:SHLD-15 REQ:SHLD-16 REQ:MAY-7 */
TEST(behind_a_shrunken_edge_only_what_was_sent_is_repeated) /* REQ:7323-2.4-4 REQ:7323-2.4-5 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 5000);
    peer_forget_output(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    app_write(&p, 5000);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 2001, .len = 1000); /* beyond */
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001, .wnd = 1000);
    expect(&p, .flags = ACK, .seq = 5001, .len = 1000);
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 3);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 3);
    peer_end(&p);
}

TEST(a_window_that_shrinks_to_nothing_is_probed_and_never_given_up) /* REQ:SHLD-17 REQ:MUST-35 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");

    app_write(&p, 1000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    for (int64_t i = 0, ms = 200; i < 12; i++, ms = ms < 60000 ? 2 * ms : 120000) {
        expect_after(&p, ms, .flags = ACK, .seq = 1, .len = 1000);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    }
    expect_state(&p, WEIR_ESTABLISHED);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    advance_ms(&p, 600000);
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 12);
    expect_stat(&p, "TcpExtTCPTimeouts", 12);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 12);
    peer_end(&p);
}

TEST(a_peer_that_shrinks_its_window_and_falls_silent_is_given_up) /* REQ:MUST-20 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");

    app_write(&p, 1000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 1000);
    expect_after(&p, 800, .flags = RST | ACK);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

/* FSM-034 FSM-035 REQ:MUST-31 REQ:6093-3.3-1 REQ:6093-5-1 */
TEST(urgent_text_may_be_long_and_is_pointed_at_in_each_segment)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        uint8_t data[2500];

        for (uint32_t i = 0; i < sizeof data; i++)
            data[i] = peer_byte(true, 1 + i);
        assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, MSG_OOB), sizeof data);
        expect(&p, .flags = ACK | URG, .seq = 1, .len = 1000, .urg = 2500);
        expect(&p, .flags = ACK | URG, .seq = 1001, .len = 1000, .urg = 1500);
        expect(&p, .flags = ACK | URG, .seq = 2001, .len = 500, .urg = 500);
        peer_end(&p);
    }
}

TEST(several_writes_become_one_segment) /* REQ:MAY-16 REQ:SHLD-27 ROW:53 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    for (int i = 0; i < 9; i++)
        app_write(&p, 100);
    expect_quiet(&p); /* they wait for the ACK of the first */
    inject(&p, .flags = ACK, .seq = 1, .ack = 11);
    expect(&p, .flags = ACK | PSH, .seq = 11, .len = 900);
    peer_end(&p);
}

TEST(text_flows_both_ways) /* ROW:5 ROW:53 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 200);
    expect(&p, .flags = ACK, .seq = 1, .len = 200);
    for (uint32_t i = 1; i < 20; i++) {
        inject(&p, .flags = ACK | PSH, .seq = 300 * i - 299, .ack = 1 + 200 * i, .len = 300);
        app_read(&p, 150);
        app_write(&p, 200);
        expect(&p, .flags = ACK, .seq = 1 + 200 * i, .len = 200, .ack = 1 + 300 * i);
        app_read(&p, 150);
    }
    peer_end(&p);
}

/* -- a connection with itself ------------------------------------------------------------------ */

/* What goes out comes in again: the SYN meets the socket that sent it. */
TEST(a_socket_that_connects_to_itself_is_established) /* FSM-130 FSM-412 */
{
    struct weir_config config = {.seed = {1, 2}, .now_ns = 1000000000};
    struct weir_iface_config i = {
        .name = "lo", .type = WEIR_LINK_IP, .mtu = 1500, .flags = WEIR_IF_LOOPBACK_OK};
    struct weir_stack *k = weir_new(&config);
    struct weir_sockaddr own = {.addr = weir_addr_v4(0x7f000001), .port = 4000};
    int sock = weir_socket(k, AF_INET, SOCK_STREAM, 0), frames = 0;
    struct weir_sock_info info;
    struct weir_frame f;
    char byte = 0;

    assert_int_equal(weir_iface_add(k, &i), 1);
    assert_int_equal(weir_addr_add(k, 1, &own.addr, 8), 0);
    assert_int_equal(weir_bind(k, sock, &own), 0);
    assert_int_equal(weir_connect(k, sock, &own), -EINPROGRESS);
    for (int turn = 0; turn < 2; turn++) {
        while (weir_output(k, 1, &f, 1, 1000000000) == 1) {
            struct packet copy = {.len = 0};
            for (int part = 0; part < f.parts; copy.len += f.part[part++].len)
                memcpy(copy.bytes + copy.len, f.part[part].data, f.part[part].len);
            f = (struct weir_frame){.parts = 1, .part = {{copy.bytes, copy.len}}};
            weir_input(k, 1, &f, 1, 1000000000);
            assert_true(++frames < 20);
        }
        assert_int_equal(weir_info(k, sock, &info), 0);
        assert_int_equal(info.state, WEIR_ESTABLISHED);
        if (turn == 0)
            assert_int_equal(weir_send(k, sock, "x", 1, 0), 1);
    }
    assert_int_equal(weir_recv(k, sock, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    weir_free(k);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
