/* The paragraph of weir why for each state, from facts that are made up. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "cli/why.h"
#include "said.h"
#include "unit.h"
#include "weir/weir.h"

static struct why_sock sock_in(int state)
{
    struct why_sock w = {.fd = 7};
    struct endpoint *e = &w.s.e;

    e->info.protocol = IPPROTO_TCP;
    e->info.state = state;
    e->info.sock = 1;
    e->info.mss = 1448;
    e->info.rcv_wnd = e->info.snd_wnd = 65535;
    e->info.heard_ago_ms = 3000;
    e->info.local.port = 80;
    e->facts.state_ago_ms = 41000;
    e->pid = 12;
    strcpy(e->carrier, "p/1");
    e->inode = 5;
    w.holders = 1;
    return w;
}

static void ends(struct why_sock *w, int by, int64_t left_s, const char *knob, int value)
{
    struct endpoint *e = &w->s.e;

    e->facts.end = by;
    e->facts.end_left_us = left_s * 1000000;
    e->info.timer_left_us = 2000000;
    snprintf(e->knob, sizeof e->knob, "%s", knob);
    e->facts.knob_value = value;
}

static const char *said_of(const struct why_sock *w)
{
    said_begin(1);
    why_put_words(stdout, w);
    return said_end();
}

static void has(const struct why_sock *w, const char *words)
{
    const char *text = said_of(w);

    if (!strstr(text, words))
        fail_msg("no \"%s\" in \"%s\"", words, text);
}

static void has_not(const struct why_sock *w, const char *words)
{
    const char *text = said_of(w);

    if (strstr(text, words))
        fail_msg("\"%s\" in \"%s\"", words, text);
}

static void spans(void **state)
{
    char t[24];

    (void)state;
    assert_string_equal(why_span(t, -5), "0 ms");
    assert_string_equal(why_span(t, 999999), "999 ms");
    assert_string_equal(why_span(t, 1000000), "1.0 s");
    assert_string_equal(why_span(t, 41000000), "41 s");
    assert_string_equal(why_span(t, 127000000), "2 min 7 s");
    assert_string_equal(why_span(t, 7260000000), "2 h 1 min");
}

static void listen_that_waits(void **state)
{
    struct why_sock w = sock_in(WEIR_LISTEN);

    (void)state;
    w.s.e.info.send_queue = 5;
    has(&w, "nothing waits for accept()");
    w.s.e.accept_waiting = 2;
    has(&w, "2 of 5 connections wait for accept()");
    w.s.e.facts.half_open = 3;
    w.s.e.facts.half_open_most = 1024;
    has(&w, "3 handshakes are under way (at most 1024: net.ipv4.tcp_max_syn_backlog)");
}

static void listen_that_is_full(void **state)
{
    struct why_sock w = sock_in(WEIR_LISTEN);

    (void)state;
    w.s.e.info.send_queue = 5;
    w.s.e.accept_waiting = 6;
    w.s.e.info.recv_queue = 2;
    w.s.e.ended_ago_ms = 12001;
    w.s.e.facts.refused = 4;
    has(&w, "has accepted nothing for at least 12 s: its queue is full, 9 connections wait, the "
            "backlog is 5");
    has(&w, "4 times a handshake found the queue full");
}

static void syn_sent(void **state)
{
    struct why_sock w = sock_in(WEIR_SYN_SENT);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 120, "net.ipv4.tcp_syn_retries", 6);
    w.s.e.facts.tries = 2;
    w.s.e.facts.tries_most = 6;
    has(&w, "The SYN was sent 3 times, and no answer came");
    has(&w, "The next try is in 2.0 s; without an answer it ends in 2 min 0 s, after 6 tries, with "
            "ETIMEDOUT (net.ipv4.tcp_syn_retries = 6).");
}

static void syn_received(void **state)
{
    struct why_sock w = sock_in(WEIR_SYN_RECV);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 62, "net.ipv4.tcp_synack_retries", 5);
    has(&w, "our SYN/ACK was sent 1 time, and its ACK is awaited");
    has(&w, "forgotten in 62 s (net.ipv4.tcp_synack_retries = 5).");
    w.s.e.facts.flags = WEIR_FACT_RETRYING;
    has(&w, "its handshake is done, but the program's accept queue is full");
}

static void established_and_idle(void **state)
{
    struct why_sock w = sock_in(WEIR_ESTABLISHED);

    (void)state;
    has(&w, "Nothing is on its way");
    has(&w, "The peer was heard 3.0 s ago. No timer runs (SO_KEEPALIVE is off)");
    has_not(&w, "accepted");
    ends(&w, WEIR_END_KEEPALIVE, 7875, "net.ipv4.tcp_keepalive_time", 7200);
    has(&w, "the peer is asked in 2.0 s, and if it stays silent ETIMEDOUT comes in 2 h 11 min "
            "(net.ipv4.tcp_keepalive_time = 7200).");
    w.s.e.facts.flags = WEIR_FACT_QUEUED;
    has(&w, "The program has not accepted it yet.");
}

static void established_and_unread(void **state)
{
    struct why_sock w = sock_in(WEIR_ESTABLISHED);

    (void)state;
    w.s.e.unread = 1000;
    w.s.e.info.recv_queue = 24;
    w.s.e.info.data_segs_in = 1;
    w.s.e.info.received_ago_ms = 8000;
    has(&w, "1024 bytes wait for the program to read them from fd 7; the last ones came 8.0 s ago");
    has_not(&w, "Nothing is on its way");
    w.s.e.info.rcv_wnd = 0;
    has(&w, "it does not read, our window is closed, and the peer may send no more");
}

static void established_with_a_closed_window(void **state)
{
    struct why_sock w = sock_in(WEIR_ESTABLISHED);

    (void)state;
    ends(&w, WEIR_END_PROBES, 900, "net.ipv4.tcp_retries2", 15);
    w.s.e.info.snd_wnd = 0;
    w.s.e.info.send_queue = 5000;
    w.s.e.info.probes = 1;
    w.s.e.facts.stalled_ago_ms = 3000;
    has(&w, "The peer's window has been closed for 3.0 s: the peer's program does not read. 5000 "
            "bytes wait here; 1 probe asked.");
    has(&w, "As long as the peer answers probes, nothing ends this; if the peer falls silent, "
            "ETIMEDOUT comes in 15 min 0 s (net.ipv4.tcp_retries2 = 15).");
    w.s.e.facts.flags = WEIR_FACT_ORPHAN;
    has(&w, "Nobody here holds the socket, so even a peer that answers is given up");
    w.s.e.info.snd_wnd = 12;
    has(&w, "room for 12 bytes only");
}

static void established_and_unanswered(void **state)
{
    struct why_sock w = sock_in(WEIR_ESTABLISHED);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 900, "net.ipv4.tcp_retries2", 15);
    w.s.e.info.in_flight = 1448;
    has(&w, "1448 bytes are unacknowledged; the oldest segment left, and the answer is awaited");
    w.s.e.facts.tries = 2;
    w.s.e.facts.tries_most = 15;
    w.s.e.facts.stalled_ago_ms = 5000;
    w.s.e.info.unsent = 10;
    w.s.e.info.cwnd = 1448;
    has(&w, "was sent 2 times again; nothing got through for 5.0 s");
    has(&w, "10 bytes more wait for room (the congestion window)");
    has(&w, "after 15 tries, with ETIMEDOUT (net.ipv4.tcp_retries2 = 15).");
    ends(&w, WEIR_END_USER_TIMEOUT, 30, "", 0);
    has(&w, "TCP_USER_TIMEOUT ends it in 30 s.");
}

static void established_with_a_hole(void **state)
{
    struct why_sock w = sock_in(WEIR_ESTABLISHED);

    (void)state;
    w.s.e.facts.flags = WEIR_FACT_HOLE;
    has(&w, "Something the peer sent is missing");
}

static void fin_wait_1(void **state)
{
    struct why_sock w = sock_in(WEIR_FIN_WAIT_1);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 100, "net.ipv4.tcp_orphan_retries", 8);
    w.s.e.facts.flags = WEIR_FACT_FIN_SENT | WEIR_FACT_ORPHAN;
    w.s.e.facts.tries = 1;
    has(&w, "We closed first. Our FIN was sent 1 time again");
    has(&w, "(net.ipv4.tcp_orphan_retries = 8)");
    w.s.e.facts.flags = WEIR_FACT_FIN_WAITS;
    w.s.e.info.send_queue = w.s.e.info.unsent = 300;
    has(&w, "Our FIN waits behind 300 bytes");
}

static void fin_wait_2(void **state)
{
    struct why_sock w = sock_in(WEIR_FIN_WAIT_2);

    (void)state;
    has(&w, "the peer acknowledged it; its own FIN is awaited");
    has(&w, "said shutdown(SHUT_WR) and still has fd 7 open, so no timer runs");
    ends(&w, WEIR_END_FIN_WAIT_2, 19, "net.ipv4.tcp_fin_timeout", 60);
    w.s.e.facts.flags = WEIR_FACT_ORPHAN;
    has(&w, "so it ends in 19 s (net.ipv4.tcp_fin_timeout = 60), without a word");
    has_not(&w, "SHUT_WR");
}

static void closing(void **state)
{
    struct why_sock w = sock_in(WEIR_CLOSING);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 100, "net.ipv4.tcp_orphan_retries", 8);
    has(&w, "Both sides closed at the same time");
    has(&w, "Our FIN left, and the answer is awaited");
}

static void time_wait(void **state)
{
    struct why_sock w = sock_in(WEIR_TIME_WAIT);

    (void)state;
    ends(&w, WEIR_END_TIME_WAIT, 23, "net.weir.tcp_time_wait_s", 60);
    has(&w, "23 s left (net.weir.tcp_time_wait_s = 60)");
    has(&w, "bind() of port 80 needs SO_REUSEADDR");
}

static void close_wait(void **state)
{
    struct why_sock w = sock_in(WEIR_CLOSE_WAIT);

    (void)state;
    w.s.e.ended_ago_ms = 41001;
    has(&w, "The peer closed first, 41 s ago; our side has not");
    has(&w, "fd 7 is still open, and all that the peer sent was handed over, the end of the stream "
            "41 s ago: since then a read returns 0");
    has(&w, "No timer ends this state, and no knob: only the program can.");
    w.s.e.unread = 9;
    has(&w, "9 bytes wait for the program");
    has_not(&w, "a read returns 0");
}

static void last_ack(void **state)
{
    struct why_sock w = sock_in(WEIR_LAST_ACK);

    (void)state;
    ends(&w, WEIR_END_RETRIES, 50, "net.ipv4.tcp_orphan_retries", 8);
    has(&w, "The peer closed first, then we; the ACK of our FIN is all that is missing");
    has(&w, "without an answer it ends in 50 s");
}

static void closed_and_datagrams(void **state)
{
    struct why_sock w = sock_in(WEIR_CLOSED);

    (void)state;
    has(&w, "a SYN to port 80 is refused");
    w.s.e.info.protocol = IPPROTO_UDP;
    w.s.e.info.drops = 3;
    w.s.e.info.rcvbuf = 4096;
    has(&w, "3 datagrams were lost because SO_RCVBUF (4096 bytes) was full");
}

static void every_state_has_words(void **state)
{
    (void)state;
    for (int s = WEIR_ESTABLISHED; s <= WEIR_CLOSING; s++) {
        struct why_sock w = sock_in(s);
        assert_true(strlen(said_of(&w)) > 40);
    }
}

static void titles(void **state)
{
    struct why_sock w = sock_in(WEIR_CLOSE_WAIT);

    (void)state;
    strcpy(w.s.local, "10.0.0.1");
    strcpy(w.s.local_port, "80");
    strcpy(w.s.peer, "10.0.0.2");
    strcpy(w.s.peer_port, "9");
    strcpy(w.s.process, "nginx");
    w.s.e.info.peer.port = 9;
    said_begin(1);
    why_put_title(stdout, &w);
    assert_string_equal(said_end(),
                        "tcp 10.0.0.1:80 - 10.0.0.2:9, nginx (pid 12) fd 7: CLOSE-WAIT for 41 s.");
}

/* -- the past and the ports -------------------------------------------------------------------- */

