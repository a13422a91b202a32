/* Memory that is refused: the k-th allocation of a stack fails, for every k, and from the k-th on
 * for a while. What the calls said holds, both streams are byte for byte what was written, and in
 * the end nothing is held. Virtual time; WEIR_SEED=k runs that k only. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "stack/stack.h"
#include "weir/weir.h"

#define BYTES 200000u
#define STEPS_MAX 60000
#define WHILE 12 /* allocations in a row */

struct end {
    struct weir_stack *stack;
    int ifindex, sock, listener;
    uint32_t sent, got;
    bool has_shut, has_ended, is_dead;
    uint8_t salt;
};

struct run {
    long k, count; /* which allocation fails; how many were asked for */
    int in_a_row;
    long bytes;
    int64_t now;
    struct end a, b;
    struct weir_link *link;
};

static void *run_alloc(void *ctx, size_t bytes)
{
    struct run *r = ctx;

    r->count++;
    if (r->k && r->count >= r->k && r->count < r->k + r->in_a_row)
        return NULL;
    r->bytes += (long)bytes;
    return malloc(bytes);
}

static void run_free(void *ctx, void *p, size_t bytes)
{
    ((struct run *)ctx)->bytes -= (long)bytes;
    free(p);
}

static uint8_t byte_at(uint8_t salt, uint32_t i)
{
    return (uint8_t)((i * 2654435761u >> 13) + i + salt);
}

/* -- the scene: may fail at any call, and then it is over -------------------------------------- */

static bool stack_begin(struct run *r, struct end *e, uint64_t salt)
{
    struct weir_config c = {
        .seed = {1, salt}, .now_ns = r->now, .alloc = run_alloc, .free = run_free, .mem_ctx = r};

    e->salt = (uint8_t)salt;
    e->sock = e->listener = -1;
    e->stack = weir_new(&c);
    if (e->stack)
        e->stack->mem.cached_max = 0; /* each block is asked for */
    return e->stack;
}

static bool scene_begin(struct run *r)
{
    struct weir_iface_config c = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr a = weir_addr_v4(0x0a000001), b = weir_addr_v4(0x0a000002);
    struct weir_sockaddr server = {.addr = b, .port = 7};
    struct weir_impair impair = {.seed = 3};

    impair.up = impair.down = (struct weir_impair_dir){.delay_ns = 5000000, .loss_ppb = 40000000};
    if (!stack_begin(r, &r->a, 1) || !stack_begin(r, &r->b, 2))
        return false;
    if ((r->b.ifindex = weir_iface_add(r->b.stack, &c)) < 0)
        return false;
    r->link = weir_impair_open(weir_mem_open(r->b.stack, r->b.ifindex, &c), &impair);
    assert_non_null(r->link);
    if ((r->a.ifindex = weir_iface_add(r->a.stack, &r->link->iface)) < 0 ||
        weir_addr_add(r->a.stack, r->a.ifindex, &a, 24) < 0 ||
        weir_addr_add(r->b.stack, r->b.ifindex, &b, 24) < 0)
        return false;
    r->b.listener = weir_socket(r->b.stack, AF_INET, SOCK_STREAM, 0);
    r->a.sock = weir_socket(r->a.stack, AF_INET, SOCK_STREAM, 0);
    return r->b.listener >= 0 && r->a.sock >= 0 &&
           weir_bind(r->b.stack, r->b.listener, &server) == 0 &&
           weir_listen(r->b.stack, r->b.listener, 4) == 0 &&
           weir_connect(r->a.stack, r->a.sock, &server) == -EINPROGRESS;
}

static void write_some(struct end *e)
{
    uint8_t data[3000];
    uint32_t n = BYTES - e->sent < sizeof data ? BYTES - e->sent : sizeof data;
    ssize_t v;

    for (uint32_t i = 0; i < n; i++)
        data[i] = byte_at(e->salt, e->sent + i);
    v = n ? weir_send(e->stack, e->sock, data, n, 0) : 0;
    if (v > 0)
        e->sent += (uint32_t)v;
    else if (v < 0 && v != -EAGAIN && v != -ENOBUFS)
        e->is_dead = true;
    if (e->sent == BYTES && !e->has_shut)
        e->has_shut = weir_shutdown(e->stack, e->sock, SHUT_WR) == 0;
}

