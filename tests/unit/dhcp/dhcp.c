/* The DHCP client against a server that is written by hand, and one that means no good. RFC 2131.
 */
#include "unit.h"

#include "base/bytes.h"
#include "dhcp_reply.h"
#include "dhcp/dhcp.h"

#define SECOND INT64_C(1000000)
#define OFFERED 0x0a000032u
#define SERVER 0x0a000001u
#define LEASE 3600u

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

struct bench {
    struct dhcp_client c;
    int64_t now;
    uint8_t sent[DHCP_SEND_MAX];
    struct dhcp_msg m; /* what was sent */
    struct dhcp_out out;
};

static void open_at(struct bench *b, uint32_t again)
{
    *b = (struct bench){.now = 1000 * SECOND};
    rng_init(&b->c.rng, 3, 4);
    dhcp_start(&b->c, mac, again, b->now);
}

static struct reply reply_of(struct bench *b, uint8_t type)
{
    struct reply r = {.bytes = {2, 1, 6}, .len = 240};

    put32(r.bytes + 4, b->c.xid);
    put32(r.bytes + 16, OFFERED);
    memcpy(r.bytes + 28, mac, 6);
    put32(r.bytes + 236, 0x63825363);
    option(&r, 53, &type, 1);
    word(&r, 54, SERVER);
    word(&r, 51, LEASE);
    word(&r, 1, 0xffffff00);
    return r;
}

static enum drop say(struct bench *b, const struct reply *r)
{
    uint8_t *exact = malloc(r->len); /* so that a byte too far is seen */
    enum drop v;

    memcpy(exact, r->bytes, r->len);
    v = dhcp_input(&b->c, exact, r->len, b->now);
    free(exact);
    return v;
}

static enum drop say_type(struct bench *b, uint8_t type)
{
    struct reply r = reply_of(b, type);

    return say(b, &r);
}

static void expect(struct bench *b, uint8_t type)
{
    assert_true(dhcp_pull(&b->c, b->sent, &b->out, b->now));
    assert_true(b->out.len >= 300 && b->out.len <= DHCP_SEND_MAX);
    assert_int_equal(dhcp_parse(&b->m, b->sent, b->out.len), 0);
    assert_int_equal(b->m.type, type);
    assert_int_equal(b->m.xid, b->c.xid);
    assert_memory_equal(b->m.mac, mac, 6);
    assert_false(dhcp_pull(&b->c, b->sent, &b->out, b->now));
}

static void step_within(struct bench *b, int64_t least, int64_t most)
{
    assert_in_range(b->c.at_us - b->now, least, most);
    assert_false(dhcp_advance(&b->c, b->c.at_us - 1));
    b->now = b->c.at_us;
    assert_true(dhcp_advance(&b->c, b->now));
}

static void bind(struct bench *b)
{
    open_at(b, 0);
    expect(b, DHCP_DISCOVER);
    assert_int_equal(say_type(b, DHCP_OFFER), PASS);
    expect(b, DHCP_REQUEST);
    assert_int_equal(say_type(b, DHCP_ACK), PASS);
    assert_int_equal(dhcp_take_mark(&b->c), DHCP_GRANTED);
    dhcp_checked(&b->c, true, b->now);
    assert_int_equal(b->c.state, DHCP_BOUND);
}

static void an_address_is_found_asked_for_and_granted(void **state)
{
    struct bench b;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    assert_int_equal(b.out.src, 0);
    assert_int_equal(b.out.dst, 0xffffffff);
    assert_true(b.m.is_broadcast);
    assert_int_equal(b.m.ciaddr, 0);
    b.now += 2 * SECOND;
    assert_int_equal(say_type(&b, DHCP_OFFER), PASS);
    expect(&b, DHCP_REQUEST);
    assert_int_equal(b.out.dst, 0xffffffff);
    assert_int_equal(b.m.requested, OFFERED);
    assert_int_equal(b.m.server, SERVER);
    assert_int_equal(b.m.ciaddr, 0);
    assert_int_equal(b.m.secs, 0); /* as in the DISCOVER */
    assert_int_equal(say_type(&b, DHCP_ACK), PASS);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_GRANTED);
    assert_int_equal(b.c.state, DHCP_CHECKING);
    dhcp_checked(&b.c, true, b.now);
    assert_int_equal(b.c.state, DHCP_BOUND);
    assert_int_equal(b.c.lease.yiaddr, OFFERED);
    assert_int_equal(b.c.lease.prefix, 24);
}

