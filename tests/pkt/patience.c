/* How long the stack waits: keepalive, user timeout, delayed ACKs. And what is urgent. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/peer.h"

static struct peer kept_alive(void)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    app_option(&p, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    app_option(&p, IPPROTO_TCP, TCP_KEEPCNT, 2);
    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    return p;
}

TEST(keepalive_is_off_unless_asked_for) /* REQ:MUST-25 */
{
    struct peer p = established(.mss = 1000);

    advance_ms(&p, 3 * 7200 * 1000);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(keepalive_waits_two_hours_by_itself) /* REQ:MUST-28 */
{
    struct peer p = established(.mss = 1000);

    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    expect_after(&p, 7200 * 1000, .flags = ACK, .seq = 0, .ack = 1, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_after(&p, 7200 * 1000, .flags = ACK, .seq = 0, .ack = 1, .len = 0);
    expect_stat(&p, "TcpExtTCPKeepAlive", 2);
    peer_end(&p);
}

TEST(an_answer_puts_the_next_probe_off_by_the_idle_time) /* REQ:MUST-29 */
{
    struct peer p = kept_alive();

    expect_after(&p, 10000, .flags = ACK, .seq = 0, .len = 0);
    expect_after(&p, 5000, .flags = ACK, .seq = 0, .len = 0); /* one is lost: no reason to end */
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_after(&p, 10000, .flags = ACK, .seq = 0, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_stat(&p, "TcpExtTCPKeepAlive", 3);
    peer_end(&p);
}

TEST(anything_that_arrives_puts_it_off_and_data_in_flight_does_too) /* REQ:MUST-27 */
{
    struct peer p = kept_alive();

    advance_ms(&p, 9000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .ack = 11);
    advance_ms(&p, 9999);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    advance_ms(&p, 100);
    expect_quiet(&p); /* the retransmission asks by itself */
    inject(&p, .flags = ACK, .seq = 11, .ack = 101);
    expect_after(&p, 10000, .flags = ACK, .seq = 100, .len = 0);
    expect_stat(&p, "TcpExtTCPKeepAlive", 1);
    peer_end(&p);
}

TEST(user_timeout_ends_what_is_not_acknowledged_in_time)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
    advance_ms(&p, 5000); /* nothing waits: no time passes */
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = RST | ACK, .seq = 101);
    app_read_error(&p, ETIMEDOUT);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(progress_gives_the_user_timeout_new_time)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
    app_write(&p, 2000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    advance_ms(&p, 300);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001); /* at 500: until 1500 now */
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    advance_ms(&p, 999);
    expect_state(&p, WEIR_ESTABLISHED);
    advance_ms(&p, 1);
    expect_state(&p, WEIR_CLOSED);
    peer_forget();
}

/* The program answers: from here on ACKs may wait for data. */
static struct peer in_dialogue(void)
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11);
    return p;
}

TEST(every_second_full_segment_is_acknowledged_at_once) /* REQ:MUST-40 REQ:SHLD-19 */
{
    struct peer p = in_dialogue();

    inject(&p, .flags = ACK, .seq = 1, .ack = 11, .len = 1460);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1461, .ack = 11, .len = 1460);
    expect(&p, .flags = ACK, .seq = 11, .ack = 2921);
    inject(&p, .flags = ACK, .seq = 2921, .ack = 11, .len = 1460);
    expect_after(&p, 40, .flags = ACK, .seq = 11, .ack = 4381);
    peer_end(&p);
}

TEST(an_answer_carries_the_ack)
{
    struct peer p = in_dialogue();

    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 11, .len = 10);
    expect_quiet(&p);
    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 11, .ack = 11, .len = 10);
    advance_ms(&p, 100);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 11, .ack = 21);
    peer_end(&p);
}

TEST(quickack_answers_each_segment)
{
    struct peer p = in_dialogue();

    app_option(&p, IPPROTO_TCP, TCP_QUICKACK, 1);
    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 11, .len = 10);
    expect(&p, .flags = ACK, .seq = 11, .ack = 11);
    peer_end(&p);
}

static void write_urgent(struct peer *p, uint32_t n)
{
    uint8_t data[100];

    for (uint32_t i = 0; i < n; i++)
        data[i] = peer_byte(true, 1 + p->written + i);
    assert_int_equal(weir_send(p->stack, p->sock, data, n, MSG_OOB), n);
    p->written += n;
}

TEST(the_urgent_pointer_names_the_octet_behind_the_last_urgent_one) /* REQ:MUST-30 REQ:MUST-62 */
{
    struct peer p = established(.mss = 1000);

    write_urgent(&p, 5);
    expect(&p, .flags = ACK | URG, .seq = 1, .len = 5, .urg = 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6);
    app_write(&p, 5); /* not urgent any more */
    expect(&p, .flags = ACK, .seq = 6, .len = 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11);
    peer_end(&p);
}

TEST(urgent_data_is_told_in_each_segment_before_its_end) /* REQ:MUST-31 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 2000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .wnd = CLOSED_WINDOW);
    app_write(&p, 2000);
    write_urgent(&p, 5);
    app_write(&p, 1500);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001);
    expect(&p, .flags = ACK | URG, .seq = 2001, .len = 1000, .urg = 2005);
    expect(&p, .flags = ACK | URG, .seq = 3001, .len = 1000, .urg = 1005);
    expect(&p, .flags = ACK | URG, .seq = 4001, .len = 1000, .urg = 5);
    expect(&p, .flags = ACK, .seq = 5001, .len = 505);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5506);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("patience");
}
