/* DHCP messages, RFC 2131 and 2132, and classless routes, RFC 3442.
 *
 * Knows: bytes. Not what a client does with them. Shape: all options are walked once, in the
 * options field and, as option 52 says, in the file and sname fields; if one leads out of its field
 * the message is refused. Then each is fetched; one that comes in pieces is put together (3396).
 * What makes no sense is as if it were not there. Units: seconds, host order. Errors:
 * dhcp_malformed. Cost: O(options * options asked for). */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"

#define SNAME_AT 44
#define FILE_AT 108
#define OPTIONS_AT 240
#define COOKIE 0x63825363
#define LONGEST 255
#define LENGTH_MIN 300 /* 951: old relays drop what is shorter */
#define ACCEPTED 1472  /* largest message, option 57: what a frame of 1,500 carries behind UDP */

enum option {
    OPT_PAD = 0,
    OPT_MASK = 1,
    OPT_ROUTER = 3,
    OPT_DNS = 6,
    OPT_DOMAIN = 15,
    OPT_MTU = 26,
    OPT_REQUESTED = 50,
    OPT_LEASE = 51,
    OPT_OVERLOAD = 52,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_ASK = 55,
    OPT_SIZE = 57,
    OPT_T1 = 58,
    OPT_T2 = 59,
    OPT_CLIENT = 61,
    OPT_ROUTES = 121,
    OPT_END = 255
};

/* Where options lie: at most three fields. */
struct fields {
    int n;
    struct {
        const uint8_t *at;
        size_t len;
    } field[3];
};

/* Appends the option's bytes in this field to `out`, which has room for LONGEST. -1: malformed. */
static int gather(const uint8_t *p, size_t len, uint8_t code, uint8_t *out, uint32_t *got)
{
    size_t at = 0;

    while (at < len && p[at] != OPT_END) {
        uint32_t n;
        if (p[at] == OPT_PAD) {
            at++;
            continue;
        }
        if (len - at < 2 || p[at + 1] > len - at - 2)
            return -1;
        n = p[at + 1];
        if (p[at] == code && n <= LONGEST - *got) {
            memcpy(out + *got, p + at + 2, n);
            *got += n;
        }
        at += 2 + n;
    }
    return 0;
}

/* The option's length, 0 where it is not there. */
static uint32_t fetch(const struct fields *f, uint8_t code, uint8_t out[LONGEST])
{
    uint32_t got = 0;

    for (int i = 0; i < f->n; i++)
        gather(f->field[i].at, f->field[i].len, code, out, &got);
    return got;
}

static bool add_field(struct fields *f, const uint8_t *at, size_t len)
{
    uint8_t scratch[LONGEST];
    uint32_t got = 0;

    f->field[f->n].at = at;
    f->field[f->n++].len = len;
    return gather(at, len, OPT_END, scratch, &got) == 0;
}

static bool find_fields(struct fields *f, const uint8_t *p, size_t n)
{
    uint8_t overload[LONGEST];

    *f = (struct fields){.n = 0};
    if (!add_field(f, p + OPTIONS_AT, n - OPTIONS_AT))
        return false;
    if (fetch(f, OPT_OVERLOAD, overload) != 1)
        return true;
    if (overload[0] & 1 && !add_field(f, p + FILE_AT, 128))
        return false;
    return !(overload[0] & 2) || add_field(f, p + SNAME_AT, 64);
}

/* -- single options ---------------------------------------------------------------------------- */

static uint32_t word(const struct fields *f, uint8_t code)
{
    uint8_t v[LONGEST];

    return fetch(f, code, v) == 4 ? get32(v) : 0;
}

/* The first address of a list. */
static uint32_t first_word(const struct fields *f, uint8_t code)
{
    uint8_t v[LONGEST];
    uint32_t n = fetch(f, code, v);

    return n >= 4 && n % 4 == 0 ? get32(v) : 0;
}

static uint8_t prefix_of(uint32_t mask)
{
    uint32_t host = ~mask;

    return mask && (host & (host + 1)) == 0 ? (uint8_t)(32 - __builtin_popcount(host)) : 0;
}

static void read_dns(struct dhcp_msg *m, const struct fields *f)
{
    uint8_t v[LONGEST];
    uint32_t n = fetch(f, OPT_DNS, v);

    if (n % 4)
        return;
    for (uint32_t i = 0; i < n / 4 && m->dnss < DHCP_DNS_MAX; i++)
        m->dns[m->dnss++] = get32(v + 4 * i);
}

/* Only what a name may hold: it is shown to people and written into files. */
static void read_domain(struct dhcp_msg *m, const struct fields *f)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    uint8_t v[LONGEST];
    uint32_t n = fetch(f, OPT_DOMAIN, v);

    while (n && v[n - 1] == 0)
        n--;
    if (n >= DHCP_DOMAIN_MAX)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (v[i] == 0 || !strchr(good, v[i]))
            return;
    memcpy(m->domain, v, n);
}

