/* A router of TAP devices and wires: each is a network, and hosts behind them reach each other
 * through weir.
 *
 *     router lan0=10.1.0.1/24 lan1=10.2.0.1/24 wire:lab=10.3.0.1/24
 *
 * A host behind lan0 needs an address of 10.1.0.0/24 and 10.1.0.1 as its gateway. Addresses of IPv6
 * work the same; a network's faults may follow, as in "lan1=10.2.0.1/24,delay 20ms loss 1%". Ends
 * with SIGINT or SIGTERM, and says what it forwarded and dropped. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <weir/weir.h>

#define LINKS_MAX 16

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static struct weir_stack *new_router(void)
{
    struct weir_config config = {.now_ns = weir_clock_ns()};
    struct weir_stack *router;

    if (getrandom(config.seed, sizeof config.seed, 0) < 0)
        config.seed[0] = (uint64_t)config.now_ns;
    router = weir_new(&config);
    if (!router || weir_knob_set(router, "net.ipv4.ip_forward", "1") < 0 ||
        weir_knob_set(router, "net.ipv6.conf.all.forwarding", "1") < 0)
        errx(1, "no stack");
    return router;
}

/* Without superframes: what comes in one piece must go on in one. */
static struct weir_link *open_link(const char *name)
{
    bool is_wire = strncmp(name, "wire:", 5) == 0;
    struct weir_wire_config wire = {.name = name + (is_wire ? 5 : 0), .no_offload = true};
    char error[300];
    struct weir_link *link = is_wire ? weir_wire_open(&wire, error, sizeof error)
                                     : weir_tap_open(name, error, sizeof error);

    if (!link)
        errx(1, "%s", error);
    if (!is_wire)
        weir_tap_no_offload(link);
    return link;
}

/* "NAME=ADDRESS/BITS,FAULTS" */
static struct weir_link *add_network(struct weir_stack *router, char *text)
{
    char *equals = strchr(text, '='), *slash = strchr(text, '/'), *comma = strchr(text, ',');
    char error[300];
    struct weir_impair faults;
    struct weir_addr addr;
    struct weir_link *link;
    int index;

    if (!equals || !slash || slash < equals)
        errx(2, "'%s' is no network: write it as lan0=10.1.0.1/24", text);
    *equals = *slash = '\0';
    if (comma)
        *comma = '\0';
    if (weir_addr_parse(&addr, equals + 1) < 0)
        errx(2, "'%s' is no address", equals + 1);
    if (comma && weir_impair_parse(&faults, comma + 1, error, sizeof error) < 0)
        errx(2, "%s", error);
    link = open_link(text);
    if (comma)
        link = weir_impair_open(link, &faults);
    index = link ? weir_iface_add(router, &link->iface) : -ENOMEM;
    if (index < 0 || weir_addr_add(router, index, &addr, atoi(slash + 1)) < 0)
        errx(1, "no interface for %s", text);
    return link;
}

static void run(struct weir_stack *router, struct weir_link *const *link, int n)
{
    while (!is_over) {
        struct pollfd wait[LINKS_MAX];
        int64_t now = weir_clock_ns(), next = WEIR_NEVER;
        int moved = 0;

        for (int i = 0; i < n; i++) {
            int v = weir_link_pump(link[i], router, i + 1, now, 1);
            if (v < 0)
                errx(1, "%s: %s", link[i]->iface.name, strerror(-v));
            moved += v;
            wait[i] = (struct pollfd){.fd = weir_link_fd(link[i]), .events = POLLIN};
        }
        for (int i = 0; i < n; i++) {
            int64_t at = weir_link_deadline(link[i], router);
            next = at < next ? at : next;
        }
        if (!moved)
            poll(wait, (nfds_t)n, weir_poll_ms(next, weir_clock_ns()));
    }
}

int main(int argc, char **argv)
{
    struct weir_stack *router = new_router();
    struct weir_link *link[LINKS_MAX];
    struct weir_account account;
    int n = argc - 1;

    if (n < 1 || n > LINKS_MAX)
        errx(2, "usage: router NAME=ADDRESS/BITS[,FAULTS]... (at most %d)", LINKS_MAX);
    for (int i = 0; i < n; i++)
        link[i] = add_network(router, argv[i + 1]);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    fprintf(stderr, "router: %d networks\n", n);
    run(router, link, n);
    weir_account(router, &account);
    printf("%llu frames in, %llu forwarded, %llu dropped\n", (unsigned long long)account.frames_in,
           (unsigned long long)account.forwarded, (unsigned long long)account.dropped);
    for (int i = 0; i < n; i++)
        weir_link_close(link[i]);
    weir_free(router);
}
