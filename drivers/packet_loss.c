/* Why a packet link loses frames, in words.
 *
 * Knows: the kernel's counter of a packet socket. Shape: a table beside enum packet_loss.
 * Units: frames. Errors: none. Cost: a system call. */
#include "drivers/packet.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

static const struct {
    const char *why, *doc;
} words[PACKET_LOSSES] = {
    [PACKET_RX_FULL] = {"rx_full", "the ring was full, the program was too slow: give it more CPU"},
    [PACKET_RX_MEMORY] = {"rx_memory", "no memory for a superframe: run with CAP_NET_ADMIN, or "
                                       "raise net.core.rmem_max"},
    [PACKET_RX_LONG] = {"rx_long", "longer than an IP packet can be: ip link set gso_max_size and "
                                   "gro_max_size to 65536"},
    [PACKET_RX_VLAN] = {"rx_vlan", "of another VLAN: name that VLAN's interface instead"},
    [PACKET_RX_KIND] = {"rx_kind", "a superframe of something other than TCP and UDP: "
                                   "ethtool -K DEV gso off where it is sent"},
    [PACKET_RX_MALFORMED] = {"rx_malformed", "shorter than an Ethernet header, or a slot that "
                                             "makes no sense"},
    [PACKET_TX_FULL] = {"tx_full", "the interface's queue was full: its line is slower than this"},
    [PACKET_TX_LONG] = {"tx_long",
                        "longer than the interface's MTU: it was lowered since the start"},
    [PACKET_TX_DOWN] = {"tx_down", "the interface was down: ip link set DEV up"},
    [PACKET_TX_REFUSED] = {"tx_refused", "the kernel did not take it: look at dmesg"},
};

int packet_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    struct packet *p = (struct packet *)link;
    struct tpacket_stats s = {.tp_drops = 0};
    socklen_t len = sizeof s;
    int n = 0;

    /* Asking sets the kernel's counter back to 0. */
    if (getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0)
        p->lost[PACKET_RX_FULL] += s.tp_drops;
    for (; n < PACKET_LOSSES && n < max; n++)
        out[n] = (struct weir_link_loss){words[n].why, words[n].doc, p->lost[n]};
    return n;
}
