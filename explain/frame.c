/* Link, IPv4 and IPv6 headers of captures.
 *
 * Knows: LINKTYPE_ numbers, VLAN tags, extension headers. Shape: lenient where captures lie: IP
 * checksums that the card fills in later are not judged, an IP length of 0 is a superframe, and a
 * packet may be cut behind its TCP header. Units: bytes. Errors: what kind of frame it is instead.
 * Cost: O(headers). */
#include "explain/frame.h"

#include "base/bytes.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276
};
#define TAGS_MAX 4
#define EXTENSIONS_MAX 8

const char *link_name(uint16_t link)
{
    switch (link) {
    case LINK_NULL:
    case LINK_LOOP:
        return "loopback";
    case LINK_ETHERNET:
        return "Ethernet";
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return "IP";
    case LINK_SLL:
    case LINK_SLL2:
        return "Linux cooked";
    default:
        return NULL;
    }
}

/* What is left of the packet. */
struct rest {
    const uint8_t *p;
    size_t n, wire;
};

static bool skip(struct rest *r, size_t n)
{
    if (r->n < n)
        return false;
    r->p += n;
    r->n -= n;
    r->wire = r->wire > n ? r->wire - n : 0;
    return true;
}

/* Behind an EtherType: tags, then IP. */
static enum frame_kind skip_tags(struct rest *r, uint16_t type)
{
    for (int i = 0; i < TAGS_MAX && (type == 0x8100 || type == 0x88a8 || type == 0x9100); i++) {
        if (r->n < 4)
            return FRAME_SHORT;
        type = get16(r->p + 2);
        skip(r, 4);
    }
    return type == ETH_TYPE_IP4 || type == ETH_TYPE_IP6 ? FRAME_TCP : FRAME_OTHER;
}

/* To the IP header. */
static enum frame_kind skip_link(struct rest *r, uint16_t link)
{
    const uint8_t *p = r->p;

    switch (link) {
    case LINK_ETHERNET:
        return skip(r, 14) ? skip_tags(r, get16(p + 12)) : FRAME_SHORT;
    case LINK_SLL:
        return skip(r, 16) ? skip_tags(r, get16(p + 14)) : FRAME_SHORT;
    case LINK_SLL2:
        return skip(r, 20) ? skip_tags(r, get16(p)) : FRAME_SHORT;
    case LINK_NULL:
    case LINK_LOOP:
        return skip(r, 4) ? FRAME_TCP : FRAME_SHORT;
    default:
        return link_name(link) ? FRAME_TCP : FRAME_UNKNOWN_LINK;
    }
}

static struct weir_addr addr4(const uint8_t *p)
{
    return weir_addr_v4(get32(p));
}

static enum frame_kind read_ip4(struct segment *s, struct rest *r)
{
    const uint8_t *p = r->p;
    size_t head = (size_t)(p[0] & 15) * 4, total;

    if (head < IP4_LEN || r->n < head)
        return FRAME_SHORT;
    if (p[9] != PROTO_TCP)
        return FRAME_OTHER;
    if (get16(p + 6) & 0x1fff)
        return FRAME_FRAGMENT;
    total = get16(p + 2);
    if (total)
        r->wire = total;
    s->ttl = p[8];
    s->src = addr4(p + 12);
    s->dst = addr4(p + 16);
    return skip(r, head) ? FRAME_TCP : FRAME_SHORT;
}

static enum frame_kind read_ip6(struct segment *s, struct rest *r)
{
    const uint8_t *p = r->p;
    uint8_t next;

    if (r->n < 40)
        return FRAME_SHORT;
    next = p[6];
    if (get16(p + 4))
        r->wire = 40u + get16(p + 4);
    s->ttl = p[7];
    for (int i = 0; i < 16; i++) {
        s->src.b[i] = p[8 + i];
        s->dst.b[i] = p[24 + i];
    }
    skip(r, 40);
    for (int i = 0; i < EXTENSIONS_MAX && next != PROTO_TCP; i++) {
        size_t len = next == 44 ? 8 : r->n >= 2 ? 8u + 8u * r->p[1] : 0;
        if (next != 0 && next != 43 && next != 44 && next != 60)
            return FRAME_OTHER;
        if (r->n < len || len < 8)
            return FRAME_SHORT;
        if (next == 44 && get16(r->p + 2) & 0xfff8)
            return FRAME_FRAGMENT;
        next = r->p[0];
        skip(r, len);
    }
    return next == PROTO_TCP ? FRAME_TCP : FRAME_OTHER;
}

enum frame_kind frame_read(struct segment *s, const struct packet *p)
{
    struct rest r = {p->data, p->len, p->wire_len > p->len ? p->wire_len : p->len};
    enum frame_kind kind = skip_link(&r, p->link);
    int head;

    if (kind != FRAME_TCP)
        return kind;
    if (!r.n)
        return FRAME_SHORT;
    if (r.p[0] >> 4 == 4)
        kind = r.n >= IP4_LEN ? read_ip4(s, &r) : FRAME_SHORT;
    else
        kind = r.p[0] >> 4 == 6 ? read_ip6(s, &r) : FRAME_OTHER;
    if (kind != FRAME_TCP)
        return kind;
    head = tcp_parse(&s->h, r.p, r.n);
    if (head < 0)
        return FRAME_SHORT;
    s->len = r.wire > (size_t)head ? (uint32_t)(r.wire - (size_t)head) : 0;
    s->iface = p->link == LINK_SLL2 ? get32(p->data + 4) : p->iface;
    s->at_ns = p->at_ns;
    s->number = p->number;
    return FRAME_TCP;
}
