/* `weir run`: a daemon with the stack, the program on it, and the words around both.
 *
 * Knows: processes and signals. Shape: the launcher forks the daemon, which opens the link and says
 * whether it could, then the program with the preload door in its environment; it passes signals
 * on, waits for the program, and lets the daemon finish. Units: none. Errors: 126, 127, 128 +
 * signal as a shell; 2 for what the link refused. Cost: three forks. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/daemon.h"
#include "run/program.h"
#include "run/seccomp.h"

/* -- the daemon -------------------------------------------------------------------------------- */

/* Frames that never met the stack, or met nobody after it. */
static void say_losses(struct daemon *d)
{
    struct weir_link_loss loss[WEIR_LOSSES_MAX];
    int n = weir_link_losses(d->link, loss, WEIR_LOSSES_MAX);

    for (int i = 0; i < n; i++)
        if (loss[i].frames)
            fprintf(stderr, "weir: the link lost %llu frames, %s: %s\n",
                    (unsigned long long)loss[i].frames, loss[i].why, loss[i].doc);
}

static void summary(struct daemon *d)
{
    struct weir_account a;
    struct weir_impair_stats up = {.lost = 0}, down = {.lost = 0};
    uint64_t out = weir_stat_by_name(d->stack, "TcpOutSegs");
    uint64_t in = weir_stat_by_name(d->stack, "TcpInSegs");
    uint64_t again = weir_stat_by_name(d->stack, "TcpRetransSegs");

    weir_account(d->stack, &a);
    fprintf(stderr, "weir: %llu bytes out, %llu in; %llu segments out, %llu in; %llu retransmitted",
            (unsigned long long)d->bytes_out, (unsigned long long)d->bytes_in,
            (unsigned long long)out, (unsigned long long)in, (unsigned long long)again);
    if (d->impair) {
        weir_impair_stats(d->impair, 0, &up);
        weir_impair_stats(d->impair, 1, &down);
        fprintf(stderr, "; the network lost %llu up, %llu down",
                (unsigned long long)(up.lost + up.queue_full + up.policed),
                (unsigned long long)(down.lost + down.queue_full + down.policed));
    }
    fprintf(stderr, "; %llu dropped", (unsigned long long)a.dropped);
    for (int i = 0, n = 0; i < weir_drop_count(); i++)
        if (weir_drops(d->stack, i))
            fprintf(stderr, "%s%s %llu", n++ ? ", " : ": ", weir_drop_name(i),
                    (unsigned long long)weir_drops(d->stack, i));
    fputc('\n', stderr);
    say_losses(d);
}

static void on_link(struct daemon *d, struct source *s, uint32_t events)
{
    (void)d; /* the pump of this round takes what came */
    (void)s;
    (void)events;
}

static void on_life(struct daemon *d, struct source *s, uint32_t events)
{
    (void)s;
    (void)events;
    d->is_ending = true;
    unwatch(d, d->life);
}

static int name_socket(struct daemon *d, struct netns *where, int type, const char *rest)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, rest);
    int fd = netns_socket(where, AF_UNIX, type, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&un, len) < 0 ||
        (type != SOCK_DGRAM && listen(fd, 4096) < 0)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The tools run in the host's namespace: there the control socket has the same name. */
static int open_host_ctl(struct daemon *d)
{
    struct netns host;

    if (d->netns.maker < 0)
        return 0;
    netns_none(&host);
    d->host_ctl = name_socket(d, &host, SOCK_SEQPACKET, "ctl");
    if (d->host_ctl < 0)
        return -errno;
    d->host_ctl_source.on = control_on_socket;
    return watch(d, d->host_ctl, &d->host_ctl_source, EPOLLIN);
}

