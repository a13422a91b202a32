/* Memory runs short: what is given up, in which order, and that nothing acknowledged is lost.
 * docs/memory.md; tcp(7): tcp_mem. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "peer.h"
#include "stack/stack.h"
#include "tcp/tcb.h"

#define PAGE 4096u
#define NOT_REACHED (1l << 40)

/* Where pressure ends, where it begins, and where nothing new does: bytes more than are held. */
static void marks(struct peer *p, long low, long some, long high)
{
    long held = (long)p->stack->mem.held, page = (long)PAGE;
    char text[80];

    snprintf(text, sizeof text, "%ld %ld %ld", (held + low) / page, (held + some) / page,
             (held + high) / page);
    assert_int_equal(weir_knob_set(p->stack, "net.ipv4.tcp_mem", text), 0);
}

static void no_marks(struct peer *p)
{
    assert_int_equal(weir_knob_set(p->stack, "net.ipv4.tcp_mem", "0 0 0"), 0);
    advance_ms(p, 1);
}

/* From now on memory is short; with `is_high` nothing new begins. */
static void run_short(struct peer *p, bool is_high)
{
    long half = (long)p->stack->mem.held / 2;

    marks(p, -half, -half, is_high ? -half : NOT_REACHED);
    advance_ms(p, 1);
    expect_stat(p, "TcpExtTCPMemoryPressures", 1);
}

static struct peer open_another(const struct peer *p, uint16_t port)
{
    struct peer q = peer_other(p, port);

    inject(&q, .flags = SYN, .seq = 0, .mss = 1000, .sack_ok = true);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q);
    return q;
}

static void forget_output(struct peer *p)
{
    struct got g;

    while (peer_next(p, &g))
        ;
}

/* [from, from + n) comes in order, a segment after another; their ACKs are not looked at. */
static void receive(struct peer *p, uint32_t from, uint32_t n)
{
    for (uint32_t at = from; at < from + n; at += 1000)
        inject(p, .flags = ACK, .seq = at, .ack = 1, .len = 1000);
    forget_output(p);
}

/* -- pressure ---------------------------------------------------------------------------------- */

TEST(text_beyond_a_hole_goes_first)
{
    struct peer p = established(.mss = 1000, .sack_ok = true), q = open_another(&p, 5000);

    inject(&p, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{2001, 3001}});
    marks(&p, 0, PAGE, NOT_REACHED);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 1000); /* a ring of 2 KiB: not yet */
    expect(&q, .flags = ACK, .ack = 1001);
    expect_stat(&p, "TcpExtOfoPruned", 0);
    receive(&q, 1001, 8000);
    expect_stat(&p, "TcpExtTCPMemoryPressures", 1);
    expect_stat(&p, "TcpExtPruneCalled", 1);
    expect_stat(&p, "TcpExtOfoPruned", 1);
    no_marks(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 2000);
    expect(&p, .flags = ACK, .ack = 2001, .sacks = NO_SACK); /* the rest has to come again */
    inject(&p, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 3001);
    app_read(&p, 3000);
    app_read(&q, 9000); /* and what was in order is all there */
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(what_lay_before_the_hole_moves_to_a_smaller_ring)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 1001);
    inject(&p, .flags = ACK, .seq = 60001, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 1001);
    run_short(&p, false);
    expect_stat(&p, "TcpExtTCPRcvCollapsed", 1);
    expect_stat(&p, "TcpExtPruneCalled", 1);
    expect_stat(&p, "TcpExtOfoPruned", 1);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    app_read(&p, 1000);
    peer_end(&p);
}

TEST(none_is_kept_while_memory_is_short)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    run_short(&p, false);
    inject(&p, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000, .drop = "tcp_no_memory");
    expect(&p, .flags = ACK, .ack = 1, .sacks = NO_SACK);
    expect_stat(&p, "TcpExtTCPOFODrop", 1);
    no_marks(&p);
    inject(&p, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{2001, 3001}});
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

