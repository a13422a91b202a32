/* A segment in the language of scripts: see segment.h.
 *
 * Knows: the notation. Shape: one line; each field's columns are kept, so that a caret can be set.
 * Units: columns from 0. Errors: a line too long is cut. Cost: O(line). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "packetdrill/icmp_names.h"
#include "packetdrill/segment.h"

static void put(struct shown *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct shown *o, const char *format, ...)
{
    size_t room = sizeof o->text - (size_t)o->len;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(o->text + o->len, room, format, args);
    va_end(args);
    o->len += (size_t)n < room ? n : (int)room - 1;
}

static void begin(struct shown *o, enum shown_field f)
{
    put(o, " ");
    o->at[f] = o->len;
}

static void end(struct shown *o, enum shown_field f)
{
    o->end[f] = o->len;
}

static void show_ip(struct shown *o, const struct segment *s)
{
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};
    const char *comma = "";

    begin(o, SHOWN_IP);
    put(o, "[");
    if (s->has & HAS_ECN) {
        put(o, "%s", ecn[s->ecn & 3]);
        comma = ", ";
    }
    if (s->has & HAS_TOS) {
        put(o, "%stos 0x%x", comma, s->tos);
        comma = ", ";
    }
    if (s->has & HAS_TTL)
        put(o, "%sttl %u", comma, s->ttl);
    put(o, "]");
    end(o, SHOWN_IP);
}

static void show_flags(struct shown *o, const struct segment *s)
{
    static const char letters[] = "FSRP.UEW";

    begin(o, SHOWN_KIND);
    for (int i = 0; letters[i]; i++)
        if (s->flags & 1 << i && letters[i] != '.')
            put(o, "%c", letters[i]);
    if (s->ae)
        put(o, "A");
    if (s->flags & 1 << 4)
        put(o, ".");
    if (!s->flags && !s->ae)
        put(o, "-");
    end(o, SHOWN_KIND);
}

static void show_hex(struct shown *o, const char *name, const struct option *x)
{
    put(o, "%s ", name);
    for (int i = 0; i < x->len; i++)
        put(o, "%02x", x->data[i]);
}

static void show_acc(struct shown *o, const struct option *x)
{
    static const char *const names[] = {"e0b", "ceb", "e1b"};

    put(o, "ECN");
    for (int i = 0; i < x->len / 3; i++)
        put(o, " %s %u", names[x->kind == OPTION_ACC_1 ? 2 - i : i],
            (unsigned)(x->data[3 * i] << 16 | x->data[3 * i + 1] << 8 | x->data[3 * i + 2]));
}

static void show_option(struct shown *o, const struct option *x)
{
    char number[16];

    switch (x->kind) {
    case OPTION_EOL:
        put(o, "eol");
        break;
    case OPTION_NOP:
        put(o, "nop");
        break;
    case OPTION_MSS:
        put(o, "mss %u", x->a);
        break;
    case OPTION_WSCALE:
        put(o, "wscale %u", x->a);
        break;
    case OPTION_SACK_OK:
        put(o, "sackOK");
        break;
    case OPTION_TS:
        put(o, "TS val %u ecr %u", x->a, x->b);
        break;
    case OPTION_SACK:
        put(o, "sack");
        for (int i = 0; i < x->len; i++)
            put(o, " %u:%u", x->sack[i][0], x->sack[i][1]);
        break;
    case OPTION_ACC_0:
    case OPTION_ACC_1:
        show_acc(o, x);
        break;
    case OPTION_FASTOPEN:
        show_hex(o, "FO", x);
        break;
    case OPTION_EXPERIMENT:
        show_hex(o, "FOEXP", x);
        break;
    default:
        snprintf(number, sizeof number, "option %u:", x->kind);
        show_hex(o, x->kind == OPTION_MD5 ? "md5" : number, x);
    }
}

static void show_options(struct shown *o, const struct segment *s)
{
    begin(o, SHOWN_OPTIONS);
    put(o, "<");
    for (int i = 0; i < s->options; i++) {
        put(o, "%s", i ? "," : "");
        show_option(o, &s->option[i]);
    }
    put(o, "%s", s->has & HAS_OPTIONS ? ">" : "...>");
    end(o, SHOWN_OPTIONS);
}

static void show_number(struct shown *o, enum shown_field f, const char *word, uint32_t n)
{
    begin(o, f);
    put(o, "%s %u", word, n);
    end(o, f);
}

static void show_tcp(struct shown *o, const struct segment *s)
{
    show_flags(o, s);
    begin(o, SHOWN_SEQ);
    put(o, "%u:%u(%u)", s->seq, s->seq + s->len, s->len);
    end(o, SHOWN_SEQ);
    if (s->has & HAS_ACK)
        show_number(o, SHOWN_ACK, "ack", s->ack);
    if (s->has & HAS_WIN)
        show_number(o, SHOWN_WIN, "win", s->win);
    if (s->has & HAS_URG)
        show_number(o, SHOWN_URG, "urg", s->urg);
    if (s->options || !(s->has & HAS_OPTIONS))
        show_options(o, s);
}

static void show_icmp(struct shown *o, const struct segment *s)
{
    const char *type = icmp_type_name(s->type), *code = icmp_code_name(s->type, s->code);

    begin(o, SHOWN_KIND);
    put(o, "icmp %s", type ? type : "of an unknown type");
    if (icmp_is_error(s->type))
        put(o, " %s", code ? code : "of an unknown code");
    end(o, SHOWN_KIND);
    if (!icmp_is_error(s->type)) {
        begin(o, SHOWN_SEQ);
        put(o, "id %u seq %u (%u)", s->id, s->number, s->len);
        end(o, SHOWN_SEQ);
    }
    if (s->has & HAS_MTU)
        show_number(o, SHOWN_MTU, "mtu", s->mtu);
    if (!(s->has & HAS_QUOTE))
        return;
    begin(o, SHOWN_QUOTE);
    if (s->quote.kind == SEGMENT_UDP)
        put(o, "[udp (%u)]", s->quote.len);
    else
        put(o, "[%u:%u(%u)]", s->quote.seq, s->quote.seq + s->quote.len, s->quote.len);
    end(o, SHOWN_QUOTE);
}

void segment_show(struct shown *o, const struct segment *s, bool is_out)
{
    memset(o, 0, sizeof *o);
    put(o, "%c", is_out ? '>' : '<');
    if (s->has & (HAS_ECN | HAS_TOS | HAS_TTL))
        show_ip(o, s);
    if (s->has & HAS_PORTS) {
        begin(o, SHOWN_PORTS);
        put(o, "%u > %u", s->sport, s->dport);
        end(o, SHOWN_PORTS);
    }
    if (s->kind == SEGMENT_TCP) {
        show_tcp(o, s);
    } else if (s->kind == SEGMENT_ICMP) {
        show_icmp(o, s);
    } else {
        begin(o, SHOWN_KIND);
        put(o, "udp");
        end(o, SHOWN_KIND);
        begin(o, SHOWN_SEQ);
        put(o, "(%u)", s->len);
        end(o, SHOWN_SEQ);
    }
}
