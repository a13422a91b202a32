/* Every edge of def/edges.def is taken here; the last test names those that are not. The paths are
 * what the trace tells. */
#include <stdio.h>

#include "def/state.h"
#include "support/peer.h"

static void lose_to_reset(struct peer *p, uint32_t seq)
{
    inject(p, .flags = RST, .seq = seq);
}

/* The counters that a path moves are no subject here. */
static void end(struct peer *p)
{
    expect_quiet(p);
    peer_forget();
}

TEST(a_listener_begins_and_ends)
{
    struct peer p = listening(0), any = peer_other(&p, 0);

    weir_close(p.stack, p.listener);
    expect_path(&any, "LISTEN CLOSED");
    end(&p);
}

TEST(an_active_open_and_an_active_close)
{
    struct peer p = established(.is_active = true);

    expect_path(&p, "SYN-SENT ESTABLISHED");
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_path(&p, "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT");
    advance_ms(&p, 60000);
    expect_path(&p, "CLOSED");
    end(&p);
}

TEST(a_passive_open_and_a_passive_close)
{
    struct peer p = established(0);

    expect_path(&p, "SYN-RECEIVED ESTABLISHED");
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .ack = 2);
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_path(&p, "CLOSE-WAIT LAST-ACK CLOSED");
    end(&p);
}

static struct peer opened_by_both(void)
{
    struct peer p = connecting(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_path(&p, "SYN-SENT SYN-RECEIVED");
    return p;
}

TEST(a_simultaneous_open_and_a_simultaneous_close)
{
    struct peer p = opened_by_both();

    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_path(&p, "ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT");
    end(&p);
}

TEST(a_close_before_the_handshake_is_over) /* REQ:FSM-243 */
{
    struct peer p = opened_by_both();

    app_close(&p);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_path(&p, "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT");
    end(&p);
}

TEST(resets_before_the_handshake_is_over)
{
    struct peer p = connecting(0);

    inject(&p, .flags = RST | ACK, .seq = 0, .ack = 1);
    expect_path(&p, "SYN-SENT CLOSED");
    end(&p);
    p = opened_by_both();
    lose_to_reset(&p, 1);
    expect_path(&p, "CLOSED");
    end(&p);
}

TEST(resets_of_what_stands)
{
    struct peer p = established(0);

    lose_to_reset(&p, 1);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED CLOSED");
    end(&p);
    p = established(0);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .ack = 2);
    lose_to_reset(&p, 2);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED CLOSE-WAIT CLOSED");
    end(&p);
}

TEST(resets_of_what_closes)
{
    struct peer p = established(0);

    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    lose_to_reset(&p, 1);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSED");
    end(&p);
    p = established(0);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    lose_to_reset(&p, 1);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSED");
    end(&p);
    p = established(0);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .ack = 2);
    lose_to_reset(&p, 2);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING CLOSED");
    end(&p);
}

TEST(the_next_incarnation)
{
    struct peer p = established(0);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = SYN, .seq = 5000, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .ack = 5001);
    expect_path(&p, "SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT "
                    "SYN-RECEIVED");
    end(&p);
}

TEST(no_edge_is_left_out)
{
    static const struct {
        int from, to;
        const char *name;
    } all[] = {
#define EDGE(from, to, cause, ref) {from, to, #from " -> " #to ", " cause},
#include "def/edges.def"
#undef EDGE
    };
    int missing = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!peer_edge_count(all[i].from, all[i].to)) {
            print_error("no test takes the edge %s\n", all[i].name);
            missing++;
        }
    assert_int_equal(missing, 0);
}

int main(void)
{
    return peer_tests_run("edges");
}
