/* `weir packetdrill`: plays packet scripts against a stack in virtual time.
 *
 * Knows: how the verb is called: argv[0] is the verb, the result its exit status (0 all passed, 1 a
 * script failed, 2 a script or an option can not be read). */
#ifndef PACKETDRILL_PACKETDRILL_H
#define PACKETDRILL_PACKETDRILL_H

int cmd_packetdrill(int argc, char **argv);

#endif
