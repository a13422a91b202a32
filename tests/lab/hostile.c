/* Hostile frames: while two stacks talk, a third party repeats their frames with something changed,
 * to both. Connections may die of it; a stack may not: what holds at rest holds, frames are
 * conserved, memory goes back to zero. RFC 9293 section 3.10, 1122#3.2.1, 5961.
 *
 * Each run is a seed; WEIR_TEST_SEED=N runs that one. */
#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/sum.h"
#include "stack/stack.h"
#include "tcp/tcb.h"
#include "weir/weir.h"

#define RUNS 400
#define FRAMES 400 /* of the talk, each with a hostile twin or two */
#define FRAME_MAX 2048
#define MS 1000000ll

struct end {
    struct weir_stack *stack;
    int sock, listener, dgram;
};

struct run {
    struct dice d;
    int64_t now;
    struct end end[2];
    uint8_t seen[64][FRAME_MAX]; /* frames of the talk, from both */
    uint32_t seen_len[64];
    uint32_t seen_n;
    size_t bytes; /* out of malloc */
};

static void *run_alloc(void *ctx, size_t bytes)
{
    ((struct run *)ctx)->bytes += bytes;
    return malloc(bytes);
}

static void run_free(void *ctx, void *p, size_t bytes)
{
    ((struct run *)ctx)->bytes -= bytes;
    free(p);
}

static void end_begin(struct run *r, int i)
{
    struct weir_config c = {.seed = {r->d.seed, (uint64_t)i},
                            .now_ns = r->now,
                            .alloc = run_alloc,
                            .free = run_free,
                            .mem_ctx = r};
    struct weir_iface_config iface = {.name = "h",
                                      .type = WEIR_LINK_ETHER,
                                      .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
                                      .mtu = 1500};
    struct weir_addr a = weir_addr_v4(0x0a000001u + (uint32_t)i);
    struct weir_sockaddr at = {.addr = a, .port = 7};
    struct end *e = &r->end[i];

    e->stack = weir_new(&c);
    assert_non_null(e->stack);
    assert_int_equal(weir_iface_add(e->stack, &iface), 1);
    assert_int_equal(weir_addr_add(e->stack, 1, &a, 24), 0);
    e->listener = weir_socket(e->stack, AF_INET, SOCK_STREAM, 0);
    e->dgram = weir_socket(e->stack, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(weir_bind(e->stack, e->listener, &at), 0);
    assert_int_equal(weir_bind(e->stack, e->dgram, &at), 0);
    assert_int_equal(weir_listen(e->stack, e->listener, 4), 0);
    e->sock = -1;
}

static void look(struct run *r)
{
    for (int i = 0; i < 2; i++) {
        struct tcp *t = &r->end[i].stack->tcp;
        struct weir_account a;
        for (uint32_t k = pool_next(&t->tcbs, 1); k; k = pool_next(&t->tcbs, k + 1))
            tcb_check(t, tcb_at(t, k));
        weir_account(r->end[i].stack, &a);
        if (a.frames_in != a.delivered + a.answered + a.forwarded + a.parked + a.dropped)
            fail_msg("seed %llu: frames are not conserved", (unsigned long long)r->d.seed);
    }
}

/* -- the talk ---------------------------------------------------------------------------------- */

static void talk(struct run *r, struct end *e, uint32_t peer)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(peer), .port = 7};
    uint8_t data[3000] = {1};
    int sock;

    if (e->sock < 0) {
        e->sock = weir_socket(e->stack, AF_INET, SOCK_STREAM, 0);
        weir_connect(e->stack, e->sock, &to);
    }
    switch (dice_below(&r->d, 12)) {
    case 0:
        weir_close(e->stack, e->sock);
        e->sock = -1;
        return;
    case 1:
        weir_shutdown(e->stack, e->sock, SHUT_WR);
        return;
    case 2:
        weir_sendto(e->stack, e->dgram, data, dice_below(&r->d, 200), 0, &to);
        return;
    case 3:
        weir_send(e->stack, e->sock, data, 1, MSG_OOB);
        return;
    default:
        weir_send(e->stack, e->sock, data, dice_below(&r->d, sizeof data), 0);
        weir_recv(e->stack, e->sock, data, sizeof data, 0);
        weir_recv(e->stack, e->dgram, data, sizeof data, 0);
    }
    sock = weir_accept(e->stack, e->listener, NULL);
    if (sock >= 0 && dice_below(&r->d, 2))
        weir_close(e->stack, sock);
    else if (sock >= 0)
        weir_abort(e->stack, sock);
}

/* -- the third party --------------------------------------------------------------------------- */

/* Checksums as they should be, so that the change is looked at. */
static void repair(uint8_t *frame, uint32_t len)
{
    uint8_t *ip = frame + 14;
    uint32_t head = (ip[0] & 15u) * 4, total;
    uint16_t sum;

    if (len < 34 || head < 20 || len < 14 + head)
        return;
    total = len - 14 - head;
    memset(ip + 10, 0, 2);
    sum = sum_finish(sum_add(0, ip, head));
    memcpy(ip + 10, &sum, 2);
    if (ip[9] == IPPROTO_TCP && total >= 20) {
        uint32_t acc = sum_add(0, ip + 12, 8);
        uint8_t pseudo[4] = {0, ip[9], (uint8_t)(total >> 8), (uint8_t)total};
        memset(ip + head + 16, 0, 2);
        acc = sum_fold(sum_add(acc, pseudo, 4));
        sum = sum_finish(sum_fold(sum_add(acc, ip + head, total)));
        memcpy(ip + head + 16, &sum, 2);
    }
}

