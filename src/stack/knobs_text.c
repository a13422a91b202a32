/* Knobs whose value is text, each with its own way to be read and written.
 *
 * Knows: where what they stand for is kept. Shape: one row for each; knobs.c asks here for a name
 * that it does not have. Units: the row's. Errors: EINVAL, ERANGE, ENOMEM, ENOSPC,
 * EACCES. Cost: O(text). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/stack.h"
#include "weir/knob.h"

/* Appends c; the new length, or -ENOSPC, also where there was none before. */
static int put_char(char *text, size_t size, int at, char c)
{
    if (at < 0 || (size_t)at + 1 >= size)
        return -ENOSPC;
    text[at++] = c;
    text[at] = '\0';
    return at;
}

/* -- net.ipv4.ip_local_reserved_ports: "8080,9000-9010" ---------------------------------------- */

static int mark_range(uint64_t *set, const char **at)
{
    char *end;
    long first = strtol(*at, &end, 10), last = first;

    if (end == *at)
        return -EINVAL;
    if (*end == '-') {
        *at = end + 1;
        last = strtol(*at, &end, 10);
        if (end == *at)
            return -EINVAL;
    }
    if (first < 0 || last > 65535 || first > last)
        return -ERANGE;
    for (long port = first; port <= last; port++)
        set[port / 64] |= 1ull << port % 64;
    *at = end;
    return 0;
}

static int mark_all(uint64_t *set, const char *value)
{
    int v = 0;

    while (v == 0 && *value && *value != '\n') {
        v = mark_range(set, &value);
        if (v == 0 && *value == ',' && value[1])
            value++;
        else if (v == 0 && *value && *value != '\n')
            v = -EINVAL;
    }
    return v;
}

static int set_reserved(struct weir_stack *k, const char *value)
{
    uint64_t *set = mem_zalloc(&k->mem, PORT_SET_BYTES), *old = k->socks.reserved;
    int v = set ? mark_all(set, value) : -ENOMEM;
    bool is_empty = !*value || *value == '\n';

    if (v < 0 || is_empty) {
        mem_free(&k->mem, set, PORT_SET_BYTES);
        set = NULL;
    }
    if (v < 0)
        return v;
    mem_free(&k->mem, old, PORT_SET_BYTES);
    k->socks.reserved = set;
    return 0;
}

/* The last port of the run that begins at `port`. */
static int run_end(const struct socks *s, int port)
{
    while (port < 65535 && port_is_reserved(s, (uint16_t)(port + 1)))
        port++;
    return port;
}

static int get_reserved(const struct weir_stack *k, char *text, size_t size)
{
    int len = 0;

    if (size == 0)
        return -ENOSPC;
    text[0] = '\0';
    for (int port = 0; port <= 65535 && len >= 0; port++) {
        int last;
        if (!port_is_reserved(&k->socks, (uint16_t)port))
            continue;
        if (len)
            len = put_char(text, size, len, ',');
        if (len >= 0)
            len = knob_put_number(text, size, len, port);
        last = run_end(&k->socks, port);
        if (last > port && (len = put_char(text, size, len, '-')) >= 0)
            len = knob_put_number(text, size, len, last);
        port = last;
    }
    return len;
}

/* -- net.ipv4.tcp_congestion_control ------------------------------------------------------------
 */

static int set_congestion(struct weir_stack *k, const char *value)
{
    int i = tcp_congestion_find(value);

    if (i < 0)
        return -EINVAL;
    k->tcp.congestion = (uint8_t)i;
    return 0;
}

static int put_word(char *text, size_t size, int at, const char *word)
{
    for (; *word && at >= 0; word++)
        at = put_char(text, size, at, *word);
    return at;
}

static int get_congestion(const struct weir_stack *k, char *text, size_t size)
{
    return put_word(text, size, 0, tcp_congestion_name(k->tcp.congestion));
}

static int set_algorithms(struct weir_stack *k, const char *value)
{
    (void)k;
    (void)value;
    return -EACCES;
}

static int get_algorithms(const struct weir_stack *k, char *text, size_t size)
{
    int len = put_word(text, size, 0, tcp_congestion_name(0));

    (void)k;
    for (int i = 1; tcp_congestion_name(i) && len >= 0; i++)
        len = put_word(text, size, put_char(text, size, len, ' '), tcp_congestion_name(i));
    return len;
}

/* -- net.ipv4.tcp_fastopen_key: "8-8-8-8" hex digits, "new,old" ----------------------------------
 */

