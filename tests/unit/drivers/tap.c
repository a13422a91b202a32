/* The TAP link, in a user and network namespace of its own; skipped where that is not permitted. */
#define _GNU_SOURCE
#include "fake.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

static char why_not[200];

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        snprintf(why_not, sizeof why_not, "%s: %s", path, strerror(errno));
    close(fd);
}

static void enter_namespace(void)
{
    char map[64];
    unsigned uid = getuid();
    struct weir_link *link;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        snprintf(why_not, sizeof why_not, "no user namespace: %s", strerror(errno));
        return;
    }
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    link = weir_tap_open("probe0", why_not, sizeof why_not);
    if (link)
        why_not[0] = 0;
    weir_link_close(link);
}

static struct weir_link *opened(const char *name)
{
    char error[200] = "";
    struct weir_link *link;

    link = weir_tap_open(name, error, sizeof error);
    if (!link)
        fail_msg("%s", error);
    return link;
}

/* An address for the kernel's end, so that it has something to say. */
static void give_address(const char *name, const char *address)
{
    struct ifreq r = {0};
    struct sockaddr_in a = {.sin_family = AF_INET};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    strcpy(r.ifr_name, name);
    assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
    memcpy(&r.ifr_addr, &a, sizeof a);
    assert_int_equal(ioctl(s, SIOCSIFADDR, &r), 0);
    inet_pton(AF_INET, "255.255.255.0", &a.sin_addr);
    memcpy(&r.ifr_netmask, &a, sizeof a);
    assert_int_equal(ioctl(s, SIOCSIFNETMASK, &r), 0);
    close(s);
}

/* The first frame of this ethertype, or NULL; what else the kernel says is passed over. */
static const uint8_t *wait_for(struct weir_link *link, uint16_t type, struct weir_frame *burst)
{
    for (int tries = 0; tries < 100; tries++) {
        struct pollfd p = {link->driver->fd(link), POLLIN, 0};
        int n;

        poll(&p, 1, 100);
        n = link->driver->recv(link, burst, WEIR_BURST_MAX, 0);
        for (int i = 0; i < n; i++) {
            const uint8_t *b = burst[i].part[0].data;
            if ((b[12] << 8 | b[13]) == type) {
                burst[0] = burst[i];
                return b;
            }
        }
    }
    return NULL;
}

static void the_iface_says_what_the_device_can(void **state)
{
    struct weir_link *link = opened("");

    (void)state;
    assert_int_equal(link->iface.type, WEIR_LINK_ETHER);
    assert_int_equal(link->iface.mtu, 1500);
    assert_int_equal(link->iface.gso_max, 65535);
    assert_int_equal(link->iface.flags, WEIR_IF_CSUM_TX);
    assert_int_equal(link->iface.mac[0] & 3, 2);
    assert_memory_equal(link->iface.name, "tap", 3);
    assert_int_equal(link->driver->deadline(link), WEIR_NEVER);
    weir_link_close(link);
}

static void frames_come_from_the_kernel(void **state)
{
    struct weir_link *link = opened("weir0");
    struct weir_frame burst[WEIR_BURST_MAX];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    const uint8_t *arp;
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    give_address("weir0", "10.9.0.1");
    inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
    assert_int_equal(sendto(s, "x", 1, 0, (void *)&to, sizeof to), 1);
    arp = wait_for(link, 0x0806, burst);
    assert_non_null(arp);
    assert_memory_equal(arp + 38, "\x0a\x09\x00\x02", 4);
    close(s);
    weir_link_close(link);
}

