/* Sets of sequence ranges: see ranges.h.
 *
 * Knows: seq. Not why a byte is missing. Shape: disjoint, not adjacent, ascending; so a new range
 * touches one run of neighbours, at[first] to at[last - 1]. Units: bytes of sequence space.
 * Errors: ranges_add says false and leaves the set as it is.
 * Cost: O(1) at the end of the set, otherwise O(log n) to find and O(n) to move. */
#include "base/ranges.h"

#include <string.h>

static uint32_t first_reaching(const struct ranges *r, struct seq at);
static void replace_run(struct ranges *r, uint32_t first, uint32_t last, struct range with);
static void drop_front(struct ranges *r, uint32_t count);
static void remember(struct ranges *r, struct range whole, struct seq byte);

bool ranges_add(struct ranges *r, struct seq start, struct seq end, uint32_t *fresh)
{
    uint32_t known = 0;
    uint32_t first, last;
    struct range whole = {start, end};

    if (fresh)
        *fresh = 0;
    if (!seq_lt(start, end))
        return true;
    first = first_reaching(r, start);
    for (last = first; last < r->n && seq_le(r->at[last].start, end); last++) {
        const struct range *x = &r->at[last];
        int32_t both = seq_diff(seq_min(x->end, end), seq_max(x->start, start));

        known += (uint32_t)both;
        whole.start = seq_min(whole.start, x->start);
        whole.end = seq_max(whole.end, x->end);
    }
    if (first == last && r->n == RANGES_MAX)
        return false;
    replace_run(r, first, last, whole);
    remember(r, whole, start);
    if (fresh)
        *fresh = end.v - start.v - known;
    return true;
}

struct seq ranges_take(struct ranges *r, struct seq at)
{
    struct seq end;

    if (!r->n || seq_gt(r->at[0].start, at))
        return at;
    end = r->at[0].end;
    drop_front(r, 1);
    return end;
}

void ranges_trim(struct ranges *r, struct seq at)
{
    uint32_t gone = 0;

    while (gone < r->n && seq_le(r->at[gone].end, at))
        gone++;
    drop_front(r, gone);
    if (r->n && seq_lt(r->at[0].start, at))
        r->at[0].start = at;
}

static bool is_among(const struct range *list, uint32_t n, struct seq start)
{
    for (uint32_t i = 0; i < n; i++)
        if (seq_eq(list[i].start, start))
            return true;
    return false;
}

uint32_t ranges_recent(const struct ranges *r, struct range *out, uint32_t max)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < r->recents && n < max; k++) {
        uint32_t i = first_reaching(r, seq_add(r->recent[k], 1));
        if (i < r->n && seq_le(r->at[i].start, r->recent[k]) && !is_among(out, n, r->at[i].start))
            out[n++] = r->at[i];
    }
    for (uint32_t i = 0; i < r->n && n < max; i++)
        if (!is_among(out, n, r->at[i].start))
            out[n++] = r->at[i];
    return n;
}

bool ranges_has(const struct ranges *r, struct seq start, struct seq end)
{
    uint32_t i = first_reaching(r, end);

    return i < r->n && seq_le(r->at[i].start, start);
}

bool ranges_overlap(const struct ranges *r, struct seq start, struct seq end, struct range *both)
{
    uint32_t i = first_reaching(r, seq_add(start, 1));

    if (i == r->n || seq_ge(r->at[i].start, end))
        return false;
    *both = (struct range){seq_max(r->at[i].start, start), seq_min(r->at[i].end, end)};
    return true;
}

/* The first range whose end is `at` or later; r->n: none. */
static uint32_t first_reaching(const struct ranges *r, struct seq at)
{
    uint32_t low = 0, high = r->n;

    if (!high || seq_lt(r->at[high - 1].end, at))
        return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (seq_lt(r->at[middle].end, at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void replace_run(struct ranges *r, uint32_t first, uint32_t last, struct range with)
{
    uint32_t behind = r->n - last;

    if (behind && first + 1 != last)
        memmove(&r->at[first + 1], &r->at[last], behind * sizeof r->at[0]);
    r->at[first] = with;
    r->n = first + 1 + behind;
}

static void drop_front(struct ranges *r, uint32_t count)
{
    if (!count)
        return;
    r->n -= count;
    memmove(&r->at[0], &r->at[count], r->n * sizeof r->at[0]);
}

/* `byte` was added and lies in `whole` now, with all that were merged into it. */
static void remember(struct ranges *r, struct range whole, struct seq byte)
{
    struct seq kept[RANGES_RECENT] = {byte};
    uint32_t n = 1;

    for (uint32_t i = 0; i < r->recents && n < RANGES_RECENT; i++)
        if (!seq_in_co(whole.start, r->recent[i], whole.end))
            kept[n++] = r->recent[i];
    memcpy(r->recent, kept, sizeof kept);
    r->recents = n;
}
