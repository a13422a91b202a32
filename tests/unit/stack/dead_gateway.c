/* A neighbour that may be gone: TCP repeats often enough, and the link asks whether it is there. */
#include <string.h>
#include <sys/socket.h>

#include "stack/stack.h"
#include "support/peer.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define SECOND 1000000000ll

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t every_mac[6] = {255, 255, 255, 255, 255, 255};

struct bench {
    struct weir_stack *k;
    struct peer p; /* for its segments: no stack of its own */
    int64_t now;
    int requests;        /* ARP requests since this was last set to 0 */
    uint8_t asked[6];    /* where the last one went */
    struct tcp_hdr last; /* the last segment */
    int segments;
};

static void input(struct bench *b, uint16_t type, uint8_t *frame, uint32_t len)
{
    struct weir_frame f = {.parts = 1, .part = {{frame, ETH_LEN + len}}};
    struct eth e = {.type = type};

    memcpy(e.dst, b->k->link.iface[1].mac, sizeof e.dst);
    memcpy(e.src, peer_mac, sizeof e.src);
    eth_emit(frame, &e);
    weir_input(b->k, 1, &f, 1, b->now);
}

static void answer_arp(struct bench *b)
{
    uint8_t frame[ETH_LEN + ARP_LEN];
    struct arp a = {.op = ARP_REPLY, .spa = PEER, .tpa = HOST};

    memcpy(a.sha, peer_mac, sizeof a.sha);
    memcpy(a.tha, b->k->link.iface[1].mac, sizeof a.tha);
    arp_emit(frame + ETH_LEN, &a);
    input(b, ETH_TYPE_ARP, frame, ARP_LEN);
}

static void segment(struct bench *b, const struct segment *s)
{
    uint8_t frame[PEER_FRAME_MAX];

    input(b, ETH_TYPE_IP4, frame, peer_build(&b->p, s, frame + ETH_LEN));
}

static void take(struct bench *b, const struct weir_frame *f)
{
    const uint8_t *bytes = f->part[0].data;
    struct eth e;

    assert_int_equal(eth_parse(&e, bytes, f->part[0].len), ETH_LEN);
    if (e.type == ETH_TYPE_ARP) {
        b->requests++;
        memcpy(b->asked, e.dst, sizeof b->asked);
        return;
    }
    assert_true(
        tcp_parse(&b->last, bytes + ETH_LEN + IP4_LEN, weir_frame_len(f) - ETH_LEN - IP4_LEN) > 0);
    if (b->last.flags & SYN) {
        b->p.stack_isn = b->last.seq.v;
        b->p.stack_port = b->last.sport;
    }
    b->segments++;
}

static void run(struct bench *b, int64_t ns)
{
    int64_t end = b->now + ns;
    struct weir_frame f;

    for (;;) {
        int64_t due = weir_deadline(b->k);
        weir_advance(b->k, b->now);
        while (weir_output(b->k, 1, &f, 1, b->now) == 1)
            take(b, &f);
        due = weir_deadline(b->k);
        if (due > end)
            break;
        b->now = due > b->now ? due : b->now;
    }
    b->now = end;
}

static void begin_connecting(struct bench *b)
{
    struct weir_config config = {.seed = {1, 2}, .now_ns = SECOND};
    struct weir_iface_config i = {.name = "e", .type = WEIR_LINK_ETHER, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(HOST);
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = 4000};

    *b = (struct bench){.now = SECOND, .p = {.isn = 1000, .port = 4000}};
    b->k = weir_new(&config);
    i.mac[0] = 2;
    i.mac[5] = 1;
    assert_int_equal(weir_iface_add(b->k, &i), 1);
    assert_int_equal(weir_addr_add(b->k, 1, &host, 24), 0);
    b->p.sock = weir_socket(b->k, AF_INET, SOCK_STREAM, 0);
    weir_connect(b->k, b->p.sock, &to);
    run(b, 0);
    assert_int_equal(b->requests, 1);
    assert_memory_equal(b->asked, every_mac, 6);
    answer_arp(b);
    run(b, 0);
    assert_int_equal(b->segments, 1);
    b->requests = b->segments = 0;
}

static void begin_established(struct bench *b)
{
    begin_connecting(b);
    segment(b, &(struct segment){.flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460});
    run(b, 0);
    b->segments = 0;
}

/* The third repetition goes out (R1); within the 5 s that a doubted entry has, nobody confirms it,
 * so the neighbour is asked by name. */
static void expect_doubt(struct bench *b, int64_t third_ns)
{
    run(b, third_ns - 1);
    assert_int_equal(b->segments, 2);
    run(b, 1);
    assert_int_equal(b->segments, 3);
    run(b, 5 * SECOND - 1);
    assert_int_equal(b->requests, 0);
    run(b, 1);
    assert_int_equal(b->requests, 1);
    assert_memory_equal(b->asked, peer_mac, 6);
    weir_free(b->k);
}

/* REQ:MUST-20 REQ:MUST-22 REQ:SHLD-10 */
static void a_syn_repeated_three_times_makes_the_link_ask(void **state)
{
    struct bench b;

    (void)state;
    begin_connecting(&b);
    expect_doubt(&b, 7 * SECOND); /* 1 + 2 + 4 */
}

/* FSM-348 FSM-349 FSM-350 FSM-351 FSM-352 REQ:MUST-20 REQ:1122-3.3.1.4-5 */
static void text_or_a_fin_repeated_three_times_makes_the_link_ask(void **state)
{
    const int states[] = {WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_CLOSE_WAIT, WEIR_CLOSING,
                          WEIR_LAST_ACK};
    const struct segment fin = {.flags = FIN | ACK, .seq = 1, .ack = 1};

    (void)state;
    for (int i = 0; i < 5; i++) {
        bool is_text = states[i] == WEIR_ESTABLISHED || states[i] == WEIR_CLOSE_WAIT;
        struct weir_sock_info info;
        struct bench b;
        begin_established(&b);
        if (states[i] == WEIR_CLOSE_WAIT || states[i] == WEIR_LAST_ACK)
            segment(&b, &fin);
        if (is_text)
            assert_int_equal(weir_send(b.k, b.p.sock, "x", 1, 0), 1);
        else
            assert_int_equal(weir_shutdown(b.k, b.p.sock, SHUT_WR), 0);
        run(&b, 0);
        if (states[i] == WEIR_CLOSING)
            segment(&b, &fin);
        run(&b, 0);
        assert_int_equal(weir_info(b.k, b.p.sock, &info), 0);
        assert_int_equal(info.state, states[i]);
        b.segments = 0;
        expect_doubt(&b, SECOND / 5 * 7); /* 0.2 + 0.4 + 0.8 */
    }
}

static void who_is_answered_does_not_ask(void **state)
{
    struct bench b;

    (void)state;
    begin_established(&b);
    for (uint32_t n = 0; n < 10; n++) {
        assert_int_equal(weir_send(b.k, b.p.sock, "x", 1, 0), 1);
        run(&b, SECOND / 2);
        segment(&b, &(struct segment){.flags = ACK, .seq = 1, .ack = n + 2});
        run(&b, SECOND / 2);
    }
    assert_int_equal(b.requests, 0);
    weir_free(b.k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_repeated_three_times_makes_the_link_ask),
        cmocka_unit_test(text_or_a_fin_repeated_three_times_makes_the_link_ask),
        cmocka_unit_test(who_is_answered_does_not_ask),
    };

    return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