static void silence_is_met_with_ever_longer_pauses(void **state)
{
    struct bench b;
    bool has_jitter = false;

    (void)state;
    open_at(&b, 0);
    for (int i = 0; i < 8; i++) {
        int64_t pause = i < 4 ? 4 << i : 64;
        expect(&b, DHCP_DISCOVER);
        assert_int_equal(b.m.secs, (b.now - 1000 * SECOND) / SECOND);
        has_jitter |= (b.c.at_us - b.now) % SECOND != 0;
        step_within(&b, (pause - 1) * SECOND, (pause + 1) * SECOND);
    }
    assert_true(has_jitter);
}

static void a_server_that_never_grants_is_left_for_another(void **state)
{
    struct bench b;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    assert_int_equal(say_type(&b, DHCP_OFFER), PASS);
    for (int i = 0; i < 4; i++) {
        expect(&b, DHCP_REQUEST);
        step_within(&b, 3 * SECOND, 33 * SECOND);
    }
    expect(&b, DHCP_DISCOVER);
}

static void a_lease_is_renewed_at_half_of_its_time(void **state)
{
    struct bench b;
    int64_t began;

    (void)state;
    bind(&b);
    for (int i = 0; i < 3; i++) {
        began = b.now;
        step_within(&b, LEASE / 2 * SECOND, LEASE / 2 * SECOND);
        assert_int_equal(b.c.state, DHCP_RENEWING);
        expect(&b, DHCP_REQUEST);
        assert_int_equal(b.out.dst, SERVER);
        assert_int_equal(b.out.src, OFFERED);
        assert_int_equal(b.m.ciaddr, OFFERED);
        assert_int_equal(b.m.requested, 0);
        assert_int_equal(b.m.server, 0);
        assert_false(b.m.is_broadcast);
        assert_int_equal(say_type(&b, DHCP_ACK), PASS);
        assert_int_equal(dhcp_take_mark(&b.c), DHCP_RENEWED);
        assert_int_equal(b.c.state, DHCP_BOUND);
        assert_int_equal(b.c.expires_us, began + (LEASE / 2 + LEASE) * SECOND);
    }
}

static void a_dead_server_is_asked_then_any_then_the_address_is_lost(void **state)
{
    struct bench b;
    int64_t t0, t2, end;
    int unicast = 0, broadcast = 0;

    (void)state;
    bind(&b);
    t0 = b.now;
    t2 = t0 + LEASE * 7 / 8 * SECOND;
    end = t0 + LEASE * SECOND;
    while (b.c.state >= DHCP_BOUND && b.c.state <= DHCP_REBINDING) {
        b.now = b.c.at_us;
        dhcp_advance(&b.c, b.now);
        if (!b.c.is_due)
            continue;
        expect(&b, b.now < end ? DHCP_REQUEST : DHCP_DISCOVER);
        *(b.out.dst == SERVER ? &unicast : &broadcast) += 1;
        assert_true((b.out.dst == SERVER) == (b.now < t2));
    }
    assert_int_equal(b.now, end);
    assert_in_range(unicast, 4, 10);
    assert_in_range(broadcast, 2, 8);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_LOST);
    assert_int_equal(b.c.former.yiaddr, OFFERED);
    step_within(&b, 0, 0);
    expect(&b, DHCP_DISCOVER);
}

static void times_that_the_server_tells_are_taken_if_they_make_sense(void **state)
{
    const struct {
        uint32_t t1, t2, want1, want2;
    } rows[] = {{100, 200, 100, 200},
                {200, 100, 100, 100}, /* T1 behind T2 */
                {100, 9999, 100, 3150},
                {0, 0, 1800, 3150}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        struct reply r;

        open_at(&b, 0);
        expect(&b, DHCP_DISCOVER);
        assert_int_equal(say_type(&b, DHCP_OFFER), PASS);
        expect(&b, DHCP_REQUEST);
        r = reply_of(&b, DHCP_ACK);
        word(&r, 58, rows[i].t1);
        word(&r, 59, rows[i].t2);
        assert_int_equal(say(&b, &r), PASS);
        assert_int_equal((b.c.t1_us - b.now) / SECOND, rows[i].want1);
        assert_int_equal((b.c.t2_us - b.now) / SECOND, rows[i].want2);
    }
}

