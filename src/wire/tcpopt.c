/* TCP options: 9293#3.2, 7323 (window scale, timestamps), 2018 (SACK), 7413 (Fast Open), 9768.
 *
 * Knows: bytes. Not on which segments an option counts. Shape: what is emitted is Linux's layout,
 * each group a multiple of 4 bytes, filled with NOP; so no list needs an End of Option List.
 * Units: bytes. Errors: TCP_OPT_BAD for a length of 0, 1 or past the end; what came before stays. A
 * known kind of another length than its own is skipped like an unknown one.
 * Cost: a walk of 40 bytes at most, each step at least one. */
#include "wire/tcpopt.h"

#include <string.h>

#include "base/bytes.h"
#include "base/must.h"

enum { EOL = 0, NOP = 1, MSS = 2, WSCALE = 3, SACK_OK = 4, SACK = 5, TS = 8, FASTOPEN = 34 };
enum { EXPERIMENT = 254 }; /* 6994: the first two bytes say whose */
#define MAGIC_FASTOPEN 0xf989u
enum { ACC_0 = 172, ACC_1 = 174 }; /* accurate ECN's counters, in this order and the other */

#define LIST_MAX (TCP_HDR_MAX - TCP_LEN)
#define TS_LEN 12 /* with its two NOPs */
#define NOP_NOP_TS 0x0101080au
#define SACK_OK_TS 0x0402080au
#define NOP_NOP_SACK_OK 0x01010402u
#define MSS_WORD 0x02040000u
#define NOP_WSCALE 0x01030300u
#define NOP_NOP_SACK 0x01010500u

static void take(struct tcp_opts *out, const uint8_t *p, size_t len);
static void take_sack(struct tcp_opts *out, const uint8_t *p, size_t len);
static void take_cookie(struct tcp_opts *out, const uint8_t *p, size_t len, bool is_old);
static void take_acc(struct tcp_opts *out, const uint8_t *p, size_t len);
static uint8_t *put_ts(uint8_t *p, const struct tcp_opts *o, uint32_t head);
static uint8_t *put_sack(uint8_t *p, const struct tcp_opts *o);
static uint8_t *put_cookie(uint8_t *p, const struct tcp_opts *o);
static uint8_t *put_acc(uint8_t *p, const struct tcp_opts *o);

void tcpopt_parse(struct tcp_opts *out, const uint8_t *p, size_t n)
{
    size_t at = 0;

    out->has = 0;
    out->sacks = 0;
    if (LIKELY(n == TS_LEN) && get32(p) == NOP_NOP_TS) {
        take(out, p + 2, 10);
        return;
    }
    while (at < n && p[at] != EOL) {
        size_t len = 1;

        if (p[at] != NOP) {
            len = n - at < 2 ? 0 : p[at + 1];
            if (len < 2 || len > n - at) {
                out->has |= TCP_OPT_BAD; /* MUST-7 */
                return;
            }
            take(out, p + at, len); /* MUST-6: unknown kinds fall through */
        }
        at += len;
    }
}

/* How many SACK blocks fit beside `bytes` of others. */
static size_t sacks_that_fit(const struct tcp_opts *o, size_t bytes)
{
    size_t fit = bytes + 12 <= LIST_MAX ? (LIST_MAX - bytes - 4) / 8 : 0;

    if (!(o->has & TCP_OPT_SACK))
        return 0;
    return o->sacks < fit ? o->sacks : fit;
}

static size_t len_without_sack(const struct tcp_opts *o)
{
    size_t len = o->has & TCP_OPT_TS ? TS_LEN : 0;

    if (o->has & TCP_OPT_ACC)
        len += (2u + 3u * o->accs + 3u) & ~3u;
    if (!(o->has & (TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_OK | TCP_OPT_FASTOPEN)))
        return len;
    if (o->has & TCP_OPT_MSS)
        len += 4;
    if (o->has & TCP_OPT_WSCALE)
        len += 4;
    if ((o->has & (TCP_OPT_SACK_OK | TCP_OPT_TS)) == TCP_OPT_SACK_OK)
        len += 4;
    if (o->has & TCP_OPT_FASTOPEN)
        len += ((o->is_old_cookie ? 4u : 2u) + o->cookie_len + 3u) & ~3u;
    return len;
}

size_t tcp_opts_len(const struct tcp_opts *o)
{
    size_t len = len_without_sack(o);
    size_t sacks = sacks_that_fit(o, len);

    return len + (sacks ? 4 + 8 * sacks : 0);
}

size_t tcpopt_emit(uint8_t *p, const struct tcp_opts *o)
{
    uint8_t *start = p;

    if (LIKELY(o->has == TCP_OPT_TS))
        return (size_t)(put_ts(p, o, NOP_NOP_TS) - start);
    if (o->has & TCP_OPT_MSS) {
        put32(p, MSS_WORD | o->mss);
        p += 4;
    }
    if (o->has & TCP_OPT_TS) {
        p = put_ts(p, o, o->has & TCP_OPT_SACK_OK ? SACK_OK_TS : NOP_NOP_TS);
    } else if (o->has & TCP_OPT_SACK_OK) {
        put32(p, NOP_NOP_SACK_OK);
        p += 4;
    }
    if (o->has & TCP_OPT_WSCALE) {
        put32(p, NOP_WSCALE | o->wscale);
        p += 4;
    }
    if (o->has & TCP_OPT_FASTOPEN)
        p = put_cookie(p, o);
    if (o->has & TCP_OPT_ACC)
        p = put_acc(p, o);
    if (o->has & TCP_OPT_SACK)
        p = put_sack(p, o);
    must(p - start <= LIST_MAX);
    return (size_t)(p - start);
}

