/* path_line: a link between two network namespaces, impaired as `weir run --net` impairs one.
 *
 * Knows: the TAP driver and the impairments; whose frames these are it does not know.
 * Shape: near TAP -> impair -> far TAP, and back; the sender's side is "up". Real time, one thread.
 * Units: ns; the JSON says us. Errors: one sentence on stderr. Cost: two system calls a frame.
 * A run in which this program came late is no measurement: it says by how much it did. */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <weir/driver.h>

#define LATE_NS 1000000

struct lateness {
    int64_t max_ns, sum_ns; /* the sum is of what was more than LATE_NS late */
    uint64_t count;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static struct weir_link *open_tap(const char *name)
{
    char error[200];
    struct weir_link *link = weir_tap_open(name, error, sizeof error);

    if (link == NULL)
        bench_die("%s", error);
    return link;
}

/* The far device is made in the namespace of process `pid`; its descriptor works from anywhere. */
static struct weir_link *open_far(const char *name, const char *pid, const char *net, uint64_t seed)
{
    struct weir_impair impair;
    struct weir_link *link;
    char text[200];
    int fd;

    if (weir_impair_parse(&impair, net, text, sizeof text) < 0)
        bench_die("%s", text);
    impair.seed = seed;
    snprintf(text, sizeof text, "/proc/%s/ns/net", pid);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        bench_die("cannot enter the network namespace of process %s: this needs root", pid);
    close(fd);
    link = weir_impair_open(open_tap(name), &impair);
    if (link == NULL)
        bench_die("out of memory");
    return link;
}

static int64_t move_frames(struct weir_link *near, struct weir_link *far, int64_t now_ns)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n;

    do {
        n = near->driver->recv(near, burst, WEIR_BURST_MAX, now_ns);
        if (n > 0)
            far->driver->send(far, burst, n, now_ns);
    } while (n == WEIR_BURST_MAX);
    do {
        n = far->driver->recv(far, burst, WEIR_BURST_MAX, now_ns);
        if (n > 0)
            near->driver->send(near, burst, n, now_ns);
    } while (n == WEIR_BURST_MAX);
    return far->driver->deadline(far);
}

static void note_lateness(struct lateness *late, int64_t by_ns)
{
    if (by_ns > late->max_ns)
        late->max_ns = by_ns;
    if (by_ns > LATE_NS) {
        late->sum_ns += by_ns;
        late->count++;
    }
}

static void wait_until(struct pollfd *fds, int64_t deadline_ns, const sigset_t *during)
{
    int64_t rest = deadline_ns == WEIR_NEVER ? 1000000000 : deadline_ns - weir_clock_ns();
    struct timespec t = {0};

    if (rest > 0)
        t = (struct timespec){.tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000};
    (void)ppoll(fds, 2, &t, during);
}

static struct lateness run(struct weir_link *near, struct weir_link *far)
{
    struct pollfd fds[2] = {{.fd = weir_link_fd(near), .events = POLLIN},
                            {.fd = weir_link_fd(far), .events = POLLIN}};
    struct lateness late = {0};
    int64_t deadline_ns = WEIR_NEVER;
    sigset_t end, during;

    /* The signal is let in only while waiting, or one could come between the look and the wait. */
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, &during);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    while (!is_over) {
        int64_t now_ns = weir_clock_ns();

        if (deadline_ns < now_ns)
            note_lateness(&late, now_ns - deadline_ns);
        deadline_ns = move_frames(near, far, now_ns);
        wait_until(fds, deadline_ns, &during);
    }
    return late;
}

/* One higher than the programs that send and receive (path_run.py). */
static bool hurry(void)
{
    struct sched_param first = {.sched_priority = 2};

    prctl(PR_SET_TIMERSLACK, 1);
    return sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

static void print_dir(char *text, size_t size, struct weir_link *far, int dir, const char *name)
{
    struct weir_impair_stats s;

    weir_impair_stats(far, dir, &s);
    snprintf(text, size,
             "\"%s\":{\"passed\":%llu,\"lost\":%llu,\"reordered\":%llu,\"queue_full\":%llu}", name,
             (unsigned long long)s.passed, (unsigned long long)s.lost,
             (unsigned long long)s.reordered, (unsigned long long)s.queue_full);
}

int main(int argc, char **argv)
{
    struct weir_link *near, *far;
    struct lateness late;
    char up[200], down[200];
    bool is_first;

    if (argc != 6)
        bench_die("usage: path_line NEAR-TAP FAR-TAP PID-OF-FAR-NAMESPACE IMPAIRMENTS SEED");
    near = open_tap(argv[1]);
    far = open_far(argv[2], argv[3], argv[4], bench_number(argv[5]));
    is_first = hurry();
    puts("ready");
    fflush(stdout);
    late = run(near, far);
    print_dir(up, sizeof up, far, 0, "up");
    print_dir(down, sizeof down, far, 1, "down");
    printf("{\"late_max_us\":%lld,\"late_sum_us\":%lld,\"late_count\":%llu,\"realtime\":%s,",
           (long long)late.max_ns / 1000, (long long)late.sum_ns / 1000,
           (unsigned long long)late.count, is_first ? "true" : "false");
    printf("%s,%s}\n", up, down);
    weir_link_close(far);
    weir_link_close(near);
    return 0;
}