static int event_of(const char *name)
{
    int i = 1;

    while (strcmp(weir_event_name(i), name) != 0 && strcmp(weir_event_name(i), "?") != 0)
        i++;
    return i;
}

static void is_said(const char *event, int from, int to, int error, const char *words)
{
    char text[120];
    struct past p = {.why = {.event = (uint16_t)event_of(event),
                             .from = (uint8_t)from,
                             .to = (uint8_t)to,
                             .n = (uint8_t)error}};

    why_past_words(text, sizeof text, &p);
    if (!strstr(text, words) || (!*words && *text))
        fail_msg("no \"%s\" in \"%s\"", words, text);
}

static void endings(void **state)
{
    (void)state;
    is_said("state", WEIR_SYN_SENT, WEIR_CLOSED, ECONNREFUSED, "nobody listens there");
    is_said("state", WEIR_ESTABLISHED, WEIR_CLOSED, ECONNRESET, "the peer reset it (RST)");
    is_said("state", WEIR_SYN_SENT, WEIR_CLOSED, ETIMEDOUT, "nobody answered our SYN");
    is_said("state", WEIR_ESTABLISHED, WEIR_CLOSED, ETIMEDOUT, "answered no more");
    is_said("state", WEIR_SYN_SENT, WEIR_CLOSED, EHOSTUNREACH, "ICMP");
    is_said("state", WEIR_LAST_ACK, WEIR_CLOSED, 0, "by the peer first");
    is_said("state", WEIR_FIN_WAIT_2, WEIR_CLOSED, 0, "tcp_fin_timeout");
    is_said("state", WEIR_FIN_WAIT_2, WEIR_TIME_WAIT, 0, "by us first");
    is_said("state", WEIR_SYN_SENT, WEIR_ESTABLISHED, 0, "");
    is_said("reset_unread", 0, 0, 0, "bytes unread");
    is_said("reset_no_socket", 0, 0, 0, "no listener");
    is_said("fin", 0, 0, 0, "");
}