/* One option of 2 <= len bytes that lies wholly in the list. */
static void take(struct tcp_opts *out, const uint8_t *p, size_t len)
{
    switch (p[0] << 8 | (int)len) {
    case MSS << 8 | 4:
        out->has |= TCP_OPT_MSS;
        out->mss = get16(p + 2);
        break;
    case WSCALE << 8 | 3:
        out->has |= TCP_OPT_WSCALE;
        out->wscale = p[2];
        break;
    case SACK_OK << 8 | 2:
        out->has |= TCP_OPT_SACK_OK;
        break;
    case TS << 8 | 10:
        out->has |= TCP_OPT_TS;
        out->tsval = get32(p + 2);
        out->tsecr = get32(p + 6);
        break;
    default:
        if (p[0] == SACK)
            take_sack(out, p, len);
        else if (p[0] == FASTOPEN)
            take_cookie(out, p + 2, len - 2, false);
        else if (p[0] == EXPERIMENT && len >= 4 && get16(p + 2) == MAGIC_FASTOPEN)
            take_cookie(out, p + 4, len - 4, true);
        else if (p[0] == ACC_0 || p[0] == ACC_1)
            take_acc(out, p, len);
    }
}

/* 2018#3; a list has room for 4 blocks. */
static void take_sack(struct tcp_opts *out, const uint8_t *p, size_t len)
{
    size_t blocks = (len - 2) / 8;

    if (!blocks || (len - 2) % 8)
        return;
    out->has |= TCP_OPT_SACK;
    out->sacks = (uint8_t)(blocks < TCP_SACK_MAX ? blocks : TCP_SACK_MAX);
    for (int i = 0; i < out->sacks; i++) {
        out->sack[i].start = seq_of(get32(p + 2 + 8 * i));
        out->sack[i].end = seq_of(get32(p + 6 + 8 * i));
    }
}

/* 7413#4.1.1: none, or 4 to 16 bytes, an even number. */
static void take_cookie(struct tcp_opts *out, const uint8_t *p, size_t len, bool is_old)
{
    if (len && (len < 4 || len > sizeof out->cookie || len % 2))
        return;
    out->has |= TCP_OPT_FASTOPEN;
    out->is_old_cookie = is_old;
    out->cookie_len = (uint8_t)len;
    memcpy(out->cookie, p, len);
}

/* 9768#3.2.3: whatever its length, the whole counters that it has room for. */
static void take_acc(struct tcp_opts *out, const uint8_t *p, size_t len)
{
    size_t n = (len - 2) / 3;

    out->has |= TCP_OPT_ACC;
    out->is_acc_1 = p[0] == ACC_1;
    out->accs = (uint8_t)(n < TCP_ACC_MAX ? n : TCP_ACC_MAX);
    for (int i = 0; i < out->accs; i++)
        out->acc[i] = (uint32_t)(p[2 + 3 * i] << 16 | get16(p + 3 + 3 * i));
}

static uint8_t *put_ts(uint8_t *p, const struct tcp_opts *o, uint32_t head)
{
    put32(p, head);
    put32(p + 4, o->tsval);
    put32(p + 8, o->tsecr);
    return p + TS_LEN;
}

static uint8_t *put_sack(uint8_t *p, const struct tcp_opts *o)
{
    size_t sacks = sacks_that_fit(o, len_without_sack(o));

    if (!sacks)
        return p;
    put32(p, NOP_NOP_SACK | (uint32_t)(2 + 8 * sacks));
    for (size_t i = 0; i < sacks; i++) {
        put32(p + 4 + 8 * i, o->sack[i].start.v);
        put32(p + 8 + 8 * i, o->sack[i].end.v);
    }
    return p + 4 + 8 * sacks;
}

static uint8_t *put_cookie(uint8_t *p, const struct tcp_opts *o)
{
    size_t head = o->is_old_cookie ? 4 : 2, len = head + o->cookie_len;

    must(o->cookie_len <= sizeof o->cookie && o->cookie_len % 2 == 0);
    p[0] = o->is_old_cookie ? EXPERIMENT : FASTOPEN;
    p[1] = (uint8_t)len;
    if (o->is_old_cookie)
        put16(p + 2, MAGIC_FASTOPEN);
    memcpy(p + head, o->cookie, o->cookie_len);
    for (; len % 4; len++)
        p[len] = NOP;
    return p + len;
}

static uint8_t *put_acc(uint8_t *p, const struct tcp_opts *o)
{
    size_t len = 2u + 3u * o->accs;

    must(o->accs <= TCP_ACC_MAX);
    p[0] = o->is_acc_1 ? ACC_1 : ACC_0;
    p[1] = (uint8_t)len;
    for (int i = 0; i < o->accs; i++) {
        p[2 + 3 * i] = (uint8_t)(o->acc[i] >> 16);
        put16(p + 3 + 3 * i, (uint16_t)o->acc[i]);
    }
    for (; len % 4; len++)
        p[len] = NOP;
    return p + len;
}