static int open_sockets(struct daemon *d)
{
    struct netns *n = &d->netns;
    int v;

    d->probe[0] = d->probe[1] = d->host_ctl = -1;
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->ctl = name_socket(d, n, SOCK_SEQPACKET, "ctl");
    d->data = name_socket(d, n, SOCK_STREAM, "data");
    d->dgram = name_socket(d, n, SOCK_DGRAM, "dgram");
    if (d->epoll < 0 || d->ctl < 0 || d->data < 0 || d->dgram < 0)
        return -errno;
    d->ctl_source.on = control_on_socket;
    d->data_source.on = streams_take;
    d->dgram_source.on = dgram_on_socket;
    d->link_source.on = on_link;
    d->life_source.on = on_life;
    watch(d, d->ctl, &d->ctl_source, EPOLLIN);
    watch(d, d->data, &d->data_source, EPOLLIN);
    watch(d, d->dgram, &d->dgram_source, EPOLLIN);
    watch(d, d->life, &d->life_source, EPOLLIN);
    if ((v = open_host_ctl(d)) < 0 || (v = face_show(d)) < 0)
        return v;
    if ((v = dns_open(d)) < 0) /* as under another weir run, whose door has the sockets */
        fprintf(stderr, "weir: libc's resolver will not reach a nameserver: %s\n", strerror(-v));
    return 0;
}

/* -- the link ---------------------------------------------------------------------------------- */

static struct weir_link *open_host(struct daemon *d, const struct weir_impair *impair, char *error,
                                   size_t error_size)
{
    struct weir_gateway_config c = {.now_ns = weir_clock_ns(), .mtu = impair->mtu};

    c.seed[0] = d->options->seed ^ 0x676174657761790aull;
    c.seed[1] = d->options->seed;
    d->gateway = weir_gateway_open(&c, error, error_size);
    return d->gateway;
}

/* stack -> capture -> impairments -> link: the capture shows what the stack sent and got. */
static int open_link(struct daemon *d, char *error, size_t error_size)
{
    const struct run_options *o = d->options;
    struct weir_impair impair = {.seed = o->seed};

    if (o->net)
        weir_impair_parse(&impair, o->net, error, error_size);
    impair.seed = o->seed;
    if (link_is_own(&o->link))
        d->link = link_open(&o->link, &d->ends, error, error_size);
    else
        d->link = open_host(d, &impair, error, error_size);
    if (!d->link)
        return -EPERM;
    if (o->net) {
        d->impair = weir_impair_open(d->link, &impair);
        if (!d->impair)
            return -ENOMEM;
        d->link = d->impair;
    }
    if (o->pcapng) {
        d->capture = weir_capture_open(d->link, o->pcapng, error, error_size);
        if (!d->capture)
            return -EIO;
        weir_capture_epoch(d->capture, weir_clock_epoch_ns());
        d->link = d->capture;
    }
    return 0;
}

static int configure_own(struct daemon *d, char *error, size_t error_size)
{
    int v = link_configure(d->stack, d->ifindex, &d->ends);

    /* What was typed is not asked for first: the program would have to wait. */
    weir_ip6_start(d->stack, d->ifindex);
    if (v == 0 && d->options->link.is_dhcp)
        v = lease_wait(d, error, error_size);
    else
        link_say(d->link->iface.name, &d->ends);
    publish_say(d);
    return v;
}

/* The address from which the host speaks to `to`: what a datagram socket that is bound to no
 * address gets when it connects. */
static void add_host_address(struct daemon *d, uint32_t to, int prefix)
{
    struct weir_sockaddr dst = {.addr = weir_addr_v4(to), .port = 9}, src = {.port = 0};

    if (weir_gateway_source(&dst, &src) == 0 && weir_addr_is_v4(&src.addr))
        weir_addr_add(d->stack, d->ifindex, &src.addr, prefix);
}

/* The same of IPv6; a host without it has none, and neither has the program. */
static bool add_host_address6(struct daemon *d, const char *to)
{
    struct weir_sockaddr dst = {.port = 9}, src = {.port = 0};

    return weir_addr_parse(&dst.addr, to) == 0 && weir_gateway_source(&dst, &src) == 0 &&
           weir_addr_add(d->stack, d->ifindex, &src.addr, 128) == 0;
}

