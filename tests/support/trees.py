"""Build trees beside the one under test: weir as it is shipped, and built by another compiler. They stay,
so that only the first time takes long. Tests that run at the same time wait for each other here.

Nothing here has a limit in seconds: a machine that is busy builds slowly, and that is no failure."""
import contextlib
import fcntl
import os
import shutil
import subprocess

SOURCE, BUILD = os.environ["WEIR_SOURCE"], os.environ["WEIR_BUILD"]
SHIPPED = os.path.join(BUILD, "install", "tree")
PREFIX = os.path.join(BUILD, "install", "prefix")
MESON = "/usr/bin/meson" if os.path.exists("/usr/bin/meson") else shutil.which("meson")
NINJA = "/usr/bin/ninja" if os.path.exists("/usr/bin/ninja") else shutil.which("ninja")
# The makes and sanitizers around a test are not the user's.
ENV = {k: v for k, v in os.environ.items()
       if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "DESTDIR", "LD_LIBRARY_PATH")}


def run(*command, env=None, **more):
    """Its standard output; what went wrong is the failure's text."""
    answer = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env={**ENV, **(env or {})}, check=False, **more)
    if answer.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {answer.returncode}\n{answer.stdout[-3000:]}")
    return answer.stdout


@contextlib.contextmanager
def alone(tree):
    os.makedirs(os.path.dirname(tree), exist_ok=True)
    with open(tree + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(target, destdir=""):
    with alone(SHIPPED):
        run("make", "-C", SOURCE, target, f"BUILD={SHIPPED}", f"PREFIX={PREFIX}", f"DESTDIR={destdir}")


def shipped():
    """The command with the flags that `make install` builds it with."""
    make("all")
    return os.path.join(SHIPPED, "weir")


def compiled_by(compiler):
    """The command, optimized by another compiler than the usual one."""
    tree = os.path.join(BUILD, f"determinism-{compiler}-O2")
    with alone(tree):
        if os.path.exists(os.path.join(tree, "build.ninja")):
            run(MESON, "setup", "--reconfigure", tree, SOURCE)
        else:
            shutil.rmtree(tree, ignore_errors=True)
            cache = "ccache " if shutil.which("ccache") else ""
            run(MESON, "setup", tree, SOURCE, "-Doptimization=2", "-Ddebug=false", "-Dtests=disabled",
                "-Dexamples=false", "-Dwarning_level=0", env={"CC": cache + compiler})
        run(NINJA, "-C", tree, "weir")
    return os.path.join(tree, "weir")
