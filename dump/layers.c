/* One packet opened layer by layer: every field with its place, its bytes and its meaning.
 *
 * Knows: the headers of Ethernet, ARP, IP, ICMP, UDP, TCP. Shape: a heading for each layer, a row
 * for each field; what is left is data. Units: offsets are bytes from the frame's first. Errors: a
 * layer that is cut short says so and ends. Cost: O(headers). */
#include <stdarg.h>
#include <stdio.h>

#include "dump/print.h"
#include "wire/wire.h"

#define BYTES_SHOWN 6u

struct opened {
    struct dump *d;
    const uint8_t *frame;
    struct view v; /* what is left: its first byte is the layer's */
    struct inet in;
    const char *why; /* NULL, or why nothing more is opened */
};

/* A field, in bytes from the layer's first. */
struct place {
    uint32_t offset, len;
};
#define AT(offset, len) ((struct place){offset, len})

/* -- a heading, a row -------------------------------------------------------------------------- */

static bool open_layer(struct opened *o, const char *name, uint32_t len)
{
    if (o->v.n < len) {
        fprintf(o->d->to, "    %s: cut short, %u of %u bytes are here\n", name, o->v.n, len);
        o->v.n = 0;
        o->why = "";
        return false;
    }
    fprintf(o->d->to, "    %s\n", name);
    return true;
}

static void begin_row(const struct opened *o, struct place at, const char *name)
{
    const uint8_t *p = o->v.p + at.offset;

    fprintf(o->d->to, "    %5u  ", (unsigned)(p - o->frame));
    for (uint32_t i = 0; i < BYTES_SHOWN; i++)
        fprintf(o->d->to, i < at.len ? "%02x " : "   ", i < at.len ? p[i] : 0u);
    fprintf(o->d->to, "%-17s ", name);
}

__attribute__((format(printf, 4, 5))) static void row(struct opened *o, struct place at,
                                                      const char *name, const char *meaning, ...)
{
    va_list ap;

    begin_row(o, at, name);
    va_start(ap, meaning);
    vfprintf(o->d->to, meaning, ap);
    va_end(ap);
    fputc('\n', o->d->to);
}

static void row_addr(struct opened *o, uint32_t at, bool is_v6, const char *name)
{
    struct weir_addr a;
    char text[WEIR_ADDR_TEXT];

    if (is_v6)
        for (int i = 0; i < 16; i++)
            a.b[i] = o->v.p[at + (uint32_t)i];
    else
        a = weir_addr_v4(get32(o->v.p + at));
    row(o, AT(at, is_v6 ? 16 : 4), name, "%s", weir_addr_text(&a, text));
}

static void row_mac(struct opened *o, uint32_t at, const char *name)
{
    const uint8_t *m = o->v.p + at;
    const char *kind = m[0] & 1 ? " (a group)" : "";

    if ((m[0] & m[1] & m[2] & m[3] & m[4] & m[5]) == 0xff)
        kind = " (everybody)";
    row(o, AT(at, 6), name, "%02x:%02x:%02x:%02x:%02x:%02x%s", m[0], m[1], m[2], m[3], m[4], m[5],
        kind);
}

static void row_sum(struct opened *o, uint32_t at, uint16_t lacks, bool is_known)
{
    uint16_t has = get16(o->v.p + at);

    if (!is_known)
        row(o, AT(at, 2), "checksum", "0x%04x, of bytes that are not all here", has);
    else if (lacks)
        row(o, AT(at, 2), "checksum", "0x%04x is wrong: 0x%04x", has, sum_mended(has, lacks));
    else
        row(o, AT(at, 2), "checksum", "0x%04x, right", has);
}

static void leave(struct opened *o, uint32_t len)
{
    o->v = view_from(o->v, len);
}

/* -- the link ---------------------------------------------------------------------------------- */

static const char *type_name(uint16_t type)
{
    static const struct word names[] = {{ETH_TYPE_IP4, "IPv4"},    {ETH_TYPE_ARP, "ARP"},
                                        {ETH_TYPE_RARP, "RARP"},   {ETH_TYPE_IP6, "IPv6"},
                                        {ETH_TYPE_VLAN, "802.1Q"}, {0, NULL}};
    const char *name = word_of(names, type);

    return name ? name : "unknown";
}

