/* pcapng: blocks, some of which are packets.
 *
 * Knows: the layout, draft-ietf-opsawg-pcapng. Shape: a section begins a byte order and a list of
 * interfaces; each interface has a link type and a unit of time; blocks of other kinds are passed
 * over. Units: ns out. Errors: trouble; a packet of an interface that is not there is damage.
 * Cost: O(block). */
#include "capfile/capfile.h"

#include <string.h>

enum { IDB = 1, PB = 2, SPB = 3, EPB = 6 };
#define SHB 0x0a0d0d0au
#define ORDER 0x1a2b3c4du
#define BLOCK_MIN 12

/* A section: the type was read; its length can be read once its byte order is known. */
static bool begin_section(struct file *f)
{
    uint8_t h[8];
    uint32_t order, len;

    if (!cap_read(f, h, sizeof h))
        return false;
    memcpy(&order, h + 4, sizeof order);
    f->is_swapped = order == __builtin_bswap32(ORDER);
    if (order != ORDER && !f->is_swapped) {
        cap_trouble(f, "it is damaged: a section has no byte order");
        return false;
    }
    f->ifaces = 0;
    len = cap32(f, h);
    if (len < BLOCK_MIN + 16) {
        cap_trouble(f, "it is damaged: a section is too short");
        return false;
    }
    return cap_block(f, len - BLOCK_MIN);
}

static uint64_t units_of(uint8_t resolution)
{
    uint64_t n = 1;

    for (int i = 0; i < (resolution & 0x7f) && n < UINT64_MAX / 10; i++)
        n *= resolution & 0x80 ? 2 : 10;
    return n;
}

static void read_options(const struct file *f, struct file_iface *i, const uint8_t *p, size_t n)
{
    while (n >= 4) {
        uint16_t code = cap16(f, p), len = cap16(f, p + 2);
        size_t step = 4 + ((size_t)len + 3) / 4 * 4;
        if (code == 0 || step > n)
            return;
        if (code == 9 && len >= 1)
            i->per_s = units_of(p[4]);
        if (code == 14 && len >= 8)
            i->offset_s = (int64_t)((uint64_t)cap32(f, p + 4 + (f->is_swapped ? 0 : 4)) << 32 |
                                    cap32(f, p + 4 + (f->is_swapped ? 4 : 0)));
        p += step;
        n -= step;
    }
}

static void add_iface(struct file *f, uint32_t n)
{
    struct file_iface *i = &f->iface[f->ifaces];

    if (f->ifaces == FILE_IFACES || n < 8) {
        cap_trouble(f, "it names more interfaces than are read, or a damaged one");
        return;
    }
    f->ifaces++;
    *i = (struct file_iface){.link = cap16(f, f->block), .per_s = 1000000};
    read_options(f, i, f->block + 8, n - 8);
}

static int64_t instant_of(const struct file_iface *i, uint64_t units)
{
    uint64_t s = units / i->per_s, rest = units % i->per_s;

    return ((int64_t)s + i->offset_s) * 1000000000 +
           (int64_t)((double)rest * 1e9 / (double)i->per_s + 0.5);
}

/* The comments among a packet's n bytes of options. */
static void read_notes(const struct file *f, struct packet *p, const uint8_t *o, uint32_t n)
{
    while (n >= 4 && p->notes < FILE_NOTES) {
        uint32_t code = cap16(f, o), len = cap16(f, o + 2), step = 4 + (len + 3) / 4 * 4;
        if (code == 0 || step > n)
            return;
        if (code == 1) { /* opt_comment */
            p->note[p->notes] = (const char *)o + 4;
            p->note_len[p->notes++] = (uint16_t)len;
        }
        o += step;
        n -= step;
    }
}

/* Where the bytes begin, and how they are told. False: damage. */
static bool read_packet(struct file *f, uint32_t type, uint32_t n, struct packet *p)
{
    uint32_t head = type == SPB ? 4 : 20, iface = 0, padded;
    const uint8_t *b = f->block;
    bool is_there = n >= head;

    if (is_there && type != SPB) {
        iface = type == EPB ? cap32(f, b) : cap16(f, b);
        p->len = cap32(f, b + 12);
        p->wire_len = cap32(f, b + 16);
    } else if (is_there) {
        p->wire_len = cap32(f, b);
        p->len = p->wire_len < n - 4 ? p->wire_len : n - 4;
    }
    if (!is_there || iface >= f->ifaces || p->len > n - head) {
        cap_trouble(f, "it is damaged: a packet block does not fit");
        return false;
    }
    p->iface = iface;
    p->link = f->iface[iface].link;
    p->notes = 0;
    padded = (p->len + 3) / 4 * 4;
    if (type == EPB && padded < n - head)
        read_notes(f, p, b + head + padded, n - head - padded);
    p->data = b + head;
    p->at_ns = f->last_ns;
    if (type != SPB)
        p->at_ns = instant_of(&f->iface[iface], (uint64_t)cap32(f, b + 4) << 32 | cap32(f, b + 8));
    return true;
}

/* The block's type: the first one is known already. 0: the end, or trouble. */
static uint32_t next_type(struct file *f)
{
    uint8_t t[4];
    size_t n;

    if (f->at == 4)
        return SHB;
    n = fread(t, 1, sizeof t, f->stream);
    f->at += n;
    if (n && n < sizeof t)
        cap_trouble(f, "it is cut short");
    return n == sizeof t ? cap32(f, t) : 0;
}

/* The body into f->block, and its length. False: trouble. */
static bool read_body(struct file *f, uint32_t *n)
{
    uint8_t len[4];

    if (!cap_read(f, len, sizeof len))
        return false;
    *n = cap32(f, len);
    if (*n < BLOCK_MIN || *n % 4) {
        cap_trouble(f, "it is damaged: a block has an impossible length");
        return false;
    }
    if (!cap_block(f, *n - 8))
        return false;
    *n -= BLOCK_MIN;
    if (cap32(f, f->block + *n) == *n + BLOCK_MIN)
        return true;
    cap_trouble(f, "it is damaged: the two lengths of a block differ");
    return false;
}

bool cap_pcapng_next(struct file *f, struct packet *p)
{
    uint32_t type, n;

    while ((type = next_type(f))) {
        if (type == SHB) {
            if (!begin_section(f))
                return false;
            continue;
        }
        if (!read_body(f, &n))
            return false;
        if (type == IDB)
            add_iface(f, n);
        else if (type == EPB || type == SPB || type == PB)
            return read_packet(f, type, n, p);
        if (f->trouble[0])
            return false;
    }
    return false;
}
