/* `weir run`: a daemon with the stack, the program on it, and the words around both.
 *
 * Knows: processes and signals. Shape: the launcher forks the daemon, which opens the link and says
 * whether it could, then the program with the preload door in its environment; it passes signals
 * on, waits for the program, and lets the daemon finish. Units: none. Errors: 126, 127, 128 +
 * signal as a shell; 2 for what the link refused. Cost: two forks. */
#include <elf.h>
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

/* -- the daemon -------------------------------------------------------------------------------- */

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
                (unsigned long long)(up.lost + up.queue_full),
                (unsigned long long)(down.lost + down.queue_full));
    }
    fprintf(stderr, "; %llu dropped", (unsigned long long)a.dropped);
    for (int i = 0, n = 0; i < weir_drop_count(); i++)
        if (weir_drops(d->stack, i))
            fprintf(stderr, "%s%s %llu", n++ ? ", " : ": ", weir_drop_name(i),
                    (unsigned long long)weir_drops(d->stack, i));
    fputc('\n', stderr);
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
    close(d->life);
}

static int name_socket(struct daemon *d, int type, const char *rest)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, rest);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&un, len) < 0 ||
        (type != SOCK_DGRAM && listen(fd, 4096) < 0)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int open_sockets(struct daemon *d)
{
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->ctl = name_socket(d, SOCK_SEQPACKET, "ctl");
    d->data = name_socket(d, SOCK_STREAM, "data");
    d->dgram = name_socket(d, SOCK_DGRAM, "dgram");
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
    return watch(d, d->life, &d->life_source, EPOLLIN);
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
    if (link_is_tap(&o->link))
        d->link = tap_open(&o->link, &d->tap, error, error_size);
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
        d->link = d->capture;
    }
    return 0;
}

static int configure_tap(struct daemon *d)
{
    int v = tap_configure(d->stack, d->ifindex, &d->tap);

    tap_say(d->link->iface.name, &d->tap);
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

static int configure_host(struct daemon *d)
{
    struct weir_addr any = weir_addr_v4(0);

    weir_route_add(d->stack, &any, 0, NULL, d->ifindex, 0);
    add_host_address(d, 0xc0000201, 32); /* for documentation: what leaves by the default route */
    add_host_address(d, 0x7f000001, 8);
    fprintf(stderr, "weir: the program has the host's own addresses; link host%s%s\n",
            d->options->net ? ", network: " : "", d->options->net ? d->options->net : "");
    return 0;
}

static void apply_sets(struct daemon *d)
{
    char name[128];

    for (int i = 0; i < d->options->sets; i++) {
        const char *equals = strchr(d->options->set[i], '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - d->options->set[i]), d->options->set[i]);
        weir_knob_set(d->stack, name, equals + 1);
    }
}

int daemon_open(struct daemon *d, const struct run_options *o, char *error, size_t error_size)
{
    struct weir_config config = {.seed = {o->seed, ~o->seed}, .now_ns = weir_clock_ns()};
    int v, fd;

    d->options = o;
    for (int i = 0; i < PINGS; i++)
        d->ping[i].fd = -1;
    snprintf(error, error_size, "no memory");
    d->stack = weir_new(&config);
    if (!d->stack)
        return -ENOMEM;
    apply_sets(d);
    if ((v = open_link(d, error, error_size)) < 0)
        return v;
    d->ifindex = weir_iface_add(d->stack, &d->link->iface);
    if (d->ifindex < 0)
        return d->ifindex;
    v = d->gateway ? configure_host(d) : configure_tap(d);
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
    summary(d);
    weir_link_close(d->link);
    weir_free(d->stack);
    return 0;
}

/* -- the program ------------------------------------------------------------------------------- */

static pid_t program_pid;

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

static int preload_path(char *path, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n > 0) {
        self[n] = '\0';
        slash = strrchr(self, '/');
        snprintf(path, size, "%.*s/libweir-preload.so", (int)(slash - self), self);
        if (access(path, R_OK) == 0)
            return 0;
    }
    snprintf(path, size, "%s/libweir-preload.so", WEIR_PRELOAD_DIR);
    return access(path, R_OK);
}

/* A statically linked program loads no library: the preload door can not carry it. */
static bool is_static(const char *file)
{
    Elf64_Ehdr head;
    Elf64_Phdr part;
    FILE *f = fopen(file, "re");
    bool has_interpreter = false;

    if (!f)
        return false;
    if (fread(&head, sizeof head, 1, f) != 1 || memcmp(head.e_ident, ELFMAG, SELFMAG) ||
        head.e_ident[EI_CLASS] != ELFCLASS64) {
        fclose(f);
        return false;
    }
    fseek(f, (long)head.e_phoff, SEEK_SET);
    for (int i = 0; i < head.e_phnum && fread(&part, sizeof part, 1, f) == 1; i++)
        has_interpreter |= part.p_type == PT_INTERP;
    fclose(f);
    return !has_interpreter;
}

static bool find_program(const char *name, char *path, size_t size)
{
    const char *dirs = getenv("PATH");

    if (strchr(name, '/')) {
        snprintf(path, size, "%s", name);
        return access(path, F_OK) == 0;
    }
    for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += *dirs == ':') {
        int n = (int)strcspn(dirs, ":");
        snprintf(path, size, "%.*s/%s", n, dirs, name);
        if (access(path, X_OK) == 0)
            return true;
        dirs += n;
    }
    return false;
}

static int exec_program(const struct run_options *o, const char *daemon)
{
    char preload[4200], all[8192];
    const char *before = getenv("LD_PRELOAD");

    if (preload_path(preload, sizeof preload) < 0) {
        fprintf(stderr, "weir: libweir-preload.so is missing beside the command: run make\n");
        return 126;
    }
    snprintf(all, sizeof all, "%s%s%s", preload, before ? ":" : "", before ? before : "");
    setenv("LD_PRELOAD", all, 1);
    setenv(RUN_ENV, daemon, 1);
    execvp(o->program[0], o->program);
    fprintf(stderr, "weir: %s: %s\n", o->program[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 126;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int check_program(const struct run_options *o)
{
    struct stat about;
    char path[4096];

    if (!find_program(o->program[0], path, sizeof path)) {
        fprintf(stderr, "weir: %s: no such program\n", o->program[0]);
        return 127;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(EISDIR));
        return 126;
    }
    if (access(path, X_OK) < 0) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(errno));
        return 126;
    }
    if (is_static(path)) {
        fprintf(stderr,
                "weir: %s is statically linked: the preload door carries dynamic programs only\n",
                path);
        return 126;
    }
    return 0;
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
    int life[2], status = check_program(&o);
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
    if (!start_daemon(&d, &o, life, &daemon_pid))
        return daemon_pid > 0 ? (wait_for(daemon_pid), 2) : 2;
    program_pid = fork();
    if (program_pid == 0)
        _exit(exec_program(&o, d.name));
    pass_signals();
    status = wait_for(program_pid);
    close(life[1]); /* the daemon ends when its last connection has */
    wait_for(daemon_pid);
    return status;
}

int run_verb(int argc, char **argv)
{
    static struct run_options o;
    int v = options_parse(&o, argc, argv);

    return v ? v : run_main(&o);
}