static void read_some(const struct run *r, struct end *e, uint8_t salt)
{
    uint8_t data[5000];
    ssize_t v = weir_recv(e->stack, e->sock, data, sizeof data, 0);

    for (ssize_t i = 0; i < v; i++)
        if (data[i] != byte_at(salt, e->got + (uint32_t)i))
            fail_msg("WEIR_SEED=%ld: byte %u is wrong", r->k, e->got + (uint32_t)i);
    if (v > 0)
        e->got += (uint32_t)v;
    else if (v == 0)
        e->has_ended = true;
    else if (v != -EAGAIN)
        e->is_dead = true;
}

static void work(struct run *r, struct end *e, uint8_t peer_salt)
{
    if (e->sock < 0)
        return;
    if (!e->has_shut && weir_readiness(e->stack, e->sock) & WEIR_READY_OUT)
        write_some(e);
    if (!e->has_ended)
        read_some(r, e, peer_salt);
}

static bool is_over(const struct run *r)
{
    return (r->a.has_ended && r->b.has_ended) || r->a.is_dead || r->b.is_dead;
}

static void step(struct run *r)
{
    int64_t next, other;

    weir_link_pump(r->link, r->a.stack, r->a.ifindex, r->now, 1);
    if (r->b.sock < 0)
        r->b.sock = weir_accept(r->b.stack, r->b.listener, NULL);
    work(r, &r->a, r->b.salt);
    work(r, &r->b, r->a.salt);
    next = weir_deadline(r->a.stack);
    other = r->link->driver->deadline(r->link);
    next = next < other ? next : other;
    if (weir_has_output(r->a.stack) || weir_has_output(r->b.stack) || next <= r->now)
        next = r->now + 100000;
    r->now = next < r->now + 1000000000 ? next : r->now + 1000000000;
}

static void scene_end(struct run *r)
{
    if (r->link)
        weir_link_close(r->link);
    weir_free(r->a.stack);
    weir_free(r->b.stack);
    if (r->bytes)
        fail_msg("WEIR_SEED=%ld: %ld bytes are still held", r->k, r->bytes);
}

/* Returns how many allocations there were. Over is over: who had no memory said so at once. */
static long scene(long k, int in_a_row)
{
    struct run r = {.k = k, .in_a_row = in_a_row, .now = 1000000000};
    bool has_begun = scene_begin(&r);

    for (int i = 0; has_begun && !is_over(&r); i++) {
        step(&r);
        if (i > STEPS_MAX)
            fail_msg("WEIR_SEED=%ld: stuck: a %u b %u", k, r.a.got, r.b.got);
    }
    if (r.a.is_dead && r.b.sock < 0) /* each SYN found no memory: ETIMEDOUT */
        has_begun = false;
    if (has_begun && (r.a.got != BYTES || r.b.got != BYTES))
        fail_msg("WEIR_SEED=%ld: a connection that was begun did not end well: %u %u", k, r.a.got,
                 r.b.got);
    scene_end(&r);
    return r.count;
}

static void each_allocation_may_fail(int in_a_row)
{
    const char *one = getenv("WEIR_SEED");
    long all = scene(0, 0), from = one ? atol(one) : 1, to = one ? from : all;

    print_message("# %ld allocations\n", all);
    assert_true(all > 100);
    for (long k = from; k <= to; k++)
        scene(k, in_a_row);
}

static void one_that_fails_costs_no_byte(void **state)
{
    (void)state;
    each_allocation_may_fail(1);
}

static void nor_do_a_dozen(void **state)
{
    (void)state;
    each_allocation_may_fail(WHILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_fails_costs_no_byte),
        cmocka_unit_test(nor_do_a_dozen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
