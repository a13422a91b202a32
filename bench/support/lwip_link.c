/*
 * Knows:  lwIP's netif and pbuf. Not TCP.
 * Shape:  frames live in fixed buffers with a custom pbuf in front, as a driver's receive ring
 *         does: the stack's input allocates nothing. A buffer is free, queued, or lwIP's.
 * Units:  frames; indices of a queue run freely and are masked.
 * Errors: no free buffer: the frame is dropped and counted, lwIP is told ERR_MEM.
 * Cost:   one memcpy per frame, the same that a ring between two processes would need.
 */
#include "lwip_link.h"

#include "lwip/etharp.h"
#include "lwip/ip4.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"

#include <stddef.h>
#include <string.h>

#define FRAME_SIZE 1536
#define FRAMES_MAX 1024 /* a power of two; far above any window lwIP can open here */

struct frame {
    struct pbuf_custom pbuf; /* first: lwIP hands back a pointer to it */
    struct frame *next_free;
    uint16_t size;
    unsigned char bytes[FRAME_SIZE];
};

struct queue {
    struct frame *slot[FRAMES_MAX];
    unsigned head, tail;
};

static struct {
    struct netif netif[HOST_COUNT];
    struct queue to[HOST_COUNT];
    struct frame frames[FRAMES_MAX];
    struct frame *free_list;
    struct lwip_link_stats stats;
} lk;

static void frame_release(struct pbuf *p)
{
    struct frame *f = (struct frame *)p;

    f->next_free = lk.free_list;
    lk.free_list = f;
}

static err_t link_output(struct netif *from, struct pbuf *p)
{
    struct queue *q = &lk.to[from == &lk.netif[HOST_CLIENT] ? HOST_SERVER : HOST_CLIENT];
    struct frame *f = lk.free_list;

    if (f == NULL || p->tot_len > FRAME_SIZE) {
        lk.stats.drops++;
        return ERR_MEM;
    }
    lk.free_list = f->next_free;
    if (p->next == NULL)
        memcpy(f->bytes, p->payload, p->len);
    else
        pbuf_copy_partial(p, f->bytes, p->tot_len, 0);
    f->size = p->tot_len;
    q->slot[q->tail++ & (FRAMES_MAX - 1)] = f; /* as many slots as frames: never full */
    lk.stats.frames++;
    lk.stats.bytes += f->size;
    if (f->size >= 1500)
        lk.stats.full_frames++;
    return ERR_OK;
}

static err_t link_output_ip(struct netif *from, struct pbuf *p, const ip4_addr_t *to)
{
    (void)to;
    return link_output(from, p);
}

static void deliver(enum lwip_host host)
{
    struct queue *q = &lk.to[host];

    for (unsigned end = q->tail; q->head != end;) {
        struct frame *f = q->slot[q->head++ & (FRAMES_MAX - 1)];
        struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, f->size, PBUF_REF, &f->pbuf, f->bytes,
                                             FRAME_SIZE);

        if (lk.netif[host].input(p, &lk.netif[host]) != ERR_OK)
            pbuf_free(p);
    }
}

bool lwip_link_poll(void)
{
    uint64_t before = lk.stats.frames;
    bool any = lk.to[HOST_SERVER].head != lk.to[HOST_SERVER].tail ||
               lk.to[HOST_CLIENT].head != lk.to[HOST_CLIENT].tail;

    deliver(HOST_SERVER);
    deliver(HOST_CLIENT);
    return any || lk.stats.frames != before;
}

static err_t netif_setup(struct netif *n)
{
    bool ethernet = n->state != NULL;

    n->name[0] = 'w';
    n->name[1] = 'b';
    n->mtu = 1500;
    n->linkoutput = link_output;
    n->output = ethernet ? etharp_output : link_output_ip;
    n->flags = NETIF_FLAG_LINK_UP;
    if (ethernet) {
        n->flags |= NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_BROADCAST;
        n->hwaddr_len = ETH_HWADDR_LEN;
        n->hwaddr[0] = 2; /* locally administered */
        n->hwaddr[5] = (u8_t)(1 + (n - lk.netif));
    }
    return ERR_OK;
}

void lwip_link_init(bool ethernet)
{
    for (size_t i = 0; i < FRAMES_MAX; i++) {
        lk.frames[i].pbuf.custom_free_function = frame_release;
        frame_release(&lk.frames[i].pbuf.pbuf);
    }
    for (int h = 0; h < HOST_COUNT; h++) {
        struct netif *n = &lk.netif[h];
        ip4_addr_t address, mask, gateway;

        IP4_ADDR(&address, 10, 0, 0, (u8_t)(1 + h));
        IP4_ADDR(&mask, 255, 255, 255, 0);
        IP4_ADDR(&gateway, 0, 0, 0, 0);
        netif_add(n, &address, &mask, &gateway, ethernet ? n : NULL, netif_setup,
                  ethernet ? ethernet_input : ip4_input);
        netif_set_up(n);
    }
    while (lwip_link_poll())
        ; /* the gratuitous ARPs */
}

struct netif *lwip_link_netif(enum lwip_host host)
{
    return &lk.netif[host];
}

const ip_addr_t *lwip_link_address(enum lwip_host host)
{
    return &lk.netif[host].ip_addr;
}

const struct lwip_link_stats *lwip_link_stats(void)
{
    return &lk.stats;
}
