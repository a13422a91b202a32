/* Why a packet link loses frames: a ring that the test fills as a kernel would, or would not, and a
 * socket at whose other end nobody takes anything. */
#include "fake.h"

#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/packet.h"
#include "support/unit.h"

#define SLOTS 8
#define SLOT 2048u
#define FRAME_AT 128u

static struct both {
    struct packet *p;
    uint8_t *ring;
    int peer; /* the kernel's end of the socket */
} now;

static void begin(void)
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
    now.p = calloc(1, sizeof *now.p);
    now.ring = aligned_alloc(64, SLOTS * SLOT);
    memset(now.ring, 0, SLOTS * SLOT);
    now.p->link.driver = &packet_driver;
    now.p->fd = fd[0];
    now.peer = fd[1];
    now.p->ring = now.ring;
    now.p->ring_bytes = SLOTS * SLOT;
    now.p->slot_bytes = SLOT;
    now.p->slots_in_block = now.p->slots = SLOTS;
    now.p->copy = malloc(sizeof *now.p->copy * PACKET_COPIES);
    now.p->cut = calloc(1, sizeof *now.p->cut);
}

static void end(void)
{
    now.p->ring = NULL; /* it is not mapped */
    packet_driver.close(&now.p->link);
    free(now.ring);
    close(now.peer);
}

static uint64_t lost(const char *why)
{
    struct weir_link_loss loss[PACKET_LOSSES];
    int n = packet_losses(&now.p->link, loss, PACKET_LOSSES);

    for (int i = 0; i < n; i++)
        if (strcmp(loss[i].why, why) == 0)
            return loss[i].frames;
    fail_msg("no reason %s", why);
    return 0;
}

/* One reason has one frame more; all others stay. */
static void lost_one(const char *why, uint64_t before)
{
    uint64_t sum = 0;

    assert_int_equal(lost(why), before + 1);
    for (int i = 0; i < PACKET_LOSSES; i++)
        sum += now.p->lost[i];
    assert_int_equal(sum, before + 1);
}

/* Slot i as the kernel leaves it: a frame of `len` bytes behind its header. */
static struct tpacket2_hdr *arrives(int i, uint32_t len)
{
    struct tpacket2_hdr *h = (void *)(now.ring + (size_t)i * SLOT);

    memset(h, 0, SLOT);
    *h = (struct tpacket2_hdr){.tp_status = TP_STATUS_USER,
                               .tp_len = len,
                               .tp_snaplen = len,
                               .tp_mac = FRAME_AT,
                               .tp_net = FRAME_AT + 14};
    return h;
}

static struct virtio_net_hdr *offload_of(struct tpacket2_hdr *h)
{
    return (void *)((uint8_t *)h + FRAME_AT - sizeof(struct virtio_net_hdr));
}

/* What comes out of the slots that are filled, with a good frame behind them. */
static int taken(struct weir_frame *last)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n = packet_driver.recv(&now.p->link, burst, WEIR_BURST_MAX, 0);

    assert_in_range(n, 0, WEIR_BURST_MAX);
    if (n)
        *last = burst[n - 1];
    return n;
}

/* The reason is counted, and the good frame behind the bad one comes. */
static void is_lost(const char *why)
{
    struct weir_frame f = {.parts = 0};
    uint64_t before = lost(why);

    arrives(1, 60)->tp_sec = 1;
    now.ring[SLOT + FRAME_AT + 20] = 0x77;
    assert_int_equal(taken(&f), 1);
    assert_int_equal(f.part[0].len, 60);
    assert_int_equal(f.part[0].data[20], 0x77);
    lost_one(why, before);
    end();
}

