/* The IP options that a socket adds to its datagrams. 1122#3.2.1.8 4.1.3.2.
 *
 * Knows: bytes of options. Not what they say: that was judged above. Shape: a block of memory that
 * only sockets have which asked for it. Units: bytes, 40 at most, padded to words. Errors: -EINVAL,
 * -ENOMEM. Cost: O(1). */
#include "udp/inner.h"

#include <errno.h>
#include <string.h>

int udp_options_set(struct udp_socks *u, uint32_t index, const void *bytes, size_t len)
{
    struct udp_sock *s = udp_at(u, index);
    struct udp_options *o = s->ip_options;

    if (len > sizeof o->bytes)
        return -EINVAL;
    if (!len) {
        udp_options_release(u, s);
        return 0;
    }
    if (!o && !(o = s->ip_options = mem_zalloc(u->mem, sizeof *o)))
        return -ENOMEM;
    memset(o->bytes, 0, sizeof o->bytes); /* 791#3.1: padding is zero */
    memcpy(o->bytes, bytes, len);
    o->len = (uint8_t)((len + 3) & ~3u);
    return 0;
}

size_t udp_options_of(const struct udp_socks *u, uint32_t index, const uint8_t **bytes)
{
    const struct udp_sock *s = udp_at(u, index);

    *bytes = s->ip_options ? s->ip_options->bytes : NULL;
    return s->ip_options ? s->ip_options->len : 0;
}

void udp_options_release(struct udp_socks *u, struct udp_sock *s)
{
    mem_free(u->mem, s->ip_options, sizeof *s->ip_options);
    s->ip_options = NULL;
}
