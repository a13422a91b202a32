/* What the files of the book of groups share: entries and their sources.
 *
 * Knows: members.h. Shape: sources that are wanted, and those that were and are still told of. */
#ifndef IP_MEMBERS_INNER_H
#define IP_MEMBERS_INNER_H

#include "ip/members.h"

#define NEVER INT64_MAX
#define HELD_MAX (2 * FILTER_MAX) /* sources that are wanted, and as many that were */

struct member_sources {
    uint8_t held, asked;
    struct held {
        struct weir_addr addr;
        uint8_t again; /* reports of the change that are still to come */
        bool is_there; /* in the filter; else it was */
    } source[HELD_MAX];
    struct weir_addr wanted[FILTER_MAX]; /* that a query asked for */
};

int member_family(const struct weir_addr *group);
bool member_is_wanted(const struct member *e);
bool member_has_changes(const struct member *e); /* that are still to be told */
struct held *member_find_held(struct member_sources *s, const struct weir_addr *addr);
void member_due_at(struct members *m, struct member *e, int64_t at_us);
/* Forgets what nobody wants and nobody is still to hear of; the last entry takes its place. */
void member_settle(struct members *m, struct member *e);

#endif