/* 32 digits with three dashes between; the text behind them, or NULL. */
static const char *read_key(const char *at, struct sipkey *key)
{
    uint64_t word[4] = {0};

    for (int i = 0; i < 35; i++, at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *d = *at ? strchr(digits, *at) : NULL;
        int n = d ? (int)(d - digits) : -1;
        if (i % 9 == 8 ? *at != '-' : n < 0)
            return NULL;
        if (i % 9 != 8)
            word[i / 9] = word[i / 9] << 4 | (uint64_t)(n < 16 ? n : n - 6);
    }
    key->k0 = word[0] | word[1] << 32; /* as Linux, so that a farm may share it */
    key->k1 = word[2] | word[3] << 32;
    return at;
}

static int set_fastopen_key(struct weir_stack *k, const char *value)
{
    struct sipkey key[2];
    int n = 0;

    value = read_key(value, &key[n++]);
    if (value && *value == ',')
        value = read_key(value + 1, &key[n++]);
    if (!value || (*value && *value != '\n'))
        return -EINVAL;
    tcp_fastopen_set_keys(&k->tcp, key, n);
    return 0;
}

static int get_fastopen_key(const struct weir_stack *k, char *text, size_t size)
{
    int len = 0;

    for (int i = 0; i < k->tcp.open_keys; i++) {
        const struct sipkey *key = &k->tcp.open_key[i];
        uint64_t word[4] = {key->k0 & UINT32_MAX, key->k0 >> 32, key->k1 & UINT32_MAX,
                            key->k1 >> 32};
        for (int d = 0; d < 32; d++) {
            if (d % 8 == 0 && (d || i))
                len = put_char(text, size, len, d ? '-' : ',');
            len = put_char(text, size, len,
                           "0123456789abcdef"[word[d / 8] >> (28 - d % 8 * 4) & 15]);
        }
    }
    return len;
}

/* -- net.ipv6.conf.all.stable_secret: an address whose 128 bits are the secret -------------------
 */

static int set_stable_secret(struct weir_stack *k, const char *value)
{
    char text[WEIR_ADDR_TEXT];
    size_t len = strcspn(value, "\n");
    struct weir_addr a;

    if (len >= sizeof text || value[len + (value[len] == '\n')])
        return -EINVAL;
    memcpy(text, value, len);
    text[len] = '\0';
    if (weir_addr_parse(&a, text) < 0 || weir_addr_is_v4(&a))
        return -EINVAL;
    memcpy(&k->link.secret, a.b, sizeof a.b);
    k->link.is_secret_set = true;
    return 0;
}

/* One that was drawn by chance is not shown: it is gone with the stack. */
static int get_stable_secret(const struct weir_stack *k, char *text, size_t size)
{
    char buffer[WEIR_ADDR_TEXT];
    struct weir_addr a;
    int len = 0;

    memcpy(a.b, &k->link.secret, sizeof a.b);
    if (!k->link.is_secret_set || size == 0)
        return size ? text[0] = '\0' : -ENOSPC;
    weir_addr_text(&a, buffer);
    for (const char *at = buffer; *at; at++)
        len = put_char(text, size, len, *at);
    return len;
}

/* -- the table --------------------------------------------------------------------------------- */

static const struct text_row {
    struct weir_knob_info info;
    int (*set)(struct weir_stack *k, const char *value);
    int (*get)(const struct weir_stack *k, char *text, size_t size);
} rows[] = {
#define KNOB(field, name, unit, preset, min, max, cite, doc)
#define KNOB2(field, name, unit, a, b, min, max, cite, doc)
#define KNOB3(field, name, unit, a, b, c, min, max, doc)
#define KNOB_TEXT(field, name, unit, cite, doc) \
    {{name, unit, cite, doc, 0, {0}, 0, 0}, set_##field, get_##field},
#include "def/knobs.def"
#undef KNOB
#undef KNOB2
#undef KNOB3
#undef KNOB_TEXT
};
#define ROWS ((int)(sizeof rows / sizeof rows[0]))

static const struct text_row *row_find(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].info.name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct weir_knob_info *knob_text_info(int index)
{
    return index >= 0 && index < ROWS ? &rows[index].info : NULL;
}

int knob_text_set(struct weir_stack *k, const char *name, const char *value)
{
    const struct text_row *r = row_find(name);

    return r ? r->set(k, value) : -ENOENT;
}

int knob_text_get(const struct weir_stack *k, const char *name, char *text, size_t size)
{
    const struct text_row *r = row_find(name);

    return r ? r->get(k, text, size) : -ENOENT;
}
