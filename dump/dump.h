/* weir dump: packets in tcpdump's words, of a capture or of a running stack.
 *
 * Knows: nothing; the door for the command. Shape: one call. Units: none. Errors: exit statuses:
 * 0 done, 1 the capture is damaged or the stack went away, 2 bad usage. */
#ifndef DUMP_DUMP_H
#define DUMP_DUMP_H

/* argv[0] is the verb. */
int cmd_dump(int argc, char **argv);

#endif
