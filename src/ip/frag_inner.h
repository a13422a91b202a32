/* What the files of reassembly share.
 *
 * Knows: frag.h. Shape: a datagram is in the table by key, on the list of all in the order of
 * beginning, and on that of its source. */
#ifndef IP_FRAG_INNER_H
#define IP_FRAG_INNER_H

#include "ip/inner.h"

#define DATAGRAM_MAX 65535
#define UNIT 8 /* bytes of an offset's step */
#define PAGE_UNITS 252
#define PAGE_BYTES (PAGE_UNITS * UNIT)
#define PAGES ((DATAGRAM_MAX + PAGE_BYTES - 1) / PAGE_BYTES)

struct page {
    uint64_t have[4]; /* bit by unit */
    uint8_t data[PAGE_BYTES];
};

struct datagram {
    struct list_node order, of_source;
    struct weir_addr src, dst;
    int64_t began_us;
    uint32_t hash, source;
    uint32_t end;      /* bytes behind the header, 0: the last fragment did not come yet */
    uint32_t furthest; /* byte that came, plus 1 */
    uint32_t units;    /* that came */
    uint32_t first_len;
    uint32_t id;
    uint8_t proto, ifindex;
    uint8_t ecns;    /* bit by codepoint that came: 3168#5.3 */
    uint8_t hdr_len; /* of the first fragment, 0: it did not come yet */
    bool is_group, is_v6;
    bool is_refused; /* overlapped: nothing of it is taken any more */
    uint8_t hdr[IP4_HDR_MAX];
    struct page *page[PAGES];
};

_Static_assert(sizeof(struct page) == 2048, "a page is one block of the allocator");

static inline struct datagram *datagram_at(const struct frags *f, uint32_t index)
{
    return pool_at(&f->datagrams, index);
}

/* The datagram of this fragment, 0: there is none; *hash is for datagram_begin. */
uint32_t datagram_find(const struct frags *f, const struct frag_in *in, uint32_t *hash);
/* A new one; 0: no room. */
uint32_t datagram_begin(struct frags *f, const struct frag_limits *limit, const struct frag_in *in,
                        uint32_t hash, int64_t now_us);
void datagram_forget(struct frags *f, uint32_t index);
void datagram_give_up(struct frags *f, uint32_t index); /* and count it as failed */
/* Nothing of it is taken any more, until its time is over. */
void datagram_refuse(struct frags *f, uint32_t index);
/* Pages for bytes [start, end), oldest datagrams making room; false: there is none. */
bool datagram_open(struct frags *f, const struct frag_limits *limit, uint32_t index, uint32_t start,
                   uint32_t end);

#endif
