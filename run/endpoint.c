/* One socket as a line of text: see endpoint.h.
 *
 * Knows: the fields by name, place and size. Shape: one table for both directions.
 * Units: those of the fields. Errors: a text that is too long for its field is cut.
 * Cost: O(fields). */
#include "run/endpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *name;
    uint16_t at, size;
};
#define PLACE(member) offsetof(struct endpoint, member), sizeof(((struct endpoint *)0)->member)
#define INFO(member)                \
    {                               \
#member, PLACE(info.member) \
    }

static const struct field numbers[] = {
    INFO(protocol),        INFO(state),          INFO(sock),
    INFO(recv_queue),      INFO(send_queue),     INFO(rcvbuf),
    INFO(sndbuf),          INFO(rcv_mem),        INFO(snd_mem),
    INFO(drops),           INFO(cwnd),           INFO(ssthresh),
    INFO(srtt_us),         INFO(rttvar_us),      INFO(rto_us),
    INFO(min_rtt_us),      INFO(ato_us),         INFO(mss),
    INFO(rcv_mss),         INFO(advmss),         INFO(pmtu),
    INFO(snd_wnd),         INFO(rcv_wnd),        INFO(rcv_wnd_max),
    INFO(in_flight),       INFO(lost),           INFO(unacked_segs),
    INFO(sacked_segs),     INFO(lost_segs),      INFO(again_segs),
    INFO(unsent),          INFO(reordering),     INFO(bytes_sent),
    INFO(bytes_acked),     INFO(bytes_received), INFO(bytes_retrans),
    INFO(segs_out),        INFO(segs_in),        INFO(retrans),
    INFO(data_segs_out),   INFO(data_segs_in),   INFO(sent_ago_ms),
    INFO(received_ago_ms), INFO(heard_ago_ms),   INFO(snd_wscale),
    INFO(rcv_wscale),      INFO(has_ts),         INFO(has_sack),
    INFO(has_wscale),      INFO(has_ecn),        INFO(shut),
    INFO(ca_state),        INFO(backoff),        INFO(probes),
    INFO(timer_left_us),   INFO(timer_n),        {"pid", PLACE(pid)},
    INFO(has_accecn),      INFO(ce_in),          INFO(ce_told),
    INFO(ect0_bytes_in),   INFO(ce_bytes_in),    INFO(ect1_bytes_in),
    INFO(ect0_bytes_told), INFO(ce_bytes_told),  INFO(ect1_bytes_told),
};
#define FACT(member)                 \
    {                                \
#member, PLACE(facts.member) \
    }
#define OWN(member)            \
    {                          \
#member, PLACE(member) \
    }

static const struct field whys[] = {
    FACT(flags),         FACT(end),        FACT(end_left_us),    FACT(tries),
    FACT(tries_most),    FACT(knob_value), FACT(state_ago_ms),   FACT(stalled_ago_ms),
    FACT(waits_ago_ms),  FACT(half_open),  FACT(half_open_most), FACT(refused),
    OWN(accept_waiting), OWN(accept_most), OWN(inode),           OWN(unread),
    OWN(ended_ago_ms),
};
static const struct field texts[] = {
    {"timer", PLACE(timer)},
    {"congestion", PLACE(congestion)},
    {"carrier", PLACE(carrier)},
    {"knob", PLACE(knob)},
};
#define COUNT(array) (sizeof array / sizeof array[0])

struct endpoint endpoint_of(const struct weir_sock_info *info)
{
    struct endpoint e = {.info = *info};

    snprintf(e.timer, sizeof e.timer, "%s", info->timer ? info->timer : "");
    snprintf(e.congestion, sizeof e.congestion, "%s", info->congestion ? info->congestion : "");
    e.info.timer = e.info.congestion = NULL;
    e.info.user = NULL;
    return e;
}

/* -- write ------------------------------------------------------------------------------------- */

static uint64_t load(const struct endpoint *e, const struct field *f)
{
    const char *at = (const char *)e + f->at;
    uint64_t v8;
    uint32_t v4;

    switch (f->size) {
    case 8:
        memcpy(&v8, at, sizeof v8);
        return v8;
    case 4:
        memcpy(&v4, at, sizeof v4);
        return v4;
    default:
        return (uint8_t)*at;
    }
}

static size_t put(char *text, size_t size, size_t at, const char *name, const char *value)
{
    int n = at < size ? snprintf(text + at, size - at, "%s%s=%s", at ? "\t" : "", name, value) : 0;

    return at + (size_t)n < size ? at + (size_t)n : at;
}

static size_t put_number(const struct endpoint *e, const struct field *f, char *text, size_t size,
                         size_t at)
{
    uint64_t n = load(e, f);
    char value[24];

    snprintf(value, sizeof value, "%" PRIu64, n);
    return n ? put(text, size, at, f->name, value) : at;
}

size_t endpoint_write(const struct endpoint *e, char *text, size_t size)
{
    char value[WEIR_ADDR_TEXT];
    size_t at = 0;

    for (size_t i = 0; i < COUNT(numbers); i++)
        at = put_number(e, &numbers[i], text, size, at);
    for (size_t i = 0; i < COUNT(whys); i++)
        at = put_number(e, &whys[i], text, size, at);
    at = put(text, size, at, "local", weir_sockaddr_text(&e->info.local, value));
    at = put(text, size, at, "peer", weir_sockaddr_text(&e->info.peer, value));
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *t = (const char *)e + texts[i].at;
        if (*t)
            at = put(text, size, at, texts[i].name, t);
    }
    return at;
}

/* -- read -------------------------------------------------------------------------------------- */

static void store(struct endpoint *e, const struct field *f, const char *value)
{
    char *at = (char *)e + f->at;
    uint64_t v8 = strtoull(value, NULL, 10);
    uint32_t v4 = (uint32_t)v8;

    if (f->size == 8)
        memcpy(at, &v8, sizeof v8);
    else if (f->size == 4)
        memcpy(at, &v4, sizeof v4);
    else
        *at = (char)v8;
}

/* "10.0.0.1:80", "[fd00::1]:80" */
static void read_sockaddr(struct weir_sockaddr *out, char *text)
{
    char *colon = strrchr(text, ':');
    size_t n;

    if (!colon)
        return;
    *colon = '\0';
    n = strlen(text);
    if (*text == '[' && n > 1) {
        text[n - 1] = '\0';
        text++;
    }
    (void)weir_addr_parse(&out->addr, text);
    out->port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void read_pair(struct endpoint *e, const char *name, char *value)
{
    if (strcmp(name, "local") == 0)
        read_sockaddr(&e->info.local, value);
    else if (strcmp(name, "peer") == 0)
        read_sockaddr(&e->info.peer, value);
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0)
            store(e, &numbers[i], value);
    for (size_t i = 0; i < COUNT(whys); i++)
        if (strcmp(name, whys[i].name) == 0)
            store(e, &whys[i], value);
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            snprintf((char *)e + texts[i].at, texts[i].size, "%s", value);
}

bool endpoint_read(struct endpoint *e, char *text)
{
    char *pair;

    *e = (struct endpoint){.pid = 0};
    while ((pair = strsep(&text, "\t"))) {
        char *value = strchr(pair, '=');
        if (value) {
            *value++ = '\0';
            read_pair(e, pair, value);
        }
    }
    return e->info.protocol != 0;
}
