/* The older format: a header, then records.
 *
 * Knows: its layout; see the format's draft, draft-ietf-opsawg-pcap. Shape: the magic number tells
 * the byte order and whether fractions are us or ns. Units: ns out. Errors: trouble.
 * Cost: O(record). */
#include "capfile/capfile.h"

#include <string.h>

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define RECORD 16

bool cap_pcap_begin(struct file *f, const uint8_t magic[4])
{
    uint8_t rest[20];
    uint32_t own;

    memcpy(&own, magic, sizeof own);
    f->is_swapped = own == __builtin_bswap32(MAGIC_US) || own == __builtin_bswap32(MAGIC_NS);
    own = f->is_swapped ? __builtin_bswap32(own) : own;
    if ((own != MAGIC_US && own != MAGIC_NS) || !cap_read(f, rest, sizeof rest))
        return false;
    f->format = own == MAGIC_NS ? "pcap (ns)" : "pcap";
    f->frac_ns = own == MAGIC_NS ? 1 : 1000;
    f->iface[0].link = (uint16_t)cap32(f, rest + 16); /* the upper bits tell of an FCS */
    f->ifaces = 1;
    return true;
}

bool cap_pcap_next(struct file *f, struct packet *p)
{
    uint8_t h[RECORD];
    size_t n = fread(h, 1, sizeof h, f->stream);

    f->at += n;
    if (n == 0 && !ferror(f->stream))
        return false;
    if (n != sizeof h) {
        cap_trouble(f, "it is cut short");
        return false;
    }
    p->len = cap32(f, h + 8);
    p->wire_len = cap32(f, h + 12);
    p->at_ns = (int64_t)cap32(f, h) * 1000000000 + (int64_t)(cap32(f, h + 4) * f->frac_ns);
    p->iface = 0;
    p->link = f->iface[0].link;
    p->notes = 0;
    if (!cap_block(f, p->len))
        return false;
    p->data = f->block;
    return true;
}