static int configure_host(struct daemon *d)
{
    struct weir_addr any = weir_addr_v4(0);

    weir_route_add(d->stack, &any, 0, NULL, d->ifindex, 0);
    add_host_address(d, 0xc0000201, 32); /* for documentation: what leaves by the default route */
    add_host_address(d, 0x7f000001, 8);
    if (add_host_address6(d, "2001:db8::1")) /* likewise */
        weir_route_add(d->stack, &(struct weir_addr){.w = {0}}, 0, NULL, d->ifindex, 0);
    add_host_address6(d, "::1");
    fprintf(stderr, "weir: the program has the host's own addresses; link host%s%s\n",
            d->options->net ? ", network: " : "", d->options->net ? d->options->net : "");
    return 0;
}

static void apply_sets(struct daemon *d)
{
    char name[128], bytes[24];

    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)memory_preset());
    weir_knob_set(d->stack, "net.weir.mem_max", bytes);
    for (int i = 0; i < d->options->sets; i++) {
        const char *equals = strchr(d->options->set[i], '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - d->options->set[i]), d->options->set[i]);
        weir_knob_set(d->stack, name, equals + 1);
    }
}

/* 6528#4: the machine's randomness is the key of all that others must not guess, 128 bits of it;
 * where a run is to be repeated, --seed. */
void daemon_seed(const struct run_options *o, uint64_t seed[2])
{
    if (o->has_seed || getrandom(seed, 16, 0) != 16) {
        seed[0] = o->seed;
        seed[1] = ~o->seed;
    }
}

int daemon_open(struct daemon *d, const struct run_options *o, char *error, size_t error_size)
{
    struct weir_config config = {.now_ns = weir_clock_ns()};
    int v, fd;

    daemon_seed(o, config.seed);
    d->options = o;
    for (int i = 0; i < PINGS; i++)
        d->ping[i].fd = -1;
    for (int i = 0; i < TRACES; i++)
        d->trace[i].fd = -1;
    for (int i = 0; i < WATCHERS; i++)
        d->watcher[i].fd = -1;
    d->diag = -1;
    snprintf(error, error_size, "no memory");
    d->stack = weir_new(&config);
    if (!d->stack)
        return -ENOMEM;
    apply_sets(d);
    if ((v = weir_trace_start_brief(d->stack)) < 0) /* for `weir why` */
        return v;
    if ((v = open_link(d, error, error_size)) < 0)
        return v;
    d->ifindex = weir_iface_add(d->stack, &d->link->iface);
    if (d->ifindex < 0)
        return d->ifindex;
    v = d->gateway ? configure_host(d) : configure_own(d, error, error_size);
    if (v < 0)
        return v;
    if ((v = open_sockets(d)) < 0) {
        snprintf(error, error_size, "no socket for the daemon: %s", strerror(-v));
        return v;
    }
    fd = d->link->driver->fd(d->link);
    return fd < 0 ? 0 : watch(d, fd, &d->link_source, EPOLLIN);
}

/* Rings come and go with each burst: pages that the heap gave back would be faulted in again. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
}

/* Runs in the forked daemon; tells the launcher over `ready` whether it stands. */
static int daemon_main(struct daemon *d, const struct run_options *o, int ready)
{
    char error[512], ok = 1;
    struct rlimit files;
    int v;

    signal(SIGINT, SIG_IGN); /* a Ctrl-C is for the program; we end after it */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    keep_memory();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    v = daemon_open(d, o, error, sizeof error);
    if (v < 0) {
        fprintf(stderr, "weir: %s\n", error);
        return 2;
    }
    if (write(ready, &ok, 1) != 1)
        return 2;
    close(ready);
    daemon_loop(d);
    lease_give_back(d);
    summary(d);
    weir_link_close(d->link);
    weir_free(d->stack);
    return 0;
}

/* -- the program ------------------------------------------------------------------------------- */

static volatile pid_t program_pid;