static uint32_t change(struct run *r, uint8_t *frame, uint32_t len)
{
    uint32_t at = 14 + dice_below(&r->d, 70);

    for (uint32_t n = 1 + dice_below(&r->d, 4); n; n--, at = 14 + dice_below(&r->d, 70))
        if (at < len)
            frame[at] = (uint8_t)dice_u64(&r->d);
    if (dice_below(&r->d, 4) == 0) /* flags: what matters most */
        frame[47] = (uint8_t)dice_u64(&r->d);
    if (dice_below(&r->d, 6) == 0)
        len = dice_below(&r->d, len + 1);
    if (dice_below(&r->d, 8) == 0 && len + 40 < FRAME_MAX) {
        memset(frame + len, 0, 40);
        len += 40;
    }
    if (dice_below(&r->d, 5))
        repair(frame, len);
    return len;
}

static void give(struct run *r, int to, const uint8_t *bytes, uint32_t len)
{
    struct weir_frame f = {.parts = 1};

    f.part[0] = (struct weir_slice){bytes, len};
    weir_input(r->end[to].stack, 1, &f, 1, r->now);
}

static void attack(struct run *r)
{
    uint32_t i = dice_below(&r->d, r->seen_n), len = r->seen_len[i];
    uint8_t frame[FRAME_MAX], *walled;

    memcpy(frame, r->seen[i], len);
    len = change(r, frame, len);
    if (len == 0)
        return;
    walled = malloc(len); /* ASan sees a step beyond it */
    memcpy(walled, frame, len);
    give(r, (int)dice_below(&r->d, 2), walled, len);
    free(walled);
}

/* -- a run ------------------------------------------------------------------------------------- */

static uint32_t carry(struct run *r, int from)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n = weir_output(r->end[from].stack, 1, burst, WEIR_BURST_MAX, r->now);

    for (int i = 0; i < n; i++) {
        uint8_t *to = r->seen[r->seen_n < 64 ? r->seen_n : dice_below(&r->d, 64)];
        uint32_t len = 0, slot = (uint32_t)((to - r->seen[0]) / FRAME_MAX);
        for (int k = 0; k < burst[i].parts; len += burst[i].part[k++].len)
            memcpy(to + len, burst[i].part[k].data, burst[i].part[k].len);
        r->seen_len[slot] = len;
        r->seen_n += r->seen_n < 64;
    }
    for (int i = 0; i < n; i++) {
        uint8_t copy[FRAME_MAX];
        uint32_t len = 0;
        for (int k = 0; k < burst[i].parts; len += burst[i].part[k++].len)
            memcpy(copy + len, burst[i].part[k].data, burst[i].part[k].len);
        give(r, !from, copy, len);
    }
    return (uint32_t)n;
}

static void step(struct run *r)
{
    int who = (int)dice_below(&r->d, 2);

    talk(r, &r->end[who], 0x0a000002u - (uint32_t)who);
    for (int i = 0; i < 2; i++)
        carry(r, i);
    for (uint32_t n = dice_below(&r->d, 3); n && r->seen_n; n--)
        attack(r);
    r->now += (int64_t)dice_below(&r->d, 300) * MS;
    for (int i = 0; i < 2; i++)
        weir_advance(r->end[i].stack, r->now);
    look(r);
}

/* All sockets closed, an hour later. */
static void finish(struct run *r)
{
    for (int i = 0; i < 2; i++) {
        struct end *e = &r->end[i];
        weir_close(e->stack, e->listener);
        weir_close(e->stack, e->dgram);
        if (e->sock >= 0)
            weir_close(e->stack, e->sock);
    }
    for (int s = 0; s < 3600; s++) {
        for (int i = 0; i < 2; i++) {
            weir_advance(r->end[i].stack, r->now);
            carry(r, i);
        }
        r->now += 1000 * MS;
    }
    look(r);
    for (int i = 0; i < 2; i++) {
        struct weir_sock_info info;
        uint64_t cursor = 0;
        if (weir_info_next(r->end[i].stack, &cursor, &info))
            fail_msg("seed %llu: an endpoint in state %s is left", (unsigned long long)r->d.seed,
                     weir_state_name(info.state));
        weir_free(r->end[i].stack);
    }
    if (r->bytes)
        fail_msg("seed %llu: %zu bytes are left", (unsigned long long)r->d.seed, r->bytes);
}

static void hostile_frames_end_connections_and_no_stack(void **state)
{
    static struct run r;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, RUNS); dice_next(&d)) {
        memset(&r, 0, sizeof r);
        r.d = d;
        r.now = 1000 * MS;
        for (int i = 0; i < 2; i++)
            end_begin(&r, i);
        for (int n = 0; n < FRAMES; n++)
            step(&r);
        finish(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_frames_end_connections_and_no_stack)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
