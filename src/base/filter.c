/* Source filters of multicast groups, and what comes of several: see filter.h.
 *
 * Knows: addresses. Not sockets, nor messages. Shape: a set is an array without order. Units: none.
 * Errors: false: the set is full. Cost: O(sources), O(sources^2) for a sum. */
#include "base/filter.h"

static int find(const struct filter *f, const struct weir_addr *source)
{
    for (int i = 0; i < f->sources; i++)
        if (weir_addr_equal(&f->source[i], source))
            return i;
    return -1;
}

bool filter_has(const struct filter *f, const struct weir_addr *source)
{
    return find(f, source) >= 0;
}

bool filter_passes(const struct filter *f, const struct weir_addr *source)
{
    return filter_has(f, source) != f->is_exclude;
}

bool filter_is_none(const struct filter *f)
{
    return !f->is_exclude && !f->sources;
}

bool filter_add(struct filter *f, const struct weir_addr *source)
{
    if (filter_has(f, source))
        return true;
    if (f->sources == FILTER_MAX)
        return false;
    f->source[f->sources++] = *source;
    return true;
}

void filter_remove(struct filter *f, const struct weir_addr *source)
{
    int i = find(f, source);

    if (i >= 0)
        f->source[i] = f->source[--f->sources];
}

/* 3376#3.2: of lists that exclude, what all have; of lists that include, what any has. */
void filter_sum_add(struct filter_sum *s, const struct filter *f)
{
    if (f->is_exclude && !s->has_exclude) {
        s->exclude = *f;
        s->has_exclude = true;
    } else if (f->is_exclude) {
        for (int i = s->exclude.sources - 1; i >= 0; i--)
            if (!filter_has(f, &s->exclude.source[i]))
                filter_remove(&s->exclude, &s->exclude.source[i]);
    } else {
        for (int i = 0; i < f->sources; i++)
            s->is_full |= !filter_add(&s->include, &f->source[i]);
    }
}

struct filter filter_sum_result(const struct filter_sum *s)
{
    struct filter r = s->exclude;

    if (s->is_full)
        return filter_all();
    if (!s->has_exclude)
        return s->include;
    for (int i = 0; i < s->include.sources; i++)
        filter_remove(&r, &s->include.source[i]);
    return r;
}
