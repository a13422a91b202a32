"""How long a program may run, in seconds of its own work: a limit of the clock's would be missed on a busy
machine. subprocess.run(..., preexec_fn=cpu.bound)"""
import resource

SECONDS_MAX = 600


def bound():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