static void a_nak_begins_anew(void **state)
{
    struct bench b;

    (void)state;
    bind(&b);
    step_within(&b, LEASE / 2 * SECOND, LEASE / 2 * SECOND);
    expect(&b, DHCP_REQUEST);
    assert_int_equal(say_type(&b, DHCP_NAK), PASS);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_LOST);
    step_within(&b, SECOND, SECOND);
    expect(&b, DHCP_DISCOVER);
}

static void an_address_of_before_is_asked_for_first(void **state)
{
    struct bench b;

    (void)state;
    open_at(&b, OFFERED);
    expect(&b, DHCP_REQUEST);
    assert_int_equal(b.m.requested, OFFERED);
    assert_int_equal(b.m.server, 0);
    assert_int_equal(b.m.ciaddr, 0);
    assert_int_equal(say_type(&b, DHCP_ACK), PASS);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_GRANTED);
    open_at(&b, OFFERED);
    expect(&b, DHCP_REQUEST);
    assert_int_equal(say_type(&b, DHCP_NAK), PASS);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_NOTHING);
    step_within(&b, SECOND, SECOND);
    expect(&b, DHCP_DISCOVER);
    open_at(&b, OFFERED); /* and if nobody knows it, any will do */
    for (int i = 0; i < 2; i++) {
        expect(&b, DHCP_REQUEST);
        step_within(&b, 3 * SECOND, 9 * SECOND);
    }
    expect(&b, DHCP_DISCOVER);
}

static void an_address_that_somebody_has_is_declined(void **state)
{
    struct bench b;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    assert_int_equal(say_type(&b, DHCP_OFFER), PASS);
    expect(&b, DHCP_REQUEST);
    assert_int_equal(say_type(&b, DHCP_ACK), PASS);
    dhcp_checked(&b.c, false, b.now);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_LOST);
    expect(&b, DHCP_DECLINE);
    assert_int_equal(b.out.dst, 0xffffffff);
    assert_int_equal(b.out.src, 0);
    assert_int_equal(b.m.requested, OFFERED);
    assert_int_equal(b.m.server, SERVER);
    assert_int_equal(b.m.ciaddr, 0);
    step_within(&b, 10 * SECOND, 10 * SECOND);
    expect(&b, DHCP_DISCOVER);
}

static void a_lease_that_is_given_back_is_released(void **state)
{
    struct bench b;

    (void)state;
    bind(&b);
    dhcp_stop(&b.c, b.now);
    expect(&b, DHCP_RELEASE);
    assert_int_equal(b.out.dst, SERVER);
    assert_int_equal(b.m.ciaddr, OFFERED);
    assert_int_equal(b.m.server, SERVER);
    assert_int_equal(dhcp_take_mark(&b.c), DHCP_LOST);
    assert_int_equal(b.c.at_us, INT64_MAX);
    assert_int_equal(say_type(&b, DHCP_ACK), DROP_dhcp_not_for_us);
}

/* -- a server that means no good ----------------------------------------------------------------
 */

static void what_is_cut_short_is_refused_at_each_length(void **state)
{
    struct bench b;
    struct reply r;
    size_t whole;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    r = reply_of(&b, DHCP_OFFER);
    whole = r.len;
    for (r.len = 0; r.len < whole; r.len++) {
        enum drop v = say(&b, &r);
        assert_true(v == DROP_dhcp_malformed || v == DROP_dhcp_invalid ||
                    b.c.state != DHCP_SELECTING);
        b.c.state = DHCP_SELECTING;
        b.c.is_due = false;
    }
    r.len = whole;
    r.bytes[whole] = 6; /* an option that is longer than what is left */
    r.bytes[whole + 1] = 4;
    r.len += 4;
    assert_int_equal(say(&b, &r), DROP_dhcp_malformed);
}

static void answers_to_others_are_not_ours(void **state)
{
    struct bench b;
    struct reply r;

    (void)state;
    open_at(&b, 0);
    assert_int_equal(say_type(&b, DHCP_OFFER), DROP_dhcp_not_for_us); /* before the question */
    expect(&b, DHCP_DISCOVER);
    r = reply_of(&b, DHCP_OFFER);
    r.bytes[7] ^= 1; /* xid */
    assert_int_equal(say(&b, &r), DROP_dhcp_not_for_us);
    r = reply_of(&b, DHCP_OFFER);
    r.bytes[33] ^= 1; /* MAC */
    assert_int_equal(say(&b, &r), DROP_dhcp_not_for_us);
    r = reply_of(&b, DHCP_OFFER);
    r.bytes[0] = 1; /* a request */
    assert_int_equal(say(&b, &r), DROP_dhcp_not_for_us);
    assert_int_equal(say_type(&b, DHCP_ACK), DROP_dhcp_not_for_us); /* nothing was requested */
    assert_int_equal(say_type(&b, DHCP_NAK), DROP_dhcp_not_for_us);
    assert_int_equal(say_type(&b, 9), DROP_dhcp_invalid);
    assert_int_equal(b.c.state, DHCP_SELECTING);
}

