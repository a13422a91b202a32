/* Urgent data: RFC 9293 section 3.8.5, RFC 6093, and Linux's way of reading it. */
#include <errno.h>
#include <sys/socket.h>

#include "support/peer.h"

static void expect_urgent(struct peer *p, ssize_t wanted, uint32_t relative)
{
    uint8_t byte = 0;

    assert_int_equal(weir_recv(p->stack, p->sock, &byte, 1, MSG_OOB), wanted);
    if (wanted == 1)
        assert_int_equal(byte, peer_byte(false, relative));
}

/* Reads what one call gives: n bytes, the pattern from `from` on. */
static void expect_read(struct peer *p, uint32_t from, ssize_t n)
{
    uint8_t data[100];

    assert_int_equal(weir_recv(p->stack, p->sock, data, sizeof data, 0), n);
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(data[i], peer_byte(false, from + (uint32_t)i));
}

/* Ten bytes of which the fifth is urgent. */
static struct peer with_urgent_byte(bool is_inline)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, SOL_SOCKET, SO_OOBINLINE, is_inline);
    inject(&p, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5);
    expect(&p, .flags = ACK, .ack = 11);
    assert_true(weir_readiness(p.stack, p.sock) & WEIR_READY_PRI);
    return p;
}

/* REQ:6093-4-1 REQ:MUST-62 ROW:51 */
TEST(the_pointer_lies_behind_the_urgent_byte_and_a_read_ends_before_it)
{
    struct peer p = with_urgent_byte(false);

    assert_int_equal(weir_at_mark(p.stack, p.sock), 0);
    expect_read(&p, 1, 4);
    assert_int_equal(weir_at_mark(p.stack, p.sock), 1);
    expect_urgent(&p, 1, 5);
    expect_urgent(&p, -EINVAL, 0);
    expect_read(&p, 6, 5);
    assert_int_equal(weir_at_mark(p.stack, p.sock), 0);
    peer_end(&p);
}

TEST(an_urgent_byte_that_was_passed_is_gone)
{
    struct peer p = with_urgent_byte(false);

    expect_read(&p, 1, 4);
    expect_read(&p, 6, 5);
    expect_urgent(&p, -EINVAL, 0);
    assert_false(weir_readiness(p.stack, p.sock) & WEIR_READY_PRI);
    peer_end(&p);
}

TEST(inline_it_is_part_of_the_stream_and_the_read_still_stops_at_the_mark)
{
    struct peer p = with_urgent_byte(true);

    expect_urgent(&p, -EINVAL, 0);
    expect_read(&p, 1, 4);
    assert_int_equal(weir_at_mark(p.stack, p.sock), 1);
    expect_read(&p, 5, 6);
    peer_end(&p);
}

TEST(an_urgent_byte_may_be_announced_before_it_comes)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 2, .urg = 5);
    expect(&p, .flags = ACK, .ack = 3);
    expect_urgent(&p, -EAGAIN, 0);
    expect_read(&p, 1, 2);
    inject(&p, .flags = ACK, .seq = 3, .ack = 1, .len = 3);
    expect(&p, .flags = ACK, .ack = 6);
    expect_urgent(&p, 1, 5);
    expect_read(&p, 3, 2);
    expect_read(&p, 0, -EAGAIN);
    peer_end(&p);
}

TEST(alone_it_is_no_news_for_a_reader_of_the_stream)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 1, .urg = 1);
    expect(&p, .flags = ACK, .ack = 2);
    assert_int_equal(weir_readiness(p.stack, p.sock) & (WEIR_READY_IN | WEIR_READY_PRI),
                     WEIR_READY_PRI);
    expect_urgent(&p, 1, 1);
    expect_read(&p, 0, -EAGAIN);
    peer_end(&p);
}

TEST(a_peek_leaves_the_urgent_byte_and_the_mark)
{
    struct peer p = with_urgent_byte(false);
    uint8_t byte;

    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, MSG_OOB | MSG_PEEK), 1);
    expect_urgent(&p, 1, 5);
    expect_read(&p, 1, 4);
    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, MSG_PEEK), 1);
    assert_int_equal(byte, peer_byte(false, 6));
    assert_int_equal(weir_at_mark(p.stack, p.sock), 1);
    expect_read(&p, 6, 5);
    peer_end(&p);
}

TEST(a_newer_mark_takes_the_place_of_the_older)
{
    struct peer p = with_urgent_byte(false);

    inject(&p, .flags = ACK | URG, .seq = 11, .ack = 1, .len = 10, .urg = 10);
    expect(&p, .flags = ACK, .ack = 21);
    expect_urgent(&p, 1, 20);
    expect_read(&p, 1, 19);
    expect_read(&p, 0, -EAGAIN);
    peer_end(&p);
}

/* REQ:6093-3.4-1: a middlebox may clear the flag, or the pointer. It is text like any other then:
 * nothing is lost, nobody is alarmed, and what is urgent later is. */
TEST(what_a_middlebox_cleared_is_text)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .urg = 5);
    inject(&p, .flags = ACK | URG, .seq = 11, .ack = 1, .len = 10);
    for (struct got g; peer_next(&p, &g);)
        ;
    assert_false(weir_readiness(p.stack, p.sock) & WEIR_READY_PRI);
    expect_urgent(&p, -EINVAL, 0);
    expect_read(&p, 1, 20);
    inject(&p, .flags = ACK | URG, .seq = 21, .ack = 1, .len = 10, .urg = 5);
    assert_true(weir_readiness(p.stack, p.sock) & WEIR_READY_PRI);
    expect_urgent(&p, 1, 25);
    peer_forget();
}

TEST(a_pointer_to_what_came_before_means_nothing)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .ack = 11);
    inject(&p, .flags = ACK | URG, .seq = 1, .ack = 1, .len = 10, .urg = 5,
           .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 11);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    expect_urgent(&p, -EINVAL, 0);
    expect_read(&p, 1, 10);
    peer_end(&p);
}

/* FSM-034 REQ:MUST-62 REQ:MUST-30 */
TEST(what_is_sent_urgent_is_pointed_at_until_it_is_acknowledged)
{
    struct peer p = established(.mss = 1000);
    uint8_t data[5];

    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = peer_byte(true, 1 + i);
    assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, MSG_OOB), 5);
    p.written += 5;
    expect(&p, .flags = ACK | URG | PSH, .seq = 1, .len = 5, .urg = 5);
    expect_after(&p, 200, .flags = ACK | URG | PSH, .seq = 1, .len = 5, .urg = 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6);
    app_write(&p, 5);
    expect(&p, .flags = ACK | PSH, .seq = 6, .len = 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("urgent");
}