/* The type of what follows. */
static uint16_t open_ether(struct opened *o)
{
    uint16_t type;

    if (!open_layer(o, "Ethernet frame, 14 bytes of header", ETH_LEN))
        return 0;
    type = get16(o->v.p + 12);
    row_mac(o, 0, "destination");
    row_mac(o, 6, "source");
    if (type >= ETH_TYPE_MIN)
        row(o, AT(12, 2), "type", "0x%04x, %s", type, type_name(type));
    else
        row(o, AT(12, 2), "length", "%u bytes: IEEE 802.3", type);
    leave(o, ETH_LEN);
    if (type >= ETH_TYPE_MIN)
        return type;
    o->v = view_to(o->v, type);
    if (!open_layer(o, "LLC and SNAP, 8 bytes", 8))
        return 0;
    row(o, AT(0, 3), "DSAP SSAP control",
        get16(o->v.p) == 0xaaaa ? "SNAP, unnumbered" : "not SNAP");
    if (get16(o->v.p) != 0xaaaa)
        return 0;
    type = get16(o->v.p + 6);
    row(o, AT(3, 3), "organization", "%02x-%02x-%02x", o->v.p[3], o->v.p[4], o->v.p[5]);
    row(o, AT(6, 2), "type", "0x%04x, %s", type, type_name(type));
    leave(o, 8);
    return type;
}

static uint16_t open_link(struct opened *o, const struct packet *p)
{
    uint32_t len = link_len(p);

    if (len == ETH_LEN)
        return open_ether(o);
    if (len == 4 && o->v.n >= 4) {
        fputs("    loopback, 4 bytes of header\n", o->d->to);
        row(o, AT(0, 4), "family", "of the capture, not of the wire");
    }
    leave(o, len);
    if (o->v.n == 0)
        return 0;
    return o->v.p[0] >> 4 == 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4;
}

static void open_arp(struct opened *o)
{
    static const struct word ops[] = {{1, "request: who has the target address?"},
                                      {2, "reply: the sender has it"},
                                      {3, "reverse request: what is my address?"},
                                      {4, "reverse reply: it is the target's"},
                                      {0, NULL}};
    const char *op;

    if (!open_layer(o, "ARP, 28 bytes", 28))
        return;
    op = word_of(ops, get16(o->v.p + 6));
    row(o, AT(0, 2), "hardware", "%u%s", get16(o->v.p), get16(o->v.p) == 1 ? ", Ethernet" : "");
    row(o, AT(2, 2), "protocol", "0x%04x, %s", get16(o->v.p + 2), type_name(get16(o->v.p + 2)));
    row(o, AT(4, 2), "lengths", "%u and %u bytes", o->v.p[4], o->v.p[5]);
    row(o, AT(6, 2), "operation", "%u, %s", get16(o->v.p + 6), op ? op : "unknown");
    row_mac(o, 8, "sender hardware");
    row_addr(o, 14, false, "sender protocol");
    row_mac(o, 18, "target hardware");
    row_addr(o, 24, false, "target protocol");
    leave(o, 28);
}

/* -- the network ------------------------------------------------------------------------------- */

static const char *proto_name(uint8_t proto)
{
    static const struct word names[] = {{PROTO_ICMP, "ICMP"},    {PROTO_IGMP, "IGMP"},
                                        {PROTO_TCP, "TCP"},      {PROTO_UDP, "UDP"},
                                        {PROTO_ICMP6, "ICMPv6"}, {0, NULL}};
    const char *name = proto ? word_of(names, proto) : "hop-by-hop options";

    return name ? name : proto == 44 ? "fragment" : "unknown";
}

static void row_fragment(struct opened *o, uint16_t off)
{
    row(o, AT(6, 2), "flags, offset", "%s%s%s, byte %u of the datagram",
        off & 0x8000 ? "reserved " : "", off & 0x4000 ? "don't fragment" : "may be fragmented",
        off & 0x2000 ? ", more fragments" : "", (off & 0x1fff) * 8);
}

