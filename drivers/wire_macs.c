/* Behind which member of a wire a MAC is: what a switch learns from source addresses.
 *
 * Knows: see wire_macs.h. Shape: the key keeps a member from choosing addresses that all fall into
 * one set; if it fills all of them, frames are flooded, as by a switch. Units: ns. Errors: none.
 * Cost: as there; forgetting a member looks at all entries. */
#include "drivers/wire_macs.h"

#include <string.h>

static struct mac_entry *set_of(struct macs *m, uint64_t mac)
{
    return m->set[siphash13_words(&m->key, &mac, 1) % MACS_SETS];
}

/* The entry of this MAC, or the one to give up for it. */
static struct mac_entry *place_for(struct mac_entry *set, uint64_t mac)
{
    struct mac_entry *oldest = &set[0];

    for (int i = 0; i < MACS_WAYS; i++) {
        if (set[i].mac == mac)
            return &set[i];
        if (!set[i].mac || (oldest->mac && set[i].seen_at < oldest->seen_at))
            oldest = &set[i];
    }
    return oldest;
}

void macs_learn(struct macs *m, uint64_t mac, int member, int64_t now_ns)
{
    if (mac && !mac_is_group(mac))
        *place_for(set_of(m, mac), mac) = (struct mac_entry){mac, member, now_ns};
}

int macs_find(struct macs *m, uint64_t mac, int64_t now_ns)
{
    const struct mac_entry *set = set_of(m, mac);

    for (int i = 0; i < MACS_WAYS; i++)
        if (mac && set[i].mac == mac && now_ns - set[i].seen_at < MACS_AGE_NS)
            return set[i].member;
    return -1;
}

void macs_forget(struct macs *m, int member)
{
    for (int s = 0; s < MACS_SETS; s++)
        for (int i = 0; i < MACS_WAYS; i++)
            if (m->set[s][i].member == member)
                m->set[s][i] = (struct mac_entry){.mac = 0};
}
