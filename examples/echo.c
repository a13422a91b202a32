/* The first program to read: a TCP echo server on a stack of its own. A stack does nothing by
 * itself: the loop in main() waits for a frame or a timer, moves frames, and serves the sockets.
 *
 *   example-echo         a client in this process asks it over a link in memory; then it ends
 *   example-echo NAME    it serves 10.0.0.2, port 7, on the TAP device NAME until interrupted
 *   example-echo wire:NAME    the same for programs on this wire: no privilege is needed */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <weir/weir.h>

static int must(int value, const char *what)
{
    if (value < 0) /* errors are negative errno constants */
        errx(1, "%s: %s", what, strerror(-value));
    return value;
}

/* A stack with one interface, number 1. A program that serves strangers takes its seed from
 * getrandom(): it is the key of sequence numbers and ports. */
static struct weir_stack *new_stack(const struct weir_iface_config *iface, uint32_t address)
{
    struct weir_config config = {.seed = {1, address}, .now_ns = weir_clock_ns()};
    struct weir_addr addr = weir_addr_v4(address);
    struct weir_stack *stack = weir_new(&config);

    must(stack ? weir_iface_add(stack, iface) : -1, "stack");
    must(weir_addr_add(stack, 1, &addr, 24), "address");
    return stack;
}

/* Sends back what came. What finds no room stays in the receive buffer, and the peer's window
 * closes; WEIR_READY_OUT brings us here again. */
static void echo(struct weir_stack *stack, int sock)
{
    struct weir_slice slice[2];
    bool ended = false;

    while (weir_recv_slices(stack, sock, slice, &ended) > 0) {
        int sent = (int)weir_send(stack, sock, slice[0].data, slice[0].len, 0);
        if (sent < 0)
            break;
        weir_recv_consume(stack, sock, (uint32_t)sent);
    }
    if (ended || weir_readiness(stack, sock) & (WEIR_READY_ERR | WEIR_READY_HUP))
        weir_close(stack, sock);
}

static void serve(struct weir_stack *stack, int listener)
{
    struct weir_ready_event event;

    while (weir_accept(stack, listener, NULL) >= 0) /* ready at once: it comes up below */
        ;
    while (weir_ready(stack, &event, 1) > 0)
        if (event.sock != listener)
            echo(stack, event.sock);
}

/* The client says a line once it is connected. True when the answer came. */
static bool ask(struct weir_stack *stack, int sock)
{
    static bool asked;
    char answer[64];

    if (!asked && weir_readiness(stack, sock) & WEIR_READY_OUT)
        asked = weir_send(stack, sock, "hello, weir", 11, 0) == 11;
    int n = (int)weir_recv(stack, sock, answer, sizeof answer, 0); /* -EAGAIN: nothing yet */
    return n > 0 && printf("10.0.0.2 answers: %.*s\n", n, answer) > 0;
}

static struct weir_link *open_link(const char *name)
{
    struct weir_wire_config wire = {.name = name + 5};
    char error[300];
    struct weir_link *link = strncmp(name, "wire:", 5) == 0
                                 ? weir_wire_open(&wire, error, sizeof error)
                                 : weir_tap_open(name, error, sizeof error);

    if (!link)
        errx(1, "%s", error);
    return link;
}

int main(int argc, char **argv)
{
    struct weir_iface_config iface = {.name = "mem", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_sockaddr at = {.addr = weir_addr_v4(0x0a000002), .port = 7};
    struct weir_link *link = argc > 1 ? open_link(argv[1]) : NULL;
    struct weir_stack *server = new_stack(link ? &link->iface : &iface, 0x0a000002), *near = server;
    int listener = must(weir_socket(server, AF_INET, SOCK_STREAM, 0), "socket"), client = -1;

    must(weir_bind(server, listener, &at), "bind");
    must(weir_listen(server, listener, 16), "listen");
    if (!link) { /* two stacks; moving frames at the near end drives both */
        near = new_stack(&iface, 0x0a000001);
        link = weir_mem_open(server, 1, &iface);
        client = must(weir_socket(near, AF_INET, SOCK_STREAM, 0), "socket");
        weir_connect(near, client, &at); /* -EINPROGRESS: no call here ever waits */
    }
    do {
        poll(&(struct pollfd){.fd = weir_link_fd(link), .events = POLLIN}, 1,
             weir_poll_ms(weir_link_deadline(link, near), weir_clock_ns()));
        must(weir_link_pump(link, near, 1, weir_clock_ns(), 16), "link");
        serve(server, listener);
    } while (client < 0 || !ask(near, client));
    weir_link_close(link);
    weir_free(server), weir_free(near);
}