static uint8_t open_ip4(struct opened *o)
{
    static const char *const ecn[] = {"not ECN-capable", "ECT(1)", "ECT(0)",
                                      "CE: congestion was met"};
    const uint8_t *p = o->v.p;
    uint32_t head, total;

    if (!open_layer(o, "IP datagram, version 4", IP4_LEN))
        return 0;
    head = (p[0] & 15) * 4u;
    total = get16(p + 2) ? get16(p + 2) : o->v.wire;
    row(o, AT(0, 1), "version, IHL", "%u; %u words, %u bytes of header", p[0] >> 4, p[0] & 15,
        head);
    row(o, AT(1, 1), "DSCP, ECN", "%u; %s", p[1] >> 2, ecn[p[1] & 3]);
    row(o, AT(2, 2), "total length", "%u bytes%s", total, get16(p + 2) ? "" : " (0: a superframe)");
    row(o, AT(4, 2), "identification", "%u", get16(p + 4));
    row_fragment(o, get16(p + 6));
    row(o, AT(8, 1), "time to live", "%u routers more", p[8]);
    row(o, AT(9, 1), "protocol", "%u, %s", p[9], proto_name(p[9]));
    row_sum(o, 10, bytes_sum(p, head <= o->v.n ? head : IP4_LEN),
            head >= IP4_LEN && head <= o->v.n);
    row_addr(o, 12, false, "source");
    row_addr(o, 16, false, "destination");
    if (head < IP4_LEN || head > o->v.n)
        return 0;
    if (head > IP4_LEN)
        row(o, AT(IP4_LEN, head - IP4_LEN), "options", "%u bytes", head - IP4_LEN);
    o->in = (struct inet){.src = p + 12, .dst = p + 16, .proto = p[9], .ttl = p[8]};
    o->in.is_fragment = get16(p + 6) & 0x3fff;
    o->v = view_from(view_to(o->v, total), head);
    if (get16(p + 6) & 0x1fff)
        o->why = "the rest of a fragment: its header was in the first one";
    return p[9];
}

static uint8_t open_ip6(struct opened *o)
{
    const uint8_t *p = o->v.p;
    uint32_t word;

    if (!open_layer(o, "IP datagram, version 6, 40 bytes of header", 40))
        return 0;
    word = get32(p);
    row(o, AT(0, 4), "version and class", "%u; traffic class 0x%02x, flow label 0x%05x", word >> 28,
        word >> 20 & 0xff, word & 0xfffff);
    row(o, AT(4, 2), "payload length", "%u bytes", get16(p + 4));
    row(o, AT(6, 1), "next header", "%u, %s", p[6], proto_name(p[6]));
    row(o, AT(7, 1), "hop limit", "%u routers more", p[7]);
    row_addr(o, 8, true, "source");
    row_addr(o, 24, true, "destination");
    o->in = (struct inet){.is_v6 = true, .src = p + 8, .dst = p + 24, .proto = p[6], .ttl = p[7]};
    o->v = view_from(o->v, 40);
    if (get16(p + 4))
        o->v = view_to(o->v, get16(p + 4));
    return p[6];
}

/* Past extension headers, each in a row. */
static uint8_t open_extensions(struct opened *o, uint8_t next)
{
    while (next == 0 || next == 43 || next == 44 || next == 60) {
        uint32_t len = o->v.n < 8 ? 8 : next == 44 ? 8 : 8u + 8u * o->v.p[1];
        uint8_t kind = next;
        if (!open_layer(o, "extension header", len))
            return 255;
        row(o, AT(0, len), "next header", "%u, %s", o->v.p[0], proto_name(o->v.p[0]));
        if (kind == 44)
            row(o, AT(2, 2), "offset, more", "byte %u; %s", get16(o->v.p + 2) & 0xfff8,
                o->v.p[3] & 1 ? "more fragments" : "the last one");
        if (kind == 44 && get16(o->v.p + 2) & 0xfff8)
            o->why = "the rest of a fragment: its header was in the first one";
        o->in.is_fragment |= kind == 44;
        next = o->in.proto = o->v.p[0];
        leave(o, len);
    }
    return next;
}

/* -- the transport ----------------------------------------------------------------------------- */

static bool is_whole(const struct opened *o)
{
    return o->v.n >= o->v.wire && !o->in.is_fragment;
}

static void open_udp(struct opened *o)
{
    const uint8_t *p = o->v.p;

    if (!open_layer(o, "UDP datagram, 8 bytes of header", 8))
        return;
    row(o, AT(0, 2), "source port", "%u", get16(p));
    row(o, AT(2, 2), "destination port", "%u", get16(p + 2));
    row(o, AT(4, 2), "length", "%u bytes, %u without the header", get16(p + 4), get16(p + 4) - 8u);
    if (get16(p + 6) == 0)
        row(o, AT(6, 2), "checksum", "none");
    else
        row_sum(o, 6, transport_sum(&o->in, o->v), is_whole(o));
    leave(o, 8);
}