static void the_same_again_is_counted(void **state)
{
    struct why_past past[3] = {{.daemon = "x"}, {.daemon = "x"}, {.daemon = "x"}};
    struct why_view v = {.past = past, .pasts = 3};

    (void)state;
    for (int i = 0; i < 3; i++) {
        past[i].p.ago_us = (3 - i) * 1000000;
        past[i].p.local = (struct weir_sockaddr){.addr = weir_addr_v4(0x0a000001), .port = 80};
        past[i].p.peer = (struct weir_sockaddr){.addr = weir_addr_v4(0x0a000002), .port = 99};
        past[i].p.why.event = (uint16_t)event_of("reset_no_socket");
    }
    said_begin(1);
    assert_int_equal(why_put_past(stdout, &v, 80, 10), 1);
    assert_string_equal(said_end(), "     1.0 s ago  10.0.0.1:80 - 10.0.0.2:99: answered by RST: "
                                    "there was no connection and no listener here (3 times)\n");
    assert_int_equal(why_put_past(stdout, &v, 81, 10), 0);
}

static void who_holds_a_port(void **state)
{
    struct why_sock w = sock_in(WEIR_TIME_WAIT);
    struct why_view v = {.sock = &w, .socks = 1};

    (void)state;
    ends(&w, WEIR_END_TIME_WAIT, 23, "", 0);
    said_begin(1);
    why_put_bind(stdout, &v, 80);
    assert_string_equal(said_end(), "bind() of TCP port 80 needs SO_REUSEADDR: 1 connection of "
                                    "it is in TIME-WAIT, the last for 23 s more. Without it "
                                    "EADDRINUSE.\n");
    w = sock_in(WEIR_LISTEN);
    strcpy(w.s.process, "nginx");
    said_begin(1);
    why_put_bind(stdout, &v, 80);
    assert_non_null(strstr(said_end(), "fails with EADDRINUSE: nginx (pid 12) listens"));
    said_begin(1);
    why_put_bind(stdout, &v, 81);
    assert_non_null(strstr(said_end(), "Nobody has TCP port 81"));
    v.host_listener = 1;
    said_begin(1);
    why_put_bind(stdout, &v, 81);
    assert_non_null(strstr(said_end(), "a program of the host listens there"));
}