static void impossible_addresses_are_refused(void **state)
{
    const uint32_t bad[] = {0, 0x7f000001, 0xe0000001, 0xffffffff, 0x0a000000, 0x0a0000ff, 1};
    struct bench b;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reply r = reply_of(&b, DHCP_OFFER);
        put32(r.bytes + 16, bad[i]);
        assert_int_equal(say(&b, &r), DROP_dhcp_invalid);
    }
}

static void another_server_can_neither_grant_nor_refuse(void **state)
{
    struct bench b;
    struct reply r;

    (void)state;
    open_at(&b, 0);
    expect(&b, DHCP_DISCOVER);
    assert_int_equal(say_type(&b, DHCP_OFFER), PASS);
    expect(&b, DHCP_REQUEST);
    for (uint8_t type = DHCP_ACK; type <= DHCP_NAK; type++) {
        r = reply_of(&b, type);
        put32(r.bytes + 245, SERVER + 9);
        assert_int_equal(say(&b, &r), DROP_dhcp_not_for_us);
    }
    assert_int_equal(b.c.state, DHCP_REQUESTING);
}

static void a_renewal_can_not_move_us_to_another_address(void **state)
{
    struct bench b;
    struct reply r;

    (void)state;
    bind(&b);
    step_within(&b, LEASE / 2 * SECOND, LEASE / 2 * SECOND);
    expect(&b, DHCP_REQUEST);
    r = reply_of(&b, DHCP_ACK);
    put32(r.bytes + 16, OFFERED + 1);
    assert_int_equal(say(&b, &r), DROP_dhcp_invalid);
    assert_int_equal(b.c.lease.yiaddr, OFFERED);
}

static void whatever_bytes_come_the_client_stands(void **state)
{
    struct rng r;
    struct bench b;

    (void)state;
    rng_init(&r, 11, 12);
    bind(&b);
    for (int i = 0; i < 20000; i++) {
        struct reply noise = reply_of(&b, (uint8_t)(1 + rng_below(&r, 8)));
        for (uint32_t n = rng_below(&r, 8); n; n--)
            noise.bytes[rng_below(&r, 4) ? 240 + rng_below(&r, 60) : rng_below(&r, 240)] =
                (uint8_t)rng_u64(&r);
        noise.len = noise.len + rng_below(&r, 60);
        say(&b, &noise);
        dhcp_checked(&b.c, i % 3, b.now);
        dhcp_take_mark(&b.c);
        if (b.c.at_us != INT64_MAX && b.c.at_us > b.now && i % 5 == 0)
            b.now = b.c.at_us;
        dhcp_advance(&b.c, b.now);
        dhcp_pull(&b.c, b.sent, &b.out, b.now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_found_asked_for_and_granted),
        cmocka_unit_test(silence_is_met_with_ever_longer_pauses),
        cmocka_unit_test(a_server_that_never_grants_is_left_for_another),
        cmocka_unit_test(a_lease_is_renewed_at_half_of_its_time),
        cmocka_unit_test(a_dead_server_is_asked_then_any_then_the_address_is_lost),
        cmocka_unit_test(times_that_the_server_tells_are_taken_if_they_make_sense),
        cmocka_unit_test(a_nak_begins_anew),
        cmocka_unit_test(an_address_of_before_is_asked_for_first),
        cmocka_unit_test(an_address_that_somebody_has_is_declined),
        cmocka_unit_test(a_lease_that_is_given_back_is_released),
        cmocka_unit_test(what_is_cut_short_is_refused_at_each_length),
        cmocka_unit_test(answers_to_others_are_not_ours),
        cmocka_unit_test(impossible_addresses_are_refused),
        cmocka_unit_test(another_server_can_neither_grant_nor_refuse),
        cmocka_unit_test(a_renewal_can_not_move_us_to_another_address),
        cmocka_unit_test(whatever_bytes_come_the_client_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
