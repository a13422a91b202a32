/* The header before each frame that tells kernel and driver of superframes and partial checksums.
 *
 * Knows: struct virtio_net_hdr, where TCP's flags lie. Shape: pure.
 * Units: bytes. Errors: none; what makes no sense is the stack's to judge. Cost: some stores. */
#include "drivers/vnet.h"

#define ETHER_TYPE_AT 12
#define TCP_FLAGS_AT 13u
#define TCP_CWR 0x80

static bool is_tcp(const struct virtio_net_hdr *h)
{
    uint8_t gso = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

    return gso == VIRTIO_NET_HDR_GSO_TCPV4 || gso == VIRTIO_NET_HDR_GSO_TCPV6;
}

bool vnet_is_known(const struct virtio_net_hdr *h)
{
    return h->gso_type == VIRTIO_NET_HDR_GSO_NONE || is_tcp(h);
}

void vnet_to_frame(struct weir_frame *f, const struct virtio_net_hdr *h)
{
    f->parts = 1;
    if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        f->flags = WEIR_CSUM_PARTIAL;
        f->csum_start = h->csum_start;
        f->csum_offset = h->csum_offset;
    } else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        f->flags = WEIR_CSUM_VALID;
    }
    if (is_tcp(h))
        f->gso_size = h->gso_size;
}

/* A superframe's kind. The kernel refuses a segment with CWR in it unless it is marked as ECN. */
static uint8_t gso_type(const struct weir_frame *f)
{
    const uint8_t *p = f->part[0].data;
    uint8_t type = VIRTIO_NET_HDR_GSO_TCPV4;

    if (p[ETHER_TYPE_AT] == 0x86 && p[ETHER_TYPE_AT + 1] == 0xdd)
        type = VIRTIO_NET_HDR_GSO_TCPV6;
    if (f->csum_start + TCP_FLAGS_AT < f->part[0].len && p[f->csum_start + TCP_FLAGS_AT] & TCP_CWR)
        type |= VIRTIO_NET_HDR_GSO_ECN;
    return type;
}

void vnet_of_frame(struct virtio_net_hdr *h, const struct weir_frame *f)
{
    *h = (struct virtio_net_hdr){0};
    if (f->flags & WEIR_CSUM_PARTIAL) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = f->csum_start;
        h->csum_offset = f->csum_offset;
    }
    if (f->gso_size) {
        h->gso_type = gso_type(f);
        h->gso_size = f->gso_size;
        h->hdr_len = f->hdr_len;
    }
}
