/* libweir-packetdrill.so through its table, as the original packetdrill drives it.
 *
 * Knows: the table's slots, and packets as bytes. Shape: the test is packetdrill: it sends packets,
 * looks at the clock, and makes the calls that wait from a second thread. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packetdrill/segment.h"
#include "packetdrill/so/so.h"
#include "wire/wire.h"

#define TEST(name) static void name(void **state)
#define HOST 0xc0a80001u
#define PEER 0xc0000201u

static struct so_table table;
static void *library;
static uint32_t isn; /* the stack's */

static int begin(void **state)
{
    void (*init)(const char *, struct so_table *);
    char path[1024];

    (void)state;
    snprintf(path, sizeof path, "%s/libweir-packetdrill.so", getenv("WEIR_BUILD"));
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    *(void **)&init = dlsym(library, "packetdrill_interface_init");
    assert_non_null(init);
    memset(&table, 0, sizeof table);
    init("mtu=1500, net.ipv4.tcp_syn_retries=2", &table);
    return 0;
}

static int end(void **state)
{
    (void)state;
    table.destroy(table.self);
    return dlclose(library);
}

static int64_t now_us(void)
{
    struct timeval tv;

    table.now(table.self, &tv, NULL);
    return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void inject(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    static uint8_t bytes[PACKET_MAX], payload[2000];
    struct packet p = {.src = weir_addr_v4(PEER), .dst = weir_addr_v4(HOST), .payload = payload};

    p.s = (struct segment){.sport = 4000, .dport = 8080, .flags = flags, .seq = seq, .win = 65535};
    p.s.ack = flags & TCP_ACK ? isn + ack : 0;
    p.s.len = len;
    assert_int_equal(table.packet_in(table.self, bytes, packet_build(bytes, &p)), 0);
}

/* The next packet of the stack, its checksums verified; the time it was sent. */
static int64_t expect(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    uint8_t bytes[2000];
    size_t n = sizeof bytes;
    long long at = -1;
    struct packet p;

    assert_int_equal(table.packet_out(table.self, bytes, &n, &at), 0);
    assert_true(n > 0);
    assert_null(packet_read(&p, bytes, n));
    if (flags & TCP_SYN)
        isn = p.s.seq;
    assert_int_equal(p.s.flags, flags);
    assert_int_equal(p.s.seq - isn, seq);
    assert_int_equal(p.s.ack, ack);
    assert_int_equal(p.s.len, len);
    return at;
}

static int listening(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(8080)};
    int fd = table.socket(table.self, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_true(fd >= 0);
    assert_int_equal(table.bind(table.self, fd, (void *)&at, sizeof at), 0);
    assert_int_equal(table.listen(table.self, fd, 1), 0);
    return fd;
}

static void *accept_in_thread(void *arg)
{
    static int64_t at;
    int *fd = arg;

    *fd = table.accept(table.self, *fd, NULL, NULL);
    at = now_us();
    return &at;
}

TEST(a_connection_through_the_table)
{
    struct sockaddr_in from = {.sin_port = 0};
    socklen_t len = sizeof from;
    int listener = listening(), fd;
    char data[3000] = "";

    (void)state;
    inject(TCP_SYN, 0, 0, 0);
    expect(TCP_SYN | TCP_ACK, 0, 1, 0);
    inject(TCP_ACK, 1, 1, 0);
    fd = table.accept(table.self, listener, (void *)&from, &len);
    assert_true(fd >= 0);
    assert_int_equal(from.sin_addr.s_addr, htonl(PEER));
    assert_int_equal(ntohs(from.sin_port), 4000);
    assert_int_equal(table.write(table.self, fd, data, 600), 600);
    expect(TCP_ACK, 1, 1, 536); /* no MSS option: 536 */
    expect(TCP_ACK | TCP_PSH, 537, 1, 64);
    inject(TCP_ACK | TCP_PSH, 1, 601, 100);
    assert_int_equal(table.read(table.self, fd, data, sizeof data), 100);
    assert_int_equal(table.close(table.self, fd), 0);
    expect(TCP_FIN | TCP_ACK, 601, 101, 0);
    assert_int_equal(table.write(table.self, fd, data, 1), -1);
    assert_int_equal(errno, EBADF);
}

/* Until a call waits; it is a matter of the host's scheduler and not of our clock. */
static void until_one_waits(void)
{
    struct so *so = table.self;
    int waiting = 0;

    for (long turn = 0; !waiting; turn++) {
        assert_true(turn < 100000000);
        sched_yield();
        pthread_mutex_lock(&so->lock);
        waiting = so->waiting;
        pthread_mutex_unlock(&so->lock);
    }
}

TEST(a_call_that_waits_ends_at_its_time)
{
    int fd = listening();
    pthread_t thread;
    int64_t acked;
    void *at;

    (void)state;
    inject(TCP_SYN, 0, 0, 0);
    expect(TCP_SYN | TCP_ACK, 0, 1, 0);
    assert_int_equal(pthread_create(&thread, NULL, accept_in_thread, &fd), 0);
    until_one_waits();
    table.sleep_us(table.self, 250000);
    acked = now_us();
    inject(TCP_ACK, 1, 1, 0);
    table.sleep_us(table.self, 1000000); /* what the first thread does meanwhile changes nothing */
    pthread_join(thread, &at);
    assert_true(fd >= 0);
    assert_int_equal(*(int64_t *)at, acked);
}

static void *poll_in_thread(void *arg)
{
    static int64_t at;
    struct pollfd p = {.fd = *(int *)arg, .events = POLLIN};

    assert_int_equal(table.poll(table.self, &p, 1, 300), 0);
    at = now_us();
    return &at;
}

TEST(a_call_that_waits_times_out_on_the_virtual_clock)
{
    int fd = listening();
    pthread_t thread;
    int64_t before = now_us();
    void *at;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, poll_in_thread, &fd), 0);
    until_one_waits();
    table.sleep_us(table.self, 5000000);
    pthread_join(thread, &at);
    assert_int_equal(*(int64_t *)at, before + 300000);
}

