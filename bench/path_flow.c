/* path_flow: one connection that sends what it can, and the program that counts what arrives.
 *
 * Knows: the socket calls of libc, nothing of weir: `weir run` makes it a client of weir's.
 * Shape: `sink` measures from the first byte; `send` goes on a little longer than that, so that the
 * end of the connection is not in the figure. Units: bytes, seconds. Errors: one sentence.
 * Cost: one read or write for 64 KiB. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536
#define LONGER_NS 1000000000
#define WAIT_MS 30000

static char chunk[CHUNK];

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench_number(port))};

    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        bench_die("%s is no IPv4 address", host);
    return a;
}

static int64_t seconds_ns(const char *text)
{
    return (int64_t)(strtod(text, NULL) * 1e9);
}

/* False once `until` is past or nothing came of it for WAIT_MS. */
static bool wait_for(int fd, short events, int64_t until_ns)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t rest_ms = WAIT_MS;

    if (until_ns)
        rest_ms = (until_ns - bench_now_ns() + 999999) / 1000000;
    return rest_ms > 0 && poll(&p, 1, (int)rest_ms) > 0;
}

/* -- the receiver ------------------------------------------------------------------------------ */

static int accept_one(const char *port)
{
    struct sockaddr_in a = address("0.0.0.0", port);
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 1) < 0)
        bench_die("port %s: %s", port, strerror(errno));
    puts("ready");
    fflush(stdout);
    if (!wait_for(s, POLLIN, 0) || (fd = accept(s, NULL, NULL)) < 0)
        bench_die("nobody connected to port %s", port);
    return fd;
}

/* Bytes that arrive between `skip` and `skip + take` after the first one. */
static int sink(const char *port, int64_t skip_ns, int64_t take_ns)
{
    int fd = accept_one(port);
    uint64_t bytes = 0;
    int64_t from_ns, until_ns, now_ns = 0;

    if (!wait_for(fd, POLLIN, 0))
        bench_die("connected, but no byte came within %d s", WAIT_MS / 1000);
    from_ns = bench_now_ns() + skip_ns;
    until_ns = from_ns + take_ns;
    while (wait_for(fd, POLLIN, until_ns)) {
        ssize_t n = read(fd, chunk, CHUNK);

        if (n <= 0)
            bench_die("the sender ended too early");
        now_ns = bench_now_ns();
        if (now_ns >= from_ns && now_ns < until_ns)
            bytes += (uint64_t)n;
    }
    printf("{\"bytes\":%llu,\"seconds\":%.3f,\"mbit\":%.6g}\n", (unsigned long long)bytes,
           (double)take_ns / 1e9, (double)bytes * 8e3 / (double)take_ns);
    return 0;
}

/* -- the sender -------------------------------------------------------------------------------- */

static void print_info(int fd, int code)
{
    struct tcp_info i = {0};
    socklen_t size = sizeof i;
    char name[32] = "";
    socklen_t name_size = sizeof name - 1;

    (void)getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &name_size);
    (void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &size);
    printf("{\"cc\":\"%s\",\"retrans\":%u,\"rtt_us\":%u,\"min_rtt_us\":%u,\"cwnd\":%u,"
           "\"ssthresh\":%u,\"reordering\":%u,\"error\":\"%s\"}\n",
           name, i.tcpi_total_retrans, i.tcpi_rtt, i.tcpi_min_rtt, i.tcpi_snd_cwnd,
           i.tcpi_snd_ssthresh, i.tcpi_reordering, code ? strerror(code) : "");
    fflush(stdout);
}

static int send_all(const char *host, const char *port, int64_t take_ns, const char *algorithm)
{
    struct sockaddr_in a = address(host, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), code = 0;
    int64_t until_ns;

    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm, (socklen_t)strlen(algorithm)) < 0)
        bench_die("congestion control %s: %s", algorithm, strerror(errno));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        bench_die("connect to %s:%s: %s", host, port, strerror(errno));
    until_ns = bench_now_ns() + take_ns + LONGER_NS;
    while (wait_for(fd, POLLOUT, until_ns)) {
        ssize_t n = send(fd, chunk, CHUNK, MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN) {
            code = errno;
            break;
        }
    }
    print_info(fd, code);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 5 && strcmp(argv[1], "sink") == 0)
        return sink(argv[2], seconds_ns(argv[3]), seconds_ns(argv[4]));
    if (argc == 6 && strcmp(argv[1], "send") == 0)
        return send_all(argv[2], argv[3], seconds_ns(argv[4]), argv[5]);
    bench_die("usage: path_flow sink PORT SKIP-SECONDS SECONDS | send HOST PORT SECONDS ALGORITHM");
}