static void pass_on(int signal)
{
    if (program_pid > 0)
        kill(program_pid, signal);
}

static void pass_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction a = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
        /* the terminal sends these to the whole group: the program has it already */
        if ((signals[i] == SIGINT || signals[i] == SIGQUIT) && isatty(STDIN_FILENO))
            a.sa_handler = SIG_IGN;
        sigaction(signals[i], &a, NULL);
    }
}

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 126;
    return status_of(status);
}

static void say_how_it_ended(int status)
{
    if (status > 128)
        fprintf(stderr, "weir: the stack ended (signal %d)", status - 128);
    else
        fprintf(stderr, "weir: the stack ended (exit status %d)", status);
    fputs(": a bug; please report it with what was run\n", stderr);
}

/* A program that waits for a connection would wait for ever when the stack is gone. */
static int wait_for_program(pid_t *daemon)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, 0)) != program_pid) {
        if (pid < 0 && errno != EINTR)
            return 126;
        if (pid != *daemon)
            continue;
        *daemon = -1;
        if (!status) /* its link is gone, and it said so */
            continue;
        say_how_it_ended(status_of(status));
        kill(program_pid, SIGTERM);
    }
    program_pid = 0;
    return status_of(status);
}

/* The seccomp door's process: after the program's, which it must know. */
static void start_doorman(const struct daemon *d, int pair[2], int life)
{
    if (fork() == 0) {
        close(life); /* it is no reason for the daemon to stay */
        close(pair[0]);
        _exit(seccomp_main(d->name, &d->netns, pair[1], program_pid));
    }
    close(pair[0]);
    close(pair[1]);
}

/* A signal that comes in between waits until it can be passed on. */
static void start_program(const struct run_options *o, const struct daemon *d, int life)
{
    int pair[2] = {-1, -1};
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    if (o->via == RUN_VIA_SECCOMP)
        (void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    program_pid = fork();
    if (program_pid == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        close(pair[1]);
        _exit(program_exec(o, d->name, &d->netns, pair[0]));
    }
    if (pair[1] >= 0)
        start_doorman(d, pair, life);
    pass_signals();
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* True when the daemon stands. */
static bool start_daemon(struct daemon *d, const struct run_options *o, int life[2], pid_t *pid)
{
    int ready[2];
    char ok = 0;

    if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0)
        return false;
    fflush(NULL);
    *pid = fork();
    if (*pid == 0) {
        close(ready[0]);
        close(life[1]);
        d->life = life[0];
        _exit(daemon_main(d, o, ready[1]));
    }
    close(ready[1]);
    close(life[0]);
    return read(ready[0], &ok, 1) == 1 && ok;
}

int run_main(const struct run_options *given)
{
    static struct daemon d;
    struct run_options o = *given;
    int life[2], v, status = program_check(&o);
    pid_t daemon_pid = -1;
    uint32_t number;

    if (status)
        return status;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint32_t)getpid();
    snprintf(d.name, sizeof d.name, "%08x", number);
    if (!o.has_seed && getrandom(&o.seed, sizeof o.seed, 0) != sizeof o.seed)
        o.seed = number;
    if (o.is_verbose)
        fprintf(stderr, "weir: seed %llu\n", (unsigned long long)o.seed);
    if (o.is_open)
        netns_none(&d.netns);
    else
        netns_open(&d.netns);
    if (!start_daemon(&d, &o, life, &daemon_pid)) {
        if (daemon_pid > 0)
            wait_for(daemon_pid);
        netns_close(&d.netns);
        return 2;
    }
    start_program(&o, &d, life[1]);
    status = wait_for_program(&daemon_pid);
    close(life[1]); /* the daemon ends when its last connection has */
    if (daemon_pid > 0 && (v = wait_for(daemon_pid)) != 0)
        say_how_it_ended(v);
    netns_close(&d.netns);
    return status;
}

int run_verb(int argc, char **argv)
{
    static struct run_options o;
    int v = options_parse(&o, argc, argv);

    return v ? v : run_main(&o);
}