static void open_icmp(struct opened *o, bool is_v6)
{
    const uint8_t *p = o->v.p;
    uint16_t lacks;
    bool is_echo;

    if (!open_layer(o, is_v6 ? "ICMPv6 message" : "ICMP message", 8))
        return;
    is_echo = is_v6 ? p[0] == 128 || p[0] == 129 : p[0] == 8 || p[0] == 0;
    lacks = is_v6 ? transport_sum(&o->in, o->v) : bytes_sum(p, o->v.n);
    row(o, AT(0, 1), "type", "%u%s", p[0], is_echo ? ", echo" : "");
    row(o, AT(1, 1), "code", "%u", p[1]);
    row_sum(o, 2, lacks, is_whole(o));
    if (is_echo) {
        row(o, AT(4, 2), "identifier", "%u", get16(p + 4));
        row(o, AT(6, 2), "sequence number", "%u", get16(p + 6));
    } else {
        row(o, AT(4, 4), "rest of header", "%u", get32(p + 4));
    }
    leave(o, 8);
}

static void row_flags(struct opened *o, uint8_t flags)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    char text[40] = "";
    size_t n = 0;

    for (int i = 0; i < 8; i++)
        if (flags & 1 << i)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", names[i]);
    row(o, AT(13, 1), "flags", "%s", n ? text : "none");
}

/* Each option with its bytes; the words are those of the line above. */
static void rows_options(struct opened *o, uint32_t head)
{
    for (uint32_t at = 20; at < head;) {
        uint8_t kind = o->v.p[at];
        uint32_t len = kind <= 1 ? 1 : at + 1 < head ? o->v.p[at + 1] : 0;
        if (len == 0 || at + len > head || (kind > 1 && len < 2)) {
            row(o, AT(at, head - at), "option", "broken");
            return;
        }
        begin_row(o, AT(at, len), "option");
        print_tcp_options(o->d, view_to(view_from(o->v, at), len), 0);
        fputc('\n', o->d->to);
        if (kind == 0)
            return;
        at += len;
    }
}

static void open_tcp(struct opened *o)
{
    const uint8_t *p = o->v.p;
    uint32_t head;

    if (!open_layer(o, "TCP segment", 20))
        return;
    head = (p[12] >> 4) * 4u;
    row(o, AT(0, 2), "source port", "%u", get16(p));
    row(o, AT(2, 2), "destination port", "%u", get16(p + 2));
    row(o, AT(4, 4), "sequence number",
        p[13] & 2 ? "%u: the SYN's own; data begins one behind it"
                  : "%u: of the first byte of data",
        get32(p + 4));
    row(o, AT(8, 4), "acknowledgment",
        p[13] & 16 ? "%u: all bytes before it came" : "%u: not in use", get32(p + 8));
    row(o, AT(12, 1), "data offset", "%u words, %u bytes of header", head / 4, head);
    row_flags(o, p[13]);
    row(o, AT(14, 2), "window", "%u%s", get16(p + 14),
        p[13] & 2 ? " bytes" : ", times 2 to the connection's window scale");
    row_sum(o, 16, transport_sum(&o->in, o->v), is_whole(o));
    row(o, AT(18, 2), "urgent pointer", p[13] & 32 ? "%u" : "%u: not in use", get16(p + 18));
    if (head >= 20 && head <= o->v.n)
        rows_options(o, head);
    leave(o, head);
}

static void open_transport(struct opened *o, uint8_t proto)
{
    switch (proto) {
    case PROTO_TCP:
        open_tcp(o);
        break;
    case PROTO_UDP:
        open_udp(o);
        break;
    case PROTO_ICMP:
        open_icmp(o, false);
        break;
    case PROTO_ICMP6:
        open_icmp(o, true);
        break;
    default:
        break;
    }
}

void print_layers(struct dump *d, const struct packet *p)
{
    struct opened o = {.d = d, .frame = p->data, .v = {p->data, p->len, p->wire_len}};
    uint16_t type = open_link(&o, p);
    uint8_t proto = 255;

    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP)
        open_arp(&o);
    else if (type == ETH_TYPE_IP4 && o.v.n)
        proto = open_ip4(&o);
    else if (type == ETH_TYPE_IP6 && o.v.n)
        proto = open_extensions(&o, open_ip6(&o));
    if (proto != 255 && !o.why)
        open_transport(&o, proto);
    if (o.v.wire && o.why != NULL && *o.why)
        fprintf(d->to, "    data, %u bytes: %s\n", o.v.wire, o.why);
    else if (o.v.wire && !o.why)
        fprintf(d->to, "    %s, %u bytes\n",
                type == ETH_TYPE_ARP || type == ETH_TYPE_RARP ? "padding" : "data", o.v.wire);
    if ((uint32_t)(o.v.p - p->data) + o.v.n < p->len && type != ETH_TYPE_ARP)
        fprintf(d->to, "    padding, %u bytes\n", p->len - (uint32_t)(o.v.p - p->data) - o.v.n);
    fputc('\n', d->to);
}
