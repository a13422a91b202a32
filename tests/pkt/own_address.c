/* What a host sends to one of its own addresses comes in again, and the link sees nothing of it.
 * 1122#3.3.1.1 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/frames.h"

enum { ECHO = 8, REPLY = 0, ECHO6 = 128, REPLY6 = 129 };

static struct weir_sockaddr own(bool is_v6, uint16_t port)
{
    struct weir_addr six = {.b = {0xfd, [15] = 1}};

    return (struct weir_sockaddr){.addr = is_v6 ? six : weir_addr_v4(US), .port = port};
}

static struct frames *settled(void)
{
    struct frames *f = frames_of(.mtu = 1500, .is_ether = true, .has_v6 = true);

    frames_advance(f, 10 * 1000000); /* its addresses are sure */
    while (take(f))
        ;
    return f;
}

static int open_own(struct frames *f, bool is_v6, int type, int protocol)
{
    int sock = weir_socket(f->stack, is_v6 ? AF_INET6 : AF_INET, type, protocol);

    assert_true(sock >= 0);
    return sock;
}

TEST(an_echo_request_to_an_own_address_is_answered)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct frames *f = settled();
        int sock = open_own(f, is_v6, SOCK_DGRAM, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
        struct weir_sockaddr to = own(is_v6, 0), from;
        uint8_t echo[3000] = {is_v6 ? ECHO6 : ECHO, [7] = 9, [100] = 77}; /* more than a frame */

        assert_int_equal(weir_sendto(f->stack, sock, echo, sizeof echo, 0, &to), sizeof echo);
        frames_advance(f, 0);
        frames_advance(f, 0);
        frames_advance(f, 0);
        assert_int_equal(weir_recvfrom(f->stack, sock, echo, sizeof echo, 0, &from), sizeof echo);
        assert_int_equal(echo[0], is_v6 ? REPLY6 : REPLY);
        assert_int_equal(echo[7], 9);
        assert_int_equal(echo[100], 77);
        assert_true(weir_addr_equal(&from.addr, &to.addr));
        assert_null(take(f));
        weir_close(f->stack, sock);
        frames_end(f);
    }
}

TEST(a_connection_with_oneself_carries_both_ways)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct frames *f = settled();
        int door = open_own(f, is_v6, SOCK_STREAM, 0), one = open_own(f, is_v6, SOCK_STREAM, 0);
        struct weir_sockaddr at = own(is_v6, 80);
        char text[20000] = "there", back[20000];
        int other;

        assert_int_equal(weir_bind(f->stack, door, &at), 0);
        assert_int_equal(weir_listen(f->stack, door, 5), 0);
        assert_int_equal(weir_connect(f->stack, one, &at), -EINPROGRESS);
        frames_advance(f, 1000);
        other = weir_accept(f->stack, door, NULL);
        assert_true(other >= 0);
        assert_int_equal(weir_send(f->stack, one, text, sizeof text, 0), sizeof text);
        frames_advance(f, 1000);
        assert_int_equal(weir_recv(f->stack, other, back, sizeof back, 0), sizeof back);
        assert_memory_equal(text, back, sizeof back);
        assert_int_equal(weir_send(f->stack, other, "back", 4, 0), 4);
        frames_advance(f, 1000);
        assert_int_equal(weir_recv(f->stack, one, back, sizeof back, 0), 4);
        assert_null(take(f));
        weir_abort(f->stack, one);
        frames_advance(f, 1000);
        weir_close(f->stack, other);
        weir_close(f->stack, door);
        frames_end(f);
    }
}

/* Nobody else becomes believable by it: what has our address for its source came from a stranger.
 */
TEST(an_own_source_from_the_link_stays_a_lie)
{
    struct frames *f = settled();
    int sock = udp_socket(f, 5000), other = udp_socket(f, 0);
    uint8_t udp[100];
    uint32_t n = build_udp(udp, &(struct udp_spec){US, US, 7, 5000, 20});
    char text[100];

    assert_int_equal(send_pattern(f, other, US, 5000, 50), 50);
    frames_advance(f, 0);
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), 50);
    assert_string_equal(put(f, .src = US, .proto = IPPROTO_UDP, .l4 = udp, .len = n),
                        "ip_martian_source");
    assert_int_equal(weir_recv(f->stack, sock, text, sizeof text, 0), -EAGAIN);
    assert_null(take(f));
    weir_close(f->stack, sock);
    weir_close(f->stack, other);
    frames_end(f);
}

/* What waits to come in is freed with the stack. */
TEST(a_stack_may_end_before_it_heard_itself)
{
    struct frames *f = settled();
    int sock = udp_socket(f, 0);
    struct weir_frame out[4];

    assert_int_equal(send_pattern(f, sock, US, 5000, 50), 50);
    assert_int_equal(weir_output(f->stack, 1, out, 4, f->now_ns), 0);
    assert_true(weir_deadline(f->stack) <= f->now_ns);
    frames_end(f);
}

int main(void)
{
    return peer_tests_run("own_address");
}
