/* SipHash: see siphash.h.
 *
 * Knows: nothing. Shape: c rounds for each 8 bytes, d rounds at the end; the last word holds the
 * remaining bytes and, on top, the length. Units: bytes, 64-bit words in memory order of the host.
 * Errors: none.
 * Cost: some 2 ns for each 8 bytes of 2-4, 1.5 for 1-3, and 6 for start and end. */
#include "base/siphash.h"

#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline struct sip sip_start(const struct sipkey *key);
static inline void sip_word(struct sip *s, uint64_t word, int rounds);
static inline uint64_t sip_end(struct sip *s, int rounds);
static uint64_t tail_word(const uint8_t *p, size_t len);

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they lie in memory");

uint64_t siphash24(const struct sipkey *key, const void *data, size_t len)
{
    const uint8_t *p = data;
    struct sip s = sip_start(key);
    size_t left = len;

    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        sip_word(&s, word, 2);
    }
    sip_word(&s, tail_word(p, left) | (uint64_t)len << 56, 2);
    return sip_end(&s, 4);
}

uint64_t siphash13_words(const struct sipkey *key, const uint64_t *word, int words)
{
    struct sip s = sip_start(key);

    for (int i = 0; i < words; i++)
        sip_word(&s, word[i], 1);
    sip_word(&s, (uint64_t)words << 59, 1);
    return sip_end(&s, 3);
}

uint64_t siphash24_words(const struct sipkey *key, const uint64_t *word, int words)
{
    struct sip s = sip_start(key);

    for (int i = 0; i < words; i++)
        sip_word(&s, word[i], 2);
    sip_word(&s, (uint64_t)words << 59, 2);
    return sip_end(&s, 4);
}

static inline struct sip sip_start(const struct sipkey *key)
{
    return (struct sip){
        .v0 = key->k0 ^ 0x736f6d6570736575u,
        .v1 = key->k1 ^ 0x646f72616e646f6du,
        .v2 = key->k0 ^ 0x6c7967656e657261u,
        .v3 = key->k1 ^ 0x7465646279746573u,
    };
}

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word, int rounds)
{
    s->v3 ^= word;
    for (int i = 0; i < rounds; i++)
        sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s, int rounds)
{
    s->v2 ^= 0xff;
    for (int i = 0; i < rounds; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Fewer than 8 bytes. */
static uint64_t tail_word(const uint8_t *p, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)p[i] << 8 * i;
    return word;
}
