/* weir: a TCP/IP stack in user space. This header brings in all of libweir's interface.
 *
 * A stack is an object without threads, clocks or system calls. It is driven by three verbs and a
 * deadline (stack.h), used through sockets (socket.h), joined to a network by links (driver.h),
 * tuned by knobs (knob.h), and it says what happened (stat.h, trace.h).
 *
 * Functions return a value >= 0, or a negative errno constant such as -EAGAIN; those that make an
 * object return NULL for no memory, or fill a line of text that names the next thing to do.
 * docs/library.md is the way in; examples/echo.c the first program. */
#ifndef WEIR_H
#define WEIR_H

#include <weir/addr.h>
#include <weir/driver.h>
#include <weir/frame.h>
#include <weir/gateway.h>
#include <weir/knob.h>
#include <weir/net.h>
#include <weir/pcapng.h>
#include <weir/socket.h>
#include <weir/stack.h>
#include <weir/stat.h>
#include <weir/trace.h>

#define WEIR_VERSION "0.1.0"

#endif
