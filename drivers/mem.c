/* mem: a link whose far end is an interface of another stack of the same thread.
 *
 * Knows: the three verbs. Shape: a frame crosses by reference; it stays valid because neither end's
 * stack is called again before the other has taken it. What the far stack thinks of a frame stands
 * in its `why` when send returns.
 * Units: none. Errors: NULL for memory; recv and send have none. Cost: that of the two stacks. */
#include <stdlib.h>
#include <string.h>

#include <weir/driver.h>

struct mem {
    struct weir_link link;
    struct weir_stack *far;
    int far_ifindex;
    char name[16];
};

static int mem_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct mem *m = (struct mem *)link;

    weir_advance(m->far, now_ns);
    return weir_output(m->far, m->far_ifindex, burst, max, now_ns);
}

static int mem_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct mem *m = (struct mem *)link;

    if (n)
        weir_input(m->far, m->far_ifindex, burst, n, now_ns);
    return n;
}

static int64_t mem_deadline(struct weir_link *link)
{
    struct mem *m = (struct mem *)link;

    return weir_has_output(m->far) ? 0 : weir_deadline(m->far);
}

static int mem_fd(struct weir_link *link)
{
    (void)link;
    return -1;
}

static void mem_close(struct weir_link *link)
{
    free(link);
}

static const struct weir_driver mem_driver = {
    .name = "mem",
    .recv = mem_recv,
    .send = mem_send,
    .deadline = mem_deadline,
    .fd = mem_fd,
    .close = mem_close,
};

struct weir_link *weir_mem_open(struct weir_stack *far, int far_ifindex,
                                const struct weir_iface_config *near_iface)
{
    struct mem *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->link.driver = &mem_driver;
    m->link.iface = *near_iface;
    if (near_iface->name)
        strncpy(m->name, near_iface->name, sizeof m->name - 1);
    m->link.iface.name = m->name;
    m->far = far;
    m->far_ifindex = far_ifindex;
    return &m->link;
}
