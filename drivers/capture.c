/* capture: a wrapper that shows each frame to somebody, with the stack's reason beside it: a pcapng
 * file, or a function.
 *
 * Knows: the inner link's driver table and pcapng. Not what is in a frame.
 * Shape: an outgoing frame is written before it is sent; a burst that came in waits in `judged`
 * until the next call, because only then does its `why` hold the verdict of weir_input.
 * Units: ns. Errors: those of the file never disturb the link; flush tells them. Cost: one copy. */
#include <stdlib.h>

#include <weir/driver.h>
#include <weir/pcapng.h>
#include <weir/trace.h>

#define COMMENT_BYTES 256
/* An idle link's file is brought up to date this often, for who watches it grow. */
#define IDLE_FLUSH_NS 1000000000

struct capture {
    struct weir_link link;
    struct weir_link *inner;
    weir_capture_fn show;
    void *arg;
    struct weir_pcapng *file; /* NULL: shown to a function of the caller's */
    int iface;
    int64_t epoch_ns;
    int64_t flushed_at;
    struct weir_frame *judged; /* the caller's burst of the last recv, or NULL */
    int judged_count;
    int64_t judged_at;
    struct weir_why sender_why[WEIR_BURST_MAX]; /* why it was sent, where the far end is a stack */
};

static void show_in_file(void *arg, const struct weir_pcapng_packet *packet,
                         const struct weir_frame *frame)
{
    weir_pcapng_frame(arg, packet, frame);
}

static void show_frame(struct capture *c, const struct weir_frame *f, int dir, int64_t at_ns,
                       const struct weir_why *sender)
{
    char own[COMMENT_BYTES];
    char theirs[COMMENT_BYTES];
    struct weir_pcapng_packet packet = {
        .iface = c->iface, .dir = dir, .at_ns = at_ns + c->epoch_ns};

    if (weir_why_text(&f->why, own, sizeof own) > 0)
        packet.comment = own;
    if (sender && sender->event && weir_why_text(sender, theirs, sizeof theirs) > 0)
        packet.comment2 = theirs;
    c->show(c->arg, &packet, f);
}

static void show_judged(struct capture *c)
{
    for (int i = 0; i < c->judged_count; i++)
        show_frame(c, &c->judged[i], WEIR_PCAPNG_IN, c->judged_at, &c->sender_why[i]);
    c->judged = NULL;
    c->judged_count = 0;
}

static int capture_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct capture *c = (struct capture *)link;
    int n;

    show_judged(c);
    if (max > WEIR_BURST_MAX)
        max = WEIR_BURST_MAX;
    n = c->inner->driver->recv(c->inner, burst, max, now_ns);
    if (n <= 0) {
        if (now_ns - c->flushed_at >= IDLE_FLUSH_NS) {
            c->flushed_at = now_ns;
            weir_capture_flush(link);
        }
        return n;
    }
    for (int i = 0; i < n; i++) {
        c->sender_why[i] = burst[i].why;
        burst[i].why = (struct weir_why){0};
    }
    c->judged = burst;
    c->judged_count = n;
    c->judged_at = now_ns;
    return n;
}

static int capture_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct capture *c = (struct capture *)link;

    show_judged(c);
    for (int i = 0; i < n; i++)
        show_frame(c, &burst[i], WEIR_PCAPNG_OUT, now_ns, NULL);
    return c->inner->driver->send(c->inner, burst, n, now_ns);
}

static int64_t capture_deadline(struct weir_link *link)
{
    struct capture *c = (struct capture *)link;

    return c->inner->driver->deadline(c->inner);
}

static int capture_fd(struct weir_link *link)
{
    struct capture *c = (struct capture *)link;

    return c->inner->driver->fd(c->inner);
}

static void capture_close(struct weir_link *link)
{
    struct capture *c = (struct capture *)link;

    show_judged(c);
    if (c->file)
        weir_pcapng_close(c->file);
    weir_link_close(c->inner);
    free(c);
}

static int capture_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    return weir_link_losses(((struct capture *)link)->inner, out, max);
}

static const struct weir_driver capture_driver = {
    .name = "capture",
    .recv = capture_recv,
    .send = capture_send,
    .deadline = capture_deadline,
    .fd = capture_fd,
    .close = capture_close,
    .losses = capture_losses,
};

struct weir_link *weir_capture_to(struct weir_link *inner, weir_capture_fn show, void *arg)
{
    struct capture *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->show = show;
    c->arg = arg;
    c->inner = inner;
    c->link.driver = &capture_driver;
    c->link.iface = inner->iface;
    return &c->link;
}

struct weir_link *weir_capture_open(struct weir_link *inner, const char *path, char *error,
                                    size_t error_size)
{
    struct weir_link *link = weir_capture_to(inner, show_in_file, NULL);
    struct capture *c = (struct capture *)link;

    if (!link)
        return NULL;
    c->arg = c->file = weir_pcapng_open(path, error, error_size);
    if (!c->file) {
        free(c);
        return NULL;
    }
    c->iface = weir_pcapng_iface(c->file, inner->iface.name, inner->iface.type);
    return link;
}

struct weir_link *weir_capture_end(struct weir_link *link)
{
    struct capture *c = (struct capture *)link;
    struct weir_link *inner = c->inner;

    show_judged(c);
    free(c);
    return inner;
}

void weir_capture_epoch(struct weir_link *link, int64_t epoch_ns)
{
    ((struct capture *)link)->epoch_ns = epoch_ns;
}

int weir_capture_flush(struct weir_link *link)
{
    struct capture *c = (struct capture *)link;

    show_judged(c);
    return c->file ? weir_pcapng_flush(c->file) : 0;
}