/* Four segments, less what lies unread; what was offered stays. */
TEST(windows_stop_growing)
{
    struct peer p = established(.mss = 1460, .rcvbuf = 5000);

    run_short(&p, false);
    receive(&p, 1, 7000);
    inject(&p, .flags = ACK, .seq = 7001, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 8001, .wnd = 2000); /* of 10000 that the SYN/ACK offered */
    app_read(&p, 3000);
    expect_quiet(&p); /* 5000 unread: room for less than a segment of 5840 */
    app_read(&p, 5000);
    inject(&p, .flags = ACK, .seq = 8001, .ack = 1, .len = 1500);
    expect_after(&p, 40, .flags = ACK, .ack = 9501, .wnd = 4 * 1460 - 1500);
    no_marks(&p);
    inject(&p, .flags = ACK, .seq = 9501, .ack = 1, .len = 500);
    expect_after(&p, 40, .flags = ACK, .ack = 10001, .wnd = 8000); /* as before */
    peer_end(&p);
}

TEST(a_program_may_write_the_least_buffer_only)
{
    struct peer p = established(.mss = 1000);
    static uint8_t data[10000];

    run_short(&p, false);
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 4096);
    assert_int_equal(weir_send(p.stack, p.sock, data, 1, 0), -EAGAIN);
    no_marks(&p);
    peer_forget();
}

TEST(syns_get_cookies)
{
    struct peer p = established(.mss = 1000), q = peer_other(&p, 5000);

    run_short(&p, false);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_stat(&p, "TcpExtSyncookiesSent", 1);
    assert_int_equal(p.stack->tcp.syns.used, 0);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q); /* its ACK is as good as ever */
    peer_end(&p);
}

TEST(buffers_do_not_grow)
{
    struct peer p = established(.mss = 1460, .wscale = 8);

    run_short(&p, false);
    for (uint32_t at = 1; at < 1460 * 100; at += 1460) {
        inject(&p, .flags = ACK, .seq = at, .ack = 1, .len = 1460);
        app_read(&p, 1460);
        forget_output(&p);
    }
    assert_int_equal(tcp_at(&p.stack->tcp, 2)->opt.rcvbuf, 131072);
    assert_int_equal(p.stack->tcp.tunes.used, 0);
    peer_end(&p);
}

/* -- nothing new begins ------------------------------------------------------------------------ */

TEST(then_nothing_new_begins_and_what_is_there_goes_on)
{
    struct peer p = established(.mss = 1000), q = peer_other(&p, 5000);

    run_short(&p, true);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_no_memory");
    expect_quiet(&q);
    expect_stat(&p, "TcpExtListenDrops", 1);
    assert_int_equal(weir_socket(p.stack, AF_INET, SOCK_STREAM, 0), -ENOMEM);
    for (uint32_t at = 1; at < 5001; at += 1000) {
        inject(&p, .flags = ACK, .seq = at, .ack = 1, .len = 1000);
        expect(&p, .flags = ACK, .ack = at + 1000);
        app_read(&p, 1000);
    }
    app_write(&p, 1000);
    expect(&p, .flags = PSH | ACK, .len = 1000);
    inject(&p, .flags = ACK, .seq = 5001, .ack = 1001);
    no_marks(&p);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .ack = 1);
    peer_forget();
}

/* Who leaves four segments unread has had its share. */
TEST(who_does_not_read_gets_no_more)
{
    struct peer p = established(.mss = 1000);

    receive(&p, 1, 8000); /* a ring of 8 KiB */
    run_short(&p, true);
    inject(&p, .flags = ACK, .seq = 8001, .ack = 1, .len = 1000, .drop = "tcp_no_memory");
    expect_stat(&p, "TcpExtRcvPruned", 1);
    app_read(&p, 8000);
    receive(&p, 8001, 4000);
    app_read(&p, 4000);
    peer_end(&p);
}

/* q closes first and is in TIME-WAIT. */
TEST(time_waits_go)
{
    struct peer p = established(.mss = 1000), q = open_another(&p, 5000);

    app_close(&q);
    expect(&q, .flags = FIN | ACK, .seq = 1);
    inject(&q, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&q, .flags = ACK, .ack = 2);
    expect_state(&q, WEIR_TIME_WAIT);
    run_short(&p, false);
    expect_state(&q, WEIR_TIME_WAIT); /* not for pressure alone */
    run_short(&p, true);
    expect_state(&q, 0);
    expect_stat(&p, "TcpExtTCPTimeWaitOverflow", 1);
    peer_end(&p);
}