static void a_partial_checksum_comes_as_one(void **state)
{
    struct weir_link *link = opened("weir1");
    struct weir_frame burst[WEIR_BURST_MAX];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    int on = 1;

    (void)state;
    give_address("weir1", "10.8.0.1");
    setsockopt(s, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    inet_pton(AF_INET, "10.8.0.255", &to.sin_addr);
    assert_int_equal(sendto(s, "x", 1, 0, (void *)&to, sizeof to), 1);
    assert_non_null(wait_for(link, 0x0800, burst));
    assert_int_equal(burst[0].flags, WEIR_CSUM_PARTIAL);
    assert_int_equal(burst[0].csum_start, 14 + 20);
    assert_int_equal(burst[0].csum_offset, 6);
    close(s);
    weir_link_close(link);
}

/* A superframe goes into the kernel whole, and a packet socket sees it arrive so. */
static void a_superframe_goes_to_the_kernel(void **state)
{
    struct weir_link *link = opened("weir2");
    static uint8_t bytes[14 + 20000];
    static uint8_t got[65536];
    uint32_t len = build_tcp4(bytes + 14, 15000) + 14;
    struct weir_frame f = {.part = {{bytes, 54}, {bytes + 54, 5000}, {bytes + 5054, len - 5054}},
                           .parts = 3,
                           .flags = WEIR_CSUM_PARTIAL,
                           .gso_size = 1460,
                           .csum_start = 34,
                           .csum_offset = 16,
                           .hdr_len = 54};
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_IP));
    ssize_t n = -1;

    (void)state;
    at.sll_ifindex = (int)if_nametoindex("weir2");
    assert_int_equal(bind(s, (void *)&at, sizeof at), 0);
    memset(bytes, 0xff, 6); /* to everybody */
    memset(bytes + 6, 2, 6);
    bytes[12] = 8;
    assert_int_equal(link->driver->send(link, &f, 1, 0), 1);
    assert_int_equal(weir_tap_dropped(link), 0);
    for (int tries = 0; tries < 100 && n < 0; tries++) {
        struct pollfd p = {s, POLLIN, 0};
        poll(&p, 1, 100);
        n = recv(s, got, sizeof got, 0);
    }
    assert_int_equal(n, len);
    assert_memory_equal(got + 54, bytes + 54, len - 54);
    close(s);
    weir_link_close(link);
}

/* What the device refuses is dropped and counted, and the rest of the burst goes. */
static void a_device_that_is_down_takes_nothing(void **state)
{
    struct weir_link *link = opened("weir4");
    struct weir_link_loss loss = {.frames = 99};
    struct ifreq r = {.ifr_flags = 0};
    static uint8_t bytes[60];
    struct weir_frame burst[2];
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    memset(bytes, 0xff, 6);
    for (int i = 0; i < 2; i++)
        burst[i] = (struct weir_frame){.part = {{bytes, sizeof bytes}}, .parts = 1};
    assert_int_equal(link->driver->send(link, burst, 2, 0), 2);
    assert_int_equal(weir_link_losses(link, &loss, 1), 1);
    assert_int_equal(loss.frames, 0);
    strcpy(r.ifr_name, "weir4");
    assert_int_equal(ioctl(s, SIOCSIFFLAGS, &r), 0);
    assert_int_equal(link->driver->send(link, burst, 2, 0), 2);
    assert_int_equal(weir_link_losses(link, &loss, 1), 1);
    assert_string_equal(loss.why, "tx_refused");
    assert_int_equal(loss.frames, 2);
    assert_int_equal(weir_tap_dropped(link), 2);
    close(s);
    weir_link_close(link);
}

static void errors_name_the_next_step(void **state)
{
    struct weir_link *link = opened("weir3");
    char error[200] = "";

    (void)state;
    assert_null(weir_tap_open("weir3", error, sizeof error));
    assert_string_equal(error,
                        "tap device weir3 is in use by another process: choose another name");
    assert_null(weir_tap_open("a-name-that-is-too-long", error, sizeof error));
    assert_string_equal(error, "a-name-that-is-too-long is too long for a device name: "
                               "use at most 15 letters");
    assert_null(weir_tap_open("lo", error, sizeof error));
    assert_string_equal(error, "lo is there and is no tap device that can be attached: choose "
                               "another name");
    weir_link_close(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_iface_says_what_the_device_can),
        cmocka_unit_test(frames_come_from_the_kernel),
        cmocka_unit_test(a_partial_checksum_comes_as_one),
        cmocka_unit_test(a_superframe_goes_to_the_kernel),
        cmocka_unit_test(a_device_that_is_down_takes_nothing),
        cmocka_unit_test(errors_name_the_next_step),
    };

    enter_namespace();
    if (why_not[0]) {
        printf("1..0 # SKIP %s\n", why_not);
        return 0;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("tap", tests, NULL, NULL);
}
