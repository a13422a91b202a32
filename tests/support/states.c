/* The packet-test language: a connection in any state. See states.h.
 *
 * Knows: the segments and calls that lead there. Shape: each state from the one before it.
 * Units: bytes of sequence space. Errors: a failure ends the test. Cost: none that matters. */
#include "states.h"

struct numbers numbers(int state)
{
    switch (state) {
    case WEIR_SYN_SENT:
        return (struct numbers){0, 1, 0};
    case WEIR_SYN_RECV:
        return (struct numbers){0, 1, 1};
    case WEIR_ESTABLISHED:
        return (struct numbers){1, 1, 1};
    case WEIR_FIN_WAIT_1:
        return (struct numbers){1, 2, 1};
    case WEIR_FIN_WAIT_2:
        return (struct numbers){2, 2, 1};
    case WEIR_CLOSE_WAIT:
        return (struct numbers){1, 1, 2};
    case WEIR_TIME_WAIT:
        return (struct numbers){2, 2, 2};
    default: /* CLOSING, LAST-ACK */
        return (struct numbers){1, 2, 2};
    }
}

static struct peer syn_received(const struct peer_config *c)
{
    struct peer p = c->is_active ? peer_connecting(c) : peer_listening(c);

    p.has_ts = c->has_ts;
    inject(&p, .flags = SYN, .seq = 0, .mss = c->mss ? c->mss : 1460, .sack_ok = c->sack_ok,
           .wscale = c->wscale, .tsval = c->has_ts ? 1000 : 0);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    return p;
}

static struct peer fin_wait_1(const struct peer_config *c)
{
    struct peer p = peer_established(c);

    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    return p;
}

static struct peer fin_wait_2(const struct peer_config *c)
{
    struct peer p = fin_wait_1(c);

    inject_ts(&p, .flags = ACK, .seq = 1, .ack = 2);
    return p;
}

static struct peer close_wait(const struct peer_config *c)
{
    struct peer p = peer_established(c);

    inject_ts(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .ack = 2);
    return p;
}

/* After FIN-WAIT-1 or FIN-WAIT-2: the peer's FIN comes. */
static struct peer then_fin(struct peer p, uint32_t ack)
{
    inject_ts(&p, .flags = FIN | ACK, .seq = 1, .ack = ack);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    return p;
}

static struct peer last_ack(const struct peer_config *c)
{
    struct peer p = close_wait(c);

    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    return p;
}

static struct peer arrange(int state, const struct peer_config *c)
{
    switch (state) {
    case WEIR_LISTEN:
        return peer_listening(c);
    case WEIR_SYN_SENT:
        return peer_connecting(c);
    case WEIR_SYN_RECV:
        return syn_received(c);
    case WEIR_ESTABLISHED:
        return peer_established(c);
    case WEIR_FIN_WAIT_1:
        return fin_wait_1(c);
    case WEIR_FIN_WAIT_2:
        return fin_wait_2(c);
    case WEIR_CLOSE_WAIT:
        return close_wait(c);
    case WEIR_CLOSING:
        return then_fin(fin_wait_1(c), 1);
    case WEIR_LAST_ACK:
        return last_ack(c);
    default:
        return then_fin(fin_wait_2(c), 2);
    }
}

struct peer peer_in_state(int state, const struct peer_config *c)
{
    struct peer p = arrange(state, c);

    if (state != WEIR_LISTEN)
        expect_state(&p, state);
    return p;
}

void peer_forget_output(struct peer *p)
{
    struct got g;

    while (peer_next(p, &g))
        ;
}