static void no_ports_are_left(void **state)
{
    struct why_sock w[4];
    struct why_view v = {.sock = w, .socks = 4, .port_first = 1000, .port_last = 1003};

    (void)state;
    for (int i = 0; i < 4; i++) {
        w[i] = sock_in(i ? WEIR_TIME_WAIT : WEIR_CLOSE_WAIT);
        w[i].s.e.info.local.port = (uint16_t)(1000 + i);
    }
    said_begin(1);
    why_put_ports(stdout, &v);
    assert_non_null(strstr(said_end(), "4 of the 4 ports for connect() are in use "
                                       "(net.ipv4.ip_local_port_range = 1000 1003): 3 by "
                                       "TIME-WAIT, 1 by CLOSE-WAIT, 0 otherwise. None is left"));
    v.port_last = 1999;
    said_begin(1);
    why_put_ports(stdout, &v);
    assert_string_equal(said_end(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans),
        cmocka_unit_test(listen_that_waits),
        cmocka_unit_test(listen_that_is_full),
        cmocka_unit_test(syn_sent),
        cmocka_unit_test(syn_received),
        cmocka_unit_test(established_and_idle),
        cmocka_unit_test(established_and_unread),
        cmocka_unit_test(established_with_a_closed_window),
        cmocka_unit_test(established_and_unanswered),
        cmocka_unit_test(established_with_a_hole),
        cmocka_unit_test(fin_wait_1),
        cmocka_unit_test(fin_wait_2),
        cmocka_unit_test(closing),
        cmocka_unit_test(time_wait),
        cmocka_unit_test(close_wait),
        cmocka_unit_test(last_ack),
        cmocka_unit_test(closed_and_datagrams),
        cmocka_unit_test(every_state_has_words),
        cmocka_unit_test(titles),
        cmocka_unit_test(endings),
        cmocka_unit_test(the_same_again_is_counted),
        cmocka_unit_test(who_holds_a_port),
        cmocka_unit_test(no_ports_are_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
