/* setsockopt, getsockopt, fcntl, ioctl.
 *
 * Knows: how option values are written: [1], {onoff=1, linger=0}, {tv_sec=1, tv_usec=0}, "reno".
 * Shape: see call.h. Units: those of the option. Errors: -errno of the call. Cost: O(1). */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "packetdrill/call.h"

#define VALUE_BYTES 512

static bool put_fields(struct run *r, const struct value *v, struct iovec *out)
{
    const struct value *first = field_of(v, "onoff"), *second = field_of(v, "linger");
    int64_t a = 0, b = 0;
    bool is_time = field_of(v, "tv_sec") || field_of(v, "sec");

    first = first ? first : field_of(v, "l_onoff");
    second = second ? second : field_of(v, "l_linger");
    if (is_time) {
        first = field_of(v, "tv_sec") ? field_of(v, "tv_sec") : field_of(v, "sec");
        second = field_of(v, "tv_usec") ? field_of(v, "tv_usec") : field_of(v, "usec");
    }
    if (!first || !second)
        return problem_set(r->problem, PROBLEM_SYNTAX, v->at,
                           "expected {onoff=N, linger=N} or {tv_sec=N, tv_usec=N}");
    if (!number_of(r, first, &a) || !number_of(r, second, &b))
        return false;
    if (is_time) {
        struct timeval t = {.tv_sec = a, .tv_usec = b};
        memcpy(out->iov_base, &t, out->iov_len = sizeof t);
    } else {
        struct linger l = {.l_onoff = (int)a, .l_linger = (int)b};
        memcpy(out->iov_base, &l, out->iov_len = sizeof l);
    }
    return true;
}

/* The bytes that a value of the script stands for. */
static bool put_value(struct run *r, const struct value *v, struct iovec *out)
{
    int64_t n;
    int number;

    out->iov_len = 0;
    if (v->kind == VALUE_TEXT && v->len < VALUE_BYTES) {
        memcpy(out->iov_base, v->text, out->iov_len = v->len);
        return true;
    }
    if (v->kind == VALUE_LIST && v->items == 1 && v->item[0]->kind == VALUE_LIST)
        v = v->item[0]; /* [{...}] */
    if (v->kind == VALUE_LIST && v->items && v->name[0])
        return put_fields(r, v, out);
    if (v->kind == VALUE_NUMBER) {
        number = (int)v->number;
        memcpy(out->iov_base, &number, out->iov_len = sizeof number);
        return true;
    }
    for (int i = 0; i < v->items && i < 16; i++) {
        if (!number_of(r, v->item[i], &n))
            return false;
        number = (int)n;
        memcpy((uint8_t *)out->iov_base + out->iov_len, &number, sizeof number);
        out->iov_len += sizeof number;
    }
    return v->kind == VALUE_LIST
               ? true
               : problem_set(r->problem, PROBLEM_SYNTAX, v->at, "expected an option's value");
}

static int64_t try_setsockopt(struct run *r, struct playing *c)
{
    uint8_t bytes[VALUE_BYTES] = {0};
    struct iovec value = {.iov_base = bytes};
    int64_t level, name, len;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &level) || !arg_number(r, c, 2, &name) ||
        !put_value(r, arg_at(c, 3), &value) || !arg_number(r, c, 4, &len))
        return CALL_BAD;
    if (len < 0 || len > VALUE_BYTES)
        return -22;
    value.iov_len = (size_t)len; /* zeros behind what is given */
    return node_setsockopt(r->node, fd, (int)level, (int)name, &value);
}

static bool check_value(struct run *r, struct playing *c)
{
    uint8_t bytes[VALUE_BYTES] = {0};
    struct iovec want = {.iov_base = bytes};
    int64_t len;

    if (!arg_is_any(c, 4)) {
        if (!arg_number(r, c, 4, &len) ||
            !call_differs(r, c, "length of the value", len, (int64_t)c->iov[0].iov_len))
            return false;
    }
    if (arg_is_any(c, 3) || (arg_at(c, 3)->items == 1 && arg_at(c, 3)->item[0]->kind == VALUE_ANY))
        return true;
    if (!put_value(r, arg_at(c, 3), &want))
        return false;
    if (want.iov_len == sizeof(int) && c->iov[0].iov_len == sizeof(int)) {
        int w, g;
        memcpy(&w, bytes, sizeof w);
        memcpy(&g, c->buffer, sizeof g);
        return call_differs(r, c, "value", w, g);
    }
    if (want.iov_len <= c->iov[0].iov_len && memcmp(bytes, c->buffer, want.iov_len) == 0)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at,
                       "getsockopt: another value than expected");
}

static int64_t try_getsockopt(struct run *r, struct playing *c)
{
    int64_t level, name, len = VALUE_BYTES;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &level) || !arg_number(r, c, 2, &name) ||
        (!arg_is_any(c, 4) && !arg_number(r, c, 4, &len)))
        return CALL_BAD;
    if (len < 0 || len > VALUE_BYTES)
        return -22;
    buffer_of(r, c, VALUE_BYTES);
    c->iov[0] = (struct iovec){.iov_base = c->buffer, .iov_len = (size_t)len};
    c->check = check_value;
    return node_getsockopt(r->node, fd, (int)level, (int)name, &c->iov[0]);
}

static int64_t try_fcntl(struct run *r, struct playing *c)
{
    int64_t cmd, arg = 0;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &cmd) ||
        (arg_at(c, 2) && !arg_number(r, c, 2, &arg)))
        return CALL_BAD;
    return node_fcntl(r->node, fd, (int)cmd, (int)arg);
}

static bool check_ioctl(struct run *r, struct playing *c)
{
    int64_t want;

    if (arg_is_any(c, 2))
        return true;
    return arg_number(r, c, 2, &want) && call_differs(r, c, "value", want, c->out_value);
}

static int64_t try_ioctl(struct run *r, struct playing *c)
{
    int64_t request, value = 0;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &request) ||
        (!arg_is_any(c, 2) && !arg_number(r, c, 2, &value)))
        return CALL_BAD;
    c->out_value = (int)value;
    c->check = check_ioctl;
    return node_ioctl(r->node, fd, (unsigned long)request, &c->out_value);
}

const struct call_row calls_of_settings[] = {
    {"setsockopt", 5, 5, try_setsockopt},
    {"getsockopt", 5, 5, try_getsockopt},
    {"fcntl", 2, 3, try_fcntl},
    {"ioctl", 3, 3, try_ioctl},
    {NULL, 0, 0, NULL},
};