static void slots_that_make_no_sense(void **state)
{
    static const struct {
        uint32_t len, snaplen;
        uint16_t mac;
    } bad[] = {
        {13, 13, FRAME_AT},                        /* no Ethernet header */
        {60, 61, FRAME_AT},                        /* more is here than there was */
        {60, 60, 0},                               /* the frame over its slot's head */
        {60, 60, sizeof(struct tpacket2_hdr) + 9}, /* no room for the offload header */
        {60, 60, SLOT - 59},                       /* one byte over its end */
        {60, 60, 65535},                           /* far outside */
        {UINT32_MAX, UINT32_MAX, FRAME_AT},        /* a length that wraps */
        {UINT32_MAX, UINT32_MAX - FRAME_AT + 1, FRAME_AT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        begin();
        struct tpacket2_hdr *h = arrives(0, bad[i].len);
        h->tp_snaplen = bad[i].snaplen;
        h->tp_mac = bad[i].mac;
        is_lost("rx_malformed");
    }
}

static void cut_frames(void **state)
{
    (void)state;
    begin();
    arrives(0, PACKET_FRAME_MAX)->tp_snaplen = SLOT - FRAME_AT;
    is_lost("rx_memory"); /* and the socket has it not */
    begin();
    arrives(0, PACKET_FRAME_MAX + 1)->tp_snaplen = SLOT - FRAME_AT;
    is_lost("rx_long");
}

static void of_another_vlan(void **state)
{
    (void)state;
    begin();
    struct tpacket2_hdr *h = arrives(0, 60);
    h->tp_status |= TP_STATUS_VLAN_VALID;
    h->tp_vlan_tci = 0xe005;
    is_lost("rx_vlan");
}

static void superframes_of_other_kinds(void **state)
{
    static const uint8_t kinds[] = {VIRTIO_NET_HDR_GSO_UDP, 2, 6, 0x7f, VIRTIO_NET_HDR_GSO_ECN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        begin();
        struct virtio_net_hdr *v = offload_of(arrives(0, 900));
        v->gso_type = kinds[i];
        v->gso_size = 100;
        is_lost("rx_kind");
    }
}

/* Of UDP, whose headers are not where they are said to be: they are not cut. */
static void datagrams_that_cannot_be_cut(void **state)
{
    static const struct {
        uint8_t version, flags;
        uint16_t size, start;
    } bad[] = {
        {0x45, VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 34},
        {0x45, 0, 100, 34},
        {0x45, VIRTIO_NET_HDR_F_NEEDS_CSUM, 100, 33},
        {0x65, VIRTIO_NET_HDR_F_NEEDS_CSUM, 100, 53},
        {0x45, VIRTIO_NET_HDR_F_NEEDS_CSUM, 100, 893},
        {0x45, VIRTIO_NET_HDR_F_NEEDS_CSUM, 100, 65535},
        {0x15, VIRTIO_NET_HDR_F_NEEDS_CSUM, 100, 54},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        begin();
        struct tpacket2_hdr *h = arrives(0, 900);
        struct virtio_net_hdr *v = offload_of(h);
        *v = (struct virtio_net_hdr){.flags = bad[i].flags,
                                     .gso_type = 5,
                                     .gso_size = bad[i].size,
                                     .csum_start = bad[i].start,
                                     .csum_offset = 6};
        ((uint8_t *)h)[FRAME_AT + 14] = bad[i].version;
        is_lost("rx_kind");
    }
}

/* A superframe that did not fit its slot is fetched from the socket. */
static void comes_whole(size_t bytes, const char *why)
{
    static uint8_t whole[sizeof(struct virtio_net_hdr) + PACKET_FRAME_MAX + 1];

    begin();
    assert_int_equal(setsockopt(now.peer, SOL_SOCKET, SO_SNDBUF, &(int){400000}, sizeof(int)), 0);
    arrives(0, 1500)->tp_status |= TP_STATUS_COPY;
    if (bytes)
        assert_int_equal(send(now.peer, whole, bytes, 0), (ssize_t)bytes);
    is_lost(why);
}

static void what_the_socket_has_instead(void **state)
{
    size_t head = sizeof(struct virtio_net_hdr);

    (void)state;
    comes_whole(head + PACKET_FRAME_MAX + 1, "rx_long");
    comes_whole(head + 13, "rx_malformed");
    comes_whole(3, "rx_malformed");
    comes_whole(0, "rx_malformed"); /* nothing at all */
}

/* -- out --------------------------------------------------------------------------------------- */

static void say(uint32_t len)
{
    static uint8_t bytes[400000];
    struct weir_frame f = {.part = {{bytes, len}}, .parts = 1};

    assert_int_equal(packet_driver.send(&now.p->link, &f, 1, 0), 1);
}

static void a_queue_that_is_full(void **state)
{
    uint64_t n = 0;

    (void)state;
    begin();
    while (!lost("tx_full") && n++ < 10000)
        say(1000);
    lost_one("tx_full", 0);
    end();
}

static void longer_than_the_interface_takes(void **state)
{
    (void)state;
    begin();
    assert_int_equal(setsockopt(now.p->fd, SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)), 0);
    say(60);
    assert_int_equal(lost("tx_long"), 0);
    say(300000);
    lost_one("tx_long", 0);
    end();
}

/* One refused frame of a burst costs itself only. */
static void refused_for_another_reason(void **state)
{
    static uint8_t bytes[60];
    struct weir_frame burst[3];

    (void)state;
    begin();
    close(now.peer);
    now.peer = -1;
    for (int i = 0; i < 3; i++)
        burst[i] = (struct weir_frame){.part = {{bytes, 60}}, .parts = 1};
    assert_int_equal(packet_driver.send(&now.p->link, burst, 3, 0), 3);
    assert_int_equal(lost("tx_refused"), 3);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_that_make_no_sense),
        cmocka_unit_test(cut_frames),
        cmocka_unit_test(of_another_vlan),
        cmocka_unit_test(superframes_of_other_kinds),
        cmocka_unit_test(datagrams_that_cannot_be_cut),
        cmocka_unit_test(what_the_socket_has_instead),
        cmocka_unit_test(a_queue_that_is_full),
        cmocka_unit_test(longer_than_the_interface_takes),
        cmocka_unit_test(refused_for_another_reason),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("packet_losses", tests, NULL, NULL);
}
