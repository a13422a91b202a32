/* What weir ping prints, line by line as ping(8) of iputils does, and its sums.
 *
 * Knows: replies. Not where they come from. Shape: a reply that was there already is a duplicate
 * and counts for the times only. Units: us, printed as ms. Errors: none. Cost: O(1) a reply. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/ping.h"

void ping_print_head(const struct ping_options *o)
{
    printf("PING %s (%s) %ld(%ld) bytes of data.\n", o->target, o->target, o->size, o->size + 28);
    fflush(stdout);
}

/* Four digits at most, and microseconds at best. */
static void print_ms(int64_t us)
{
    long long n = us;

    if (n >= 100000)
        printf("%lld ms", (n + 500) / 1000);
    else if (n >= 10000)
        printf("%lld.%01lld ms", (n + 50) / 1000, (n + 50) % 1000 / 100);
    else if (n >= 1000)
        printf("%lld.%02lld ms", (n + 5) / 1000, (n + 5) % 1000 / 10);
    else
        printf("0.%03lld ms", n);
}

static bool was_seen(struct ping_stats *s, uint16_t seq)
{
    uint8_t bit = (uint8_t)(1u << seq % 8);
    bool was = s->seen[seq / 8] & bit;

    s->seen[seq / 8] |= bit;
    return was;
}

static void add_time(struct ping_stats *s, int64_t us)
{
    if (s->received + s->repeated == 1 || us < s->least_us)
        s->least_us = us;
    if (us > s->most_us)
        s->most_us = us;
    s->sum_us += us;
    s->sum2 += (double)us * (double)us;
}

void ping_print_reply(const struct ping_options *o, struct ping_stats *s,
                      const struct echo_reply *r)
{
    bool is_repeated = was_seen(s, r->seq);
    char from[WEIR_ADDR_TEXT];

    *(is_repeated ? &s->repeated : &s->received) += 1;
    add_time(s, r->result);
    if (o->is_quiet)
        return;
    printf("%u bytes from %s: icmp_seq=%u ttl=%u time=", r->bytes, weir_addr_text(&r->from, from),
           r->seq, r->ttl);
    print_ms(r->result);
    puts(is_repeated ? " (DUP!)" : "");
    fflush(stdout);
}

static const char *word_for(int error)
{
    switch (error) {
    case EHOSTUNREACH:
        return "Destination Host Unreachable";
    case ENETUNREACH:
        return "Destination Net Unreachable";
    case EMSGSIZE:
        return "Message too long";
    default:
        return strerror(error);
    }
}

void ping_print_error(const struct ping_options *o, struct ping_stats *s, long seq, int error)
{
    s->errors++;
    if (o->is_quiet)
        return;
    printf("To %s icmp_seq=%ld %s\n", o->target, seq, word_for(error));
    fflush(stdout);
}

static long long root_of(double x)
{
    double r = x > 1 ? x : 1;

    for (int i = 0; i < 64; i++) /* Newton, from above */
        r = (r + x / r) / 2;
    return x <= 0 ? 0 : (long long)r;
}

static void print_times(const struct ping_stats *s)
{
    long n = s->received + s->repeated;
    double mean = (double)s->sum_us / (double)n;
    long long avg = s->sum_us / n, mdev = root_of(s->sum2 / (double)n - mean * mean);
    long long least = s->least_us, most = s->most_us;

    printf("rtt min/avg/max/mdev = %lld.%03lld/%lld.%03lld/%lld.%03lld/%lld.%03lld ms\n",
           least / 1000, least % 1000, avg / 1000, avg % 1000, most / 1000, most % 1000,
           mdev / 1000, mdev % 1000);
}

void ping_print_summary(const struct ping_options *o, const struct ping_stats *s)
{
    printf("\n--- %s ping statistics ---\n%ld packets transmitted, %ld received", o->target,
           s->sent, s->received);
    if (s->repeated)
        printf(", +%ld duplicates", s->repeated);
    if (s->errors)
        printf(", +%ld errors", s->errors);
    if (s->sent)
        printf(", %g%% packet loss, time %lldms",
               100.0 * (double)(s->sent - s->received) / (double)s->sent,
               (long long)(s->last_ns - s->begin_ns) / 1000000);
    putchar('\n');
    if (s->received)
        print_times(s);
    else
        putchar('\n');
    fflush(stdout);
}
