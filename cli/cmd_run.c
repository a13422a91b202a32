/* weir run: see run/options.c for its words and run/launch.c for what it does. */
#include "cli/cli.h"

int cmd_run(int argc, char **argv)
{
    return run_verb(argc, argv);
}
