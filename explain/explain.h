/* weir explain: what happened in a capture that somebody else took.
 *
 * Knows: nothing; the door for the command. Shape: one call. Units: none. Errors: exit statuses:
 * 0 nothing is wrong, 1 something is (a connection failed, the file is damaged), 2 bad usage or no
 * capture. */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

/* argv[0] is the verb. */
int cmd_explain(int argc, char **argv);

#endif
