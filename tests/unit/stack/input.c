/* What weir_input makes of frames that break the rules of frame.h, and what it notes about others.
 */
#include "unit.h"
#include "weir/weir.h"
#include "wire/wire.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define LEN (IP4_LEN + TCP_LEN)

static struct weir_stack *stack_begin(void)
{
    struct weir_config config = {.seed = {1, 2}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(HOST);
    struct weir_stack *k = weir_new(&config);

    assert_int_equal(weir_iface_add(k, &i), 1);
    assert_int_equal(weir_addr_add(k, 1, &host, 24), 0);
    return k;
}

/* A SYN to port 80 with no checksum: the link vouches for it. */
static void syn(uint8_t packet[TCP_HDR_MAX + IP4_LEN])
{
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .proto = PROTO_TCP,
                     .total_len = LEN,
                     .src = PEER,
                     .dst = HOST};
    struct tcp_hdr tcp = {.sport = 5000, .dport = 80, .flags = TCP_SYN, .wnd = 1000};

    ip4_emit(packet, &ip);
    assert_int_equal(tcp_emit(packet + IP4_LEN, &tcp), TCP_LEN);
}

static struct weir_frame frame_of(const uint8_t *packet, uint8_t flags)
{
    return (struct weir_frame){.part = {{packet, LEN}}, .parts = 1, .flags = flags};
}

static const char *verdict(struct weir_stack *k, struct weir_frame *f)
{
    weir_input(k, 1, f, 1, 0);
    return f->why.verdict < 2 ? "passed" : weir_drop_name(f->why.verdict - 2);
}

/* Each part is a block of its own, so that a byte read behind it is seen. */
static void headers_that_are_cut_in_two_are_refused(void **state)
{
    struct weir_stack *k = stack_begin();
    uint8_t packet[TCP_HDR_MAX + IP4_LEN];

    (void)state;
    syn(packet);
    for (uint32_t cut = 1; cut < LEN; cut++) {
        uint8_t *a = malloc(cut), *b = malloc(LEN - cut);
        struct weir_frame f = {
            .part = {{a, cut}, {b, LEN - cut}}, .parts = 2, .flags = WEIR_CSUM_VALID};
        memcpy(a, packet, cut);
        memcpy(b, packet + cut, LEN - cut);
        assert_string_equal(verdict(k, &f), cut < IP4_LEN ? "not_linear" : "tcp_short");
        free(a);
        free(b);
    }
    weir_free(k);
}

static void ip_options_that_are_cut_off_are_refused(void **state)
{
    struct weir_stack *k = stack_begin();
    uint8_t *a = malloc(IP4_LEN), b[LEN] = {0};
    struct weir_frame f = {.part = {{a, IP4_LEN}, {b, sizeof b}}, .parts = 2};
    uint8_t packet[TCP_HDR_MAX + IP4_LEN];

    (void)state;
    syn(packet);
    memcpy(a, packet, IP4_LEN);
    a[0] = 0x4f; /* 60 bytes of header */
    assert_string_equal(verdict(k, &f), "not_linear");
    free(a);
    weir_free(k);
}

static void a_segment_that_was_damaged_is_an_input_error(void **state)
{
    struct weir_stack *k = stack_begin();
    uint8_t packet[TCP_HDR_MAX + IP4_LEN];
    struct weir_frame f;

    (void)state;
    syn(packet);
    f = frame_of(packet, 0);
    assert_string_equal(verdict(k, &f), "tcp_checksum");
    packet[IP4_LEN + 12] = 0x10; /* a data offset of one word */
    f = frame_of(packet, WEIR_CSUM_VALID);
    assert_string_equal(verdict(k, &f), "tcp_offset");
    assert_int_equal(weir_stat_by_name(k, "TcpInErrs"), 2);
    weir_free(k);
}

static void the_trace_names_the_ends_of_a_segment(void **state)
{
    struct weir_stack *k = stack_begin();
    uint8_t packet[TCP_HDR_MAX + IP4_LEN];
    struct weir_event e[2];
    struct weir_frame f;
    char text[WEIR_ADDR_TEXT], line[64];

    (void)state;
    syn(packet);
    f = frame_of(packet, WEIR_CSUM_VALID);
    assert_int_equal(weir_trace_start(k, 4), 0);
    assert_string_equal(verdict(k, &f), "tcp_no_socket");
    assert_int_equal(weir_trace_read(k, e, 2), 1);
    assert_string_equal(weir_sockaddr_text(&e[0].local, text), "10.0.0.1:80");
    assert_string_equal(weir_sockaddr_text(&e[0].peer, text), "10.0.0.2:5000");
    assert_true(weir_why_text(&e[0].why, line, sizeof line) > 0);
    assert_string_equal(line, "dropped: tcp_no_socket");
    weir_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_are_cut_in_two_are_refused),
        cmocka_unit_test(ip_options_that_are_cut_off_are_refused),
        cmocka_unit_test(a_segment_that_was_damaged_is_an_input_error),
        cmocka_unit_test(the_trace_names_the_ends_of_a_segment),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
