/* Two stacks, a bad network, virtual time: ten megabytes over 40 ms and 1 % loss, in a blink.
 *
 * Nobody sleeps here. `now` is a number, and when nothing moves it jumps to the next deadline. With
 * the same seed each run is the same to the last packet; another seed is the first argument. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <weir/weir.h>

#define BYTES 10000000

static struct weir_stack *new_stack(const struct weir_iface_config *iface, uint32_t address,
                                    uint64_t seed)
{
    struct weir_config config = {.seed = {seed, address}};
    struct weir_addr addr = weir_addr_v4(address);
    struct weir_stack *stack = weir_new(&config);

    if (!stack || weir_iface_add(stack, iface) != 1 || weir_addr_add(stack, 1, &addr, 24) < 0)
        errx(1, "no stack");
    return stack;
}

/* Byte i of the stream is a function of i, so that the receiver can check each. */
static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 2654435761u >> 24);
}

static uint32_t write_some(struct weir_stack *stack, int sock, uint32_t sent)
{
    struct weir_space space[2];
    int n = sent < BYTES ? weir_send_space(stack, sock, BYTES - sent, space) : 0;
    uint32_t at = sent;

    for (int i = 0; i < n; i++)
        for (uint32_t j = 0; j < space[i].len; j++)
            space[i].data[j] = byte_at(at++);
    if (n > 0)
        weir_send_commit(stack, sock, at - sent, 0);
    if (n > 0 && at == BYTES)
        weir_shutdown(stack, sock, SHUT_WR);
    return at;
}

static uint32_t read_some(struct weir_stack *stack, int sock, uint32_t got, bool *ended)
{
    uint8_t data[65536];
    ssize_t n;

    while ((n = weir_recv(stack, sock, data, sizeof data, 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (data[i] != byte_at(got++))
                errx(1, "byte %u is wrong", got - 1);
    *ended = n == 0;
    return got;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    struct weir_iface_config iface = {.name = "mem", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_stack *a = new_stack(&iface, 0x0a000001, seed);
    struct weir_stack *b = new_stack(&iface, 0x0a000002, seed);
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002), .port = 9};
    int listener = weir_socket(b, AF_INET, SOCK_STREAM, 0), reader = -1;
    int writer = weir_socket(a, AF_INET, SOCK_STREAM, 0);
    struct weir_impair impair;
    char error[200];

    if (weir_impair_parse(&impair, "delay 20ms loss 1%", error, sizeof error) < 0)
        errx(1, "%s", error);
    impair.seed = seed;
    struct weir_link *link = weir_impair_open(weir_mem_open(b, 1, &iface), &impair);
    if (weir_bind(b, listener, &to) < 0 || weir_listen(b, listener, 1) < 0)
        errx(1, "no listener");
    weir_connect(a, writer, &to);

    int64_t now = 0;
    uint32_t sent = 0, got = 0;
    for (bool ended = false; !ended;) {
        while (weir_link_pump(link, a, 1, now, 1) > 0)
            ;
        sent = write_some(a, writer, sent);
        if (reader < 0)
            reader = weir_accept(b, listener, NULL);
        if (reader >= 0)
            got = read_some(b, reader, got, &ended);
        int64_t next = weir_link_deadline(link, a); /* 0: something is to be sent now */
        now = next > now ? next : now;
    }
    struct weir_sock_info info;
    weir_info(a, writer, &info);
    printf("%u bytes in %.3f s of virtual time; %u segments, %u retransmitted, none wrong\n", got,
           (double)now / 1e9, info.segs_out, info.retrans);
}
