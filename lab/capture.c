/* The lab's pcapng: one interface block for each link end, the stack's reason on each packet.
 *
 * Knows: weir/pcapng.h. Shape: a frame is written where it leaves and where it arrives, judged; one
 * that is lost says how. Units: ns of the lab. Errors: -1 and lab->error. Cost: a copy a frame. */
#include <stdio.h>
#include <string.h>

#include "lab/log.h"

int lab_capture_open(struct lab *lab, const char *path)
{
    char error[128] = "", name[3 * LAB_NAME_MAX];

    lab->pcapng = weir_pcapng_open(path, error, sizeof error);
    if (!lab->pcapng) {
        snprintf(lab->error, sizeof lab->error, "%s", error);
        return -1;
    }
    for (int i = 0; i < lab->links; i++)
        for (int e = 0; e < 2; e++) {
            const struct lab_link *l = lab->link[i];
            snprintf(name, sizeof name, "%s@%s", l->end[e].node->name, l->name);
            lab->pcap_iface[i][e] = weir_pcapng_iface(lab->pcapng, name, l->type);
        }
    return 0;
}

void lab_capture(struct lab_link *l, int end, const struct weir_frame *f, enum lab_fate fate)
{
    char why[128] = "";
    struct weir_pcapng_packet p = {.iface = l->lab->pcap_iface[l->index][end],
                                   .dir = fate == LAB_ARRIVED ? WEIR_PCAPNG_IN : WEIR_PCAPNG_OUT,
                                   .at_ns = l->lab->now,
                                   .comment = why};

    weir_why_text(&f->why, why, sizeof why);
    if (fate > LAB_ARRIVED)
        p.comment2 = lab_fate_text(fate);
    weir_pcapng_frame(l->lab->pcapng, &p, f);
}

int lab_capture_close(struct lab *lab)
{
    struct weir_pcapng *p = lab->pcapng;
    int r = p ? weir_pcapng_close(p) : 0;

    lab->pcapng = NULL;
    if (r < 0)
        snprintf(lab->error, sizeof lab->error, "the capture was not written: %s", strerror(-r));
    return r < 0 ? -1 : 0;
}