TEST(orphans_with_text_end)
{
    struct peer p = established(.mss = 1000), q = open_another(&p, 5000);
    struct peer early = open_another(&p, 6000);

    app_write(&early, 6000);
    forget_output(&early);
    app_close(&early);
    expect(&early, .flags = FIN | ACK);
    app_write(&q, 6000);
    forget_output(&q);
    run_short(&p, true);
    expect(&early, .flags = RST | ACK); /* it was one already */
    app_close(&q);
    expect(&q, .flags = RST | ACK); /* it would become one */
    expect_stat(&p, "TcpExtTCPAbortOnMemory", 2);
    expect_stat(&p, "TcpOutRsts", 2);
    expect_stat(&p, "TcpEstabResets", 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    app_read(&p, 10);
    forget_output(&p);
    app_close(&p); /* with nothing to send it goes in peace */
    expect(&p, .flags = FIN | ACK);
    peer_forget();
}

/* ROW:42 */
TEST(a_peer_that_keeps_its_window_closed_is_let_go)
{
    struct peer p = established(.mss = 1000), q = open_another(&p, 5000);
    struct got g;

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    app_write(&p, 20000);
    for (int i = 0; i < 2; i++) { /* a probe is asked and answered */
        while (!peer_next(&p, &g))
            advance_ms(&p, 100);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    }
    run_short(&p, true);
    expect(&p, .flags = RST | ACK);
    app_read_error(&p, ENOBUFS); /* the program hears of what is lost */
    expect_stat(&p, "TcpExtTCPAbortOnMemory", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPWinProbe", 2);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 1000); /* another goes on */
    expect(&q, .flags = ACK, .ack = 1001);
    peer_end(&p);
}

TEST(a_silent_peer_is_let_go_after_tcp_retries1)
{
    struct peer p = established(.mss = 1000);
    struct got g;

    app_write(&p, 10000);
    run_short(&p, true);
    while (peer_state(&p) == WEIR_ESTABLISHED) {
        advance_ms(&p, 100);
        while (peer_next(&p, &g))
            ;
    }
    expect_stat(&p, "TcpExtTCPTimeouts", 3);
    assert_int_equal(app_error(&p), ENOBUFS);
    peer_forget();
}

/* -- the ceiling ------------------------------------------------------------------------------- */

TEST(the_ceiling_says_where_pressure_begins)
{
    struct peer p = established(.mss = 1000);
    char text[32];

    snprintf(text, sizeof text, "%zu", p.stack->mem.held * 8 / 6 - 1000);
    assert_int_equal(weir_knob_set(p.stack, "net.weir.mem_max", text), 0);
    advance_ms(&p, 1);
    expect_stat(&p, "TcpExtTCPMemoryPressures", 1);
    snprintf(text, sizeof text, "%zu", p.stack->mem.held * 2);
    assert_int_equal(weir_knob_set(p.stack, "net.weir.mem_max", text), 0);
    advance_ms(&p, 1);
    assert_false(p.stack->tcp.press.is_on);
    peer_end(&p);
}

/* No byte more may be had: what was acknowledged is read, and then there is room. */
TEST(at_the_ceiling_what_was_acknowledged_is_there)
{
    struct peer p = established(.mss = 1000), q = open_another(&p, 5000);
    char text[32];

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 2000);
    expect(&p, .flags = ACK, .ack = 2001);
    inject(&q, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
    expect(&q, .flags = ACK, .ack = 1);
    snprintf(text, sizeof text, "%zu", p.stack->mem.held - 1);
    marks(&p, NOT_REACHED, NOT_REACHED, NOT_REACHED); /* only the allocator says no */
    assert_int_equal(weir_knob_set(p.stack, "net.weir.mem_max", text), 0);
    p.stack->tcp.press.low = p.stack->tcp.press.some = p.stack->tcp.press.high = SIZE_MAX;
    inject(&p, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000); /* q's early text makes room */
    expect(&p, .flags = ACK, .ack = 3001);
    expect_stat(&p, "TcpExtPruneCalled", 1);
    expect_stat(&p, "TcpExtOfoPruned", 1);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
    receive(&p, 3001, 1000); /* 4 KiB are full */
    inject(&p, .flags = ACK, .seq = 4001, .ack = 1, .len = 1000, .drop = "tcp_no_memory");
    expect_stat(&p, "TcpExtRcvPruned", 1);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    app_read(&p, 4000);
    receive(&p, 4001, 1000);
    app_read(&p, 1000);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("memory");
}
