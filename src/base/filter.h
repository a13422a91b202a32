/* Source filters of multicast groups: from which senders a group is wanted. 3376#3, 3810#4.2.
 *
 * Knows: addresses. Shape: a mode and a set of at most FILTER_MAX sources; wanted from these only,
 * or from all but these. From none (include, empty) is what a filter begins as: {0}. Errors: false.
 * Cost: O(sources). */
#ifndef BASE_FILTER_H
#define BASE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/addr.h"

#define FILTER_MAX 10 /* sources of a socket for a group, as Linux's net.ipv4.igmp_max_msf */

struct filter {
    bool is_exclude;
    uint8_t sources;
    struct weir_addr source[FILTER_MAX];
};

static inline struct filter filter_all(void)
{
    return (struct filter){.is_exclude = true};
}
bool filter_has(const struct filter *f, const struct weir_addr *source);
bool filter_passes(const struct filter *f, const struct weir_addr *source);
bool filter_is_none(const struct filter *f);                       /* nothing passes */
bool filter_add(struct filter *f, const struct weir_addr *source); /* false: full */
void filter_remove(struct filter *f, const struct weir_addr *source);

/* What several want together. Begin with {0}, add each, then ask: the result passes whatever one
 * of them passes, and more only where more than FILTER_MAX sources would be needed to say it. */
struct filter_sum {
    struct filter include, exclude;
    bool has_exclude, is_full;
};
void filter_sum_add(struct filter_sum *s, const struct filter *f);
struct filter filter_sum_result(const struct filter_sum *s);

#endif
