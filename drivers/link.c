/* The pump: moves frames between one link and one interface of a stack.
 *
 * Knows: the driver table and the three verbs. Not what is in a frame.
 * Shape: each burst that came in is judged, then send is called, so that wrappers see the verdict.
 * Units: ns, frames; poll() wants ms, rounded up: a loop that wakes too early spins.
 * Errors: the link's -errno, as it is. Cost: two bursts of 64 a round. */
#include <limits.h>
#include <time.h>

#include <weir/driver.h>

#define NS_IN_MS 1000000

static int pump_once(struct weir_link *link, struct weir_stack *stack, int ifindex, int64_t now_ns)
{
    struct weir_frame in[WEIR_BURST_MAX];
    struct weir_frame out[WEIR_BURST_MAX];
    int received = link->driver->recv(link, in, WEIR_BURST_MAX, now_ns);
    int made;
    int sent;

    if (received < 0)
        return received;
    if (received)
        weir_input(stack, ifindex, in, received, now_ns);
    weir_advance(stack, now_ns);
    made = weir_output(stack, ifindex, out, WEIR_BURST_MAX, now_ns);
    if (!received && !made)
        return 0;
    /* Also with nothing to send: a capture may still hold `in`, which dies with this call. */
    sent = link->driver->send(link, out, made, now_ns);
    return sent < 0 ? sent : received + made;
}

int weir_link_pump(struct weir_link *link, struct weir_stack *stack, int ifindex, int64_t now_ns,
                   int rounds)
{
    int total = 0;

    for (int i = 0; i < rounds; i++) {
        int moved = pump_once(link, stack, ifindex, now_ns);
        if (moved < 0)
            return moved;
        if (!moved)
            break;
        total += moved;
    }
    return total;
}

int weir_link_fd(struct weir_link *link)
{
    return link->driver->fd(link);
}

int64_t weir_link_deadline(struct weir_link *link, const struct weir_stack *stack)
{
    int64_t ours, its;

    if (weir_has_output(stack))
        return 0;
    ours = weir_deadline(stack);
    its = link->driver->deadline(link);
    return ours < its ? ours : its;
}

int weir_poll_ms(int64_t deadline_ns, int64_t now_ns)
{
    int64_t ms;

    if (deadline_ns == WEIR_NEVER)
        return -1;
    if (deadline_ns <= now_ns)
        return 0;
    ms = (deadline_ns - now_ns - 1) / NS_IN_MS + 1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

int weir_link_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    return link->driver->losses ? link->driver->losses(link, out, max) : 0;
}

void weir_link_close(struct weir_link *link)
{
    if (link)
        link->driver->close(link);
}

int64_t weir_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t weir_clock_epoch_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - weir_clock_ns();
}
