/* The Internet checksum: see sum.h.
 *
 * Knows: nothing. Shape: one's complement sums commute and carry around, so words may be added in
 * any width and order and folded at the end (1071#2). Units: bytes. Errors: none.
 * Cost: 32 bytes in 4 operations with AVX2, 16 in 4 with SSE2, 8 in 2 elsewhere and for what is
 * short. Results stay below 2^17, so a few of them, or a few words, can be added as they are. */
#include "base/sum.h"

#include <string.h>

#define SHORT_BYTES 64 /* not worth a call of the vector code */

static uint64_t sum_scalar(uint64_t acc, const uint8_t *p, size_t len);
static uint64_t sum_blocks(uint64_t acc, const uint8_t *p, size_t len);

/* The lower half of a sum of 64-bit words, with carries. */
static inline uint32_t fold_64(uint64_t acc)
{
    acc = (acc & 0xffffffff) + (acc >> 32);
    acc = (acc & 0xffff) + (acc >> 16 & 0xffff) + (acc >> 32);
    return (uint32_t)acc;
}

uint32_t sum_add(uint32_t acc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t wide = acc;

    if (len >= SHORT_BYTES) {
        size_t whole = len & ~(size_t)(SHORT_BYTES - 1);

        wide = sum_blocks(wide, p, whole);
        p += whole;
        len -= whole;
    }
    return fold_64(sum_scalar(wide, p, len));
}

uint32_t sum_add_at(uint32_t acc, const void *data, size_t len, size_t offset)
{
    uint16_t part;

    if (!(offset & 1))
        return sum_add(acc, data, len);
    part = __builtin_bswap16(sum_fold(sum_add(0, data, len)));
    return fold_64((uint64_t)acc + part);
}

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

/* Any length. Loads of 8, 4, 2 and 1 bytes; memcpy is how C spells an unaligned load. */
static uint64_t sum_scalar(uint64_t acc, const uint8_t *p, size_t len)
{
    uint64_t w8;
    uint32_t w4;
    uint16_t w2;

    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&w8, p, 8);
        acc = add_carry(acc, w8);
    }
    if (len & 4) {
        memcpy(&w4, p, 4);
        acc = add_carry(acc, w4);
        p += 4;
    }
    if (len & 2) {
        memcpy(&w2, p, 2);
        acc = add_carry(acc, w2);
        p += 2;
    }
    if (len & 1) {
        uint8_t last[2] = {*p, 0};

        memcpy(&w2, last, 2);
        acc = add_carry(acc, w2);
    }
    return acc;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Lanes of 32 bits take two 16-bit words a turn: they hold 2^15 turns. */
#define TURNS_MAX 32768u
#define AVX2_MIN 256 /* shorter ones do not pay for the wider setup */

/* Sum of the 32-bit lanes, each taken as a number. */
static inline uint64_t lanes_sse2(__m128i v)
{
    const __m128i low = _mm_set1_epi64x(0xffffffff);
    __m128i wide = _mm_add_epi64(_mm_and_si128(v, low), _mm_srli_epi64(v, 32));

    wide = _mm_add_epi64(wide, _mm_unpackhi_epi64(wide, wide));
    return (uint64_t)_mm_cvtsi128_si64(wide);
}

static inline __m128i words_sse2(__m128i v)
{
    const __m128i low = _mm_set1_epi32(0xffff);

    return _mm_add_epi32(_mm_and_si128(v, low), _mm_srli_epi32(v, 16));
}

static uint64_t sum_sse2(uint64_t acc, const uint8_t *p, size_t len)
{
    while (len) {
        size_t turns = len / 64 < TURNS_MAX ? len / 64 : TURNS_MAX;
        __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;

        len -= turns * 64;
        for (; turns; turns--, p += 64) {
            const __m128i *v = (const void *)p;

            a = _mm_add_epi32(a, words_sse2(_mm_loadu_si128(v)));
            b = _mm_add_epi32(b, words_sse2(_mm_loadu_si128(v + 1)));
            c = _mm_add_epi32(c, words_sse2(_mm_loadu_si128(v + 2)));
            d = _mm_add_epi32(d, words_sse2(_mm_loadu_si128(v + 3)));
        }
        acc = add_carry(acc, lanes_sse2(a) + lanes_sse2(b) + lanes_sse2(c) + lanes_sse2(d));
    }
    return acc;
}

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline uint64_t lanes_avx2(__m256i v)
{
    return lanes_sse2(_mm256_castsi256_si128(v)) + lanes_sse2(_mm256_extracti128_si256(v, 1));
}

AVX2 static inline __m256i words_avx2(__m256i v)
{
    const __m256i low = _mm256_set1_epi32(0xffff);

    return _mm256_add_epi32(_mm256_and_si256(v, low), _mm256_srli_epi32(v, 16));
}

/* len is a multiple of 128. */
AVX2 static uint64_t sum_avx2(uint64_t acc, const uint8_t *p, size_t len)
{
    while (len) {
        size_t turns = len / 128 < TURNS_MAX ? len / 128 : TURNS_MAX;
        __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

        len -= turns * 128;
        for (; turns; turns--, p += 128) {
            const __m256i *v = (const void *)p;

            a = _mm256_add_epi32(a, words_avx2(_mm256_loadu_si256(v)));
            b = _mm256_add_epi32(b, words_avx2(_mm256_loadu_si256(v + 1)));
            c = _mm256_add_epi32(c, words_avx2(_mm256_loadu_si256(v + 2)));
            d = _mm256_add_epi32(d, words_avx2(_mm256_loadu_si256(v + 3)));
        }
        acc = add_carry(acc, lanes_avx2(a) + lanes_avx2(b) + lanes_avx2(c) + lanes_avx2(d));
    }
    return acc;
}

/* len is a multiple of 64. */
static uint64_t sum_blocks(uint64_t acc, const uint8_t *p, size_t len)
{
    size_t wide = len >= AVX2_MIN && __builtin_cpu_supports("avx2") ? len & ~(size_t)127 : 0;

    if (wide)
        acc = sum_avx2(acc, p, wide);
    return sum_sse2(acc, p + wide, len - wide);
}

#else

/* Halves in accumulators of 64 bits, which do not overflow for any length that memory can hold; a
 * compiler makes vectors of it where it has them. */
static uint64_t sum_blocks(uint64_t acc, const uint8_t *p, size_t len)
{
    uint64_t even = 0, odd = 0, word;

    for (size_t i = 0; i < len; i += 8) {
        memcpy(&word, p + i, 8);
        even += word & 0xffffffff;
        odd += word >> 32;
    }
    return add_carry(add_carry(acc, even), odd);
}

#endif
