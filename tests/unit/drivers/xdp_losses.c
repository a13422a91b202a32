/* Why an AF_XDP link loses frames: rings that the test fills as a kernel would, or would not. */
#include "fake.h"

#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/xdp.h"
#include "support/unit.h"

static struct ring {
    uint32_t producer, consumer, flags;
    uint64_t entry[2 * XSK_RX_CHUNKS]; /* descriptors have two words */
} fill, done, rx, tx;
static struct xdp *x;

static struct xsk_ring ring_of(struct ring *r, uint32_t size)
{
    memset(r, 0, sizeof *r);
    return (struct xsk_ring){.producer = &r->producer,
                             .consumer = &r->consumer,
                             .flags = &r->flags,
                             .entry = r->entry,
                             .size = size};
}

static void begin(uint32_t free_chunks)
{
    struct xsk *q;

    x = calloc(1, sizeof *x);
    x->link.driver = &xdp_driver;
    x->program = (struct xdp_program){.map = -1, .program = -1, .link = -1};
    x->epoll = -1;
    x->queues = 1;
    x->groups = &fake_open(WEIR_LINK_ETHER)->link;
    q = &x->queue[0];
    q->fd = -1;
    q->memory_bytes = (size_t)(XSK_RX_CHUNKS + XSK_TX_CHUNKS) * XSK_CHUNK;
    q->memory = mmap(NULL, q->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0);
    assert_true(q->memory != MAP_FAILED);
    q->fill = ring_of(&fill, XSK_RX_CHUNKS);
    q->done = ring_of(&done, XSK_TX_CHUNKS);
    q->rx = ring_of(&rx, XSK_RX_CHUNKS);
    q->tx = ring_of(&tx, XSK_TX_CHUNKS);
    q->free = malloc(XSK_TX_CHUNKS * sizeof *q->free);
    for (uint32_t i = 0; i < free_chunks; i++)
        q->free[q->free_count++] = XSK_RX_CHUNKS + i;
}

static void end(void)
{
    xdp_driver.close(&x->link);
}

static uint64_t lost(const char *why)
{
    struct weir_link_loss loss[XDP_LOSSES];
    int n = weir_link_losses(&x->link, loss, XDP_LOSSES);

    for (int i = 0; i < n; i++)
        if (strcmp(loss[i].why, why) == 0)
            return loss[i].frames;
    fail_msg("no reason %s", why);
    return 0;
}

static void arrives(uint64_t at, uint32_t len)
{
    ((struct xdp_desc *)(void *)rx.entry)[rx.producer++] = (struct xdp_desc){.addr = at,
                                                                             .len = len};
}

/* It is counted, its chunk goes back, and the frame behind it comes. */
static void descriptors_that_make_no_sense(void **state)
{
    static const struct {
        uint64_t at;
        uint32_t len;
    } bad[] = {
        {256, 13},                                 /* no Ethernet header */
        {256, XSK_CHUNK - 255},                    /* one byte into the next chunk */
        {256, UINT32_MAX},                         /* no chunk is so long */
        {(uint64_t)XSK_RX_CHUNKS * XSK_CHUNK, 60}, /* in one that is ours to send with */
        {UINT64_MAX - 10, 60},                     /* outside */
        {(uint64_t)1 << 63 | 256, 60},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct weir_frame burst[WEIR_BURST_MAX];
        begin(0);
        arrives(bad[i].at, bad[i].len);
        arrives(3 * XSK_CHUNK + 256, 60);
        assert_int_equal(xdp_driver.recv(&x->link, burst, WEIR_BURST_MAX, 0), 1);
        assert_ptr_equal(burst[0].part[0].data, x->queue[0].memory + 3 * XSK_CHUNK + 256);
        assert_int_equal(lost("xdp_rx_malformed"), 1);
        assert_int_equal(xdp_driver.recv(&x->link, burst, WEIR_BURST_MAX, 0), 0);
        assert_int_equal(fill.producer, 2);
        for (int k = 0; k < 2; k++) {
            assert_true(fill.entry[k] / XSK_CHUNK < XSK_RX_CHUNKS);
            assert_int_equal(fill.entry[k] % XSK_CHUNK, 0);
        }
        end();
    }
}

static void say(uint32_t len)
{
    static uint8_t bytes[XSK_CHUNK + 1];
    struct weir_frame f = {.part = {{bytes, len}}, .parts = 1};

    assert_int_equal(xdp_driver.send(&x->link, &f, 1, 0), 1);
}

static void frames_longer_than_a_chunk(void **state)
{
    (void)state;
    begin(4);
    say(XSK_CHUNK);
    assert_int_equal(lost("xdp_tx_long"), 0);
    say(XSK_CHUNK + 1);
    say(60);
    assert_int_equal(lost("xdp_tx_long"), 1);
    assert_int_equal(lost("xdp_tx_full"), 0);
    assert_int_equal(tx.producer, 2);
    end();
}

/* Until the kernel hands chunks back; one that it makes up is not taken for more than there are. */
static void all_chunks_under_way(void **state)
{
    (void)state;
    begin(2);
    for (int i = 0; i < 5; i++)
        say(60);
    assert_int_equal(lost("xdp_tx_full"), 3);
    assert_int_equal(tx.producer, 2);
    tx.consumer = 2;
    memcpy(&done.entry[0], (const uint8_t *)tx.entry + offsetof(struct xdp_desc, addr),
           sizeof done.entry[0]);
    done.producer = 1;
    say(60);
    assert_int_equal(lost("xdp_tx_full"), 3);
    assert_int_equal(tx.producer, 3);
    end();
}

/* What the socket for groups loses stands beside it. */
static void reasons_have_words(void **state)
{
    struct weir_link_loss loss[XDP_LOSSES];

    (void)state;
    begin(0);
    assert_int_equal(weir_link_losses(&x->link, loss, XDP_LOSSES), XDP_LOSSES);
    for (int i = 0; i < XDP_LOSSES; i++)
        assert_true(loss[i].why && loss[i].doc && loss[i].frames == 0);
    assert_int_equal(weir_link_losses(&x->link, loss, 2), 2);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_that_make_no_sense),
        cmocka_unit_test(frames_longer_than_a_chunk),
        cmocka_unit_test(all_chunks_under_way),
        cmocka_unit_test(reasons_have_words),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("xdp_losses", tests, NULL, NULL);
}