TEST(time_passes_for_timers_only_as_told)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(8080)};
    int fd = table.socket(table.self, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
    socklen_t len = sizeof error;
    int64_t first;

    (void)state;
    to.sin_addr.s_addr = htonl(PEER);
    assert_int_equal(table.connect(table.self, fd, (void *)&to, sizeof to), -1);
    assert_int_equal(errno, EINPROGRESS);
    first = expect(TCP_SYN, 0, 0, 0);
    assert_int_equal(expect(TCP_SYN, 0, 0, 0) - first, 1000000);
    assert_int_equal(expect(TCP_SYN, 0, 0, 0) - first, 3000000);
    table.sleep_us(table.self, 5000000);
    assert_int_equal(table.getsockopt(table.self, fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ETIMEDOUT);
}

TEST(nothing_sent_is_size_zero)
{
    uint8_t bytes[100];
    size_t n = sizeof bytes;
    long long at;

    (void)state;
    assert_int_equal(table.packet_out(table.self, bytes, &n, &at), 0);
    assert_int_equal(n, 0);
}

TEST(the_clock_moves_at_each_look)
{
    int64_t before = now_us();

    (void)state;
    assert_true(now_us() > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_connection_through_the_table, begin, end),
        cmocka_unit_test_setup_teardown(a_call_that_waits_ends_at_its_time, begin, end),
        cmocka_unit_test_setup_teardown(a_call_that_waits_times_out_on_the_virtual_clock, begin,
                                        end),
        cmocka_unit_test_setup_teardown(time_passes_for_timers_only_as_told, begin, end),
        cmocka_unit_test_setup_teardown(nothing_sent_is_size_zero, begin, end),
        cmocka_unit_test_setup_teardown(the_clock_moves_at_each_look, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