/* 3442: prefix, as many bytes of the network as it covers, gateway. All of them are good, or none.
 */
static void read_routes(struct dhcp_msg *m, const struct fields *f)
{
    uint8_t v[LONGEST];
    uint32_t n = fetch(f, OPT_ROUTES, v), at = 0;
    uint8_t routes = 0;

    while (at < n && routes < DHCP_ROUTES_MAX) {
        struct dhcp_route *r = &m->route[routes];
        uint8_t net[4] = {0};
        uint32_t bytes = (v[at] + 7u) / 8;

        if (v[at] > 32 || n - at < 1 + bytes + 4)
            return;
        memcpy(net, v + at + 1, bytes);
        r->prefix = v[at];
        r->dst = r->prefix ? get32(net) & ~0u << (32 - r->prefix) : 0;
        r->gateway = get32(v + at + 1 + bytes);
        at += 1 + bytes + 4;
        routes++;
    }
    m->routes = routes;
}

static uint16_t read_mtu(const struct fields *f)
{
    uint8_t v[LONGEST];

    return fetch(f, OPT_MTU, v) == 2 ? get16(v) : 0;
}

/* -- messages ---------------------------------------------------------------------------------- */

int dhcp_parse(struct dhcp_msg *m, const uint8_t *p, size_t n)
{
    uint8_t v[LONGEST];
    struct fields f;

    if (n < OPTIONS_AT || get32(p + 236) != COOKIE || p[1] != 1 || p[2] != 6)
        return -DROP_dhcp_malformed;
    if (!find_fields(&f, p, n) || fetch(&f, OPT_TYPE, v) != 1)
        return -DROP_dhcp_malformed;
    *m = (struct dhcp_msg){.is_reply = p[0] == 2,
                           .xid = get32(p + 4),
                           .secs = get16(p + 8),
                           .is_broadcast = p[10] & 0x80,
                           .ciaddr = get32(p + 12),
                           .yiaddr = get32(p + 16),
                           .type = v[0]};
    memcpy(m->mac, p + 28, sizeof m->mac);
    m->server = word(&f, OPT_SERVER);
    m->requested = word(&f, OPT_REQUESTED);
    m->prefix = prefix_of(word(&f, OPT_MASK));
    m->router = first_word(&f, OPT_ROUTER);
    m->lease_s = word(&f, OPT_LEASE);
    m->t1_s = word(&f, OPT_T1);
    m->t2_s = word(&f, OPT_T2);
    m->mtu = read_mtu(&f);
    read_dns(m, &f);
    read_domain(m, &f);
    read_routes(m, &f);
    return 0;
}

static uint8_t *put_option(uint8_t *p, uint8_t code, const void *value, uint8_t len)
{
    p[0] = code;
    p[1] = len;
    memcpy(p + 2, value, len);
    return p + 2 + len;
}

static uint8_t *put_word(uint8_t *p, uint8_t code, uint32_t value)
{
    uint8_t v[4];

    put32(v, value);
    return value ? put_option(p, code, v, 4) : p;
}

size_t dhcp_emit(uint8_t *start, const struct dhcp_msg *m)
{
    /* 3442: classless routes before the router. */
    static const uint8_t wanted[] = {OPT_MASK, OPT_ROUTES, OPT_ROUTER, OPT_DNS, OPT_DOMAIN,
                                     OPT_MTU,  OPT_LEASE,  OPT_T1,     OPT_T2};
    static const uint8_t size[] = {ACCEPTED >> 8, ACCEPTED & 0xff};
    uint8_t client[7] = {1}, *p = start + OPTIONS_AT;

    memset(start, 0, DHCP_SEND_MAX);
    start[0] = m->is_reply ? 2 : 1;
    start[1] = 1;
    start[2] = 6;
    put32(start + 4, m->xid);
    put16(start + 8, m->secs);
    start[10] = m->is_broadcast ? 0x80 : 0;
    put32(start + 12, m->ciaddr);
    put32(start + 16, m->yiaddr);
    memcpy(start + 28, m->mac, sizeof m->mac);
    put32(start + 236, COOKIE);
    p = put_option(p, OPT_TYPE, &m->type, 1);
    memcpy(client + 1, m->mac, sizeof m->mac);
    p = put_option(p, OPT_CLIENT, client, sizeof client);
    p = put_word(p, OPT_REQUESTED, m->requested);
    p = put_word(p, OPT_SERVER, m->server);
    if (m->type == DHCP_DISCOVER || m->type == DHCP_REQUEST) {
        p = put_option(p, OPT_SIZE, size, sizeof size);
        p = put_option(p, OPT_ASK, wanted, sizeof wanted);
    }
    *p++ = OPT_END;
    return p - start < LENGTH_MIN ? LENGTH_MIN : (size_t)(p - start);
}
