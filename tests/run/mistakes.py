"""Bad input: one line on stderr that begins "weir:", names the mistake and the nearest right word,
and exit status 2. Nothing is started."""
import subprocess
import unittest

import rig
import tap

# What is typed after `weir`: what the line must name.
MISTAKES = [
    ("rn", "unknown verb 'rn'", "'run'"),
    ("sysctrl", "unknown verb 'sysctrl'", "'sysctl'"),
    ("run --nett x -- true", "unknown option '--nett'", "'--net'"),
    ("run --sed 1 -- true", "unknown option '--sed'", "'--se"),
    ("run -z -- true", "unknown option '-z'", "--help"),
    ("run --net", "no value for '--net'", "--help"),
    ("run -p", "no value for '-p'", "--help"),
    ("run", "which program?", "weir run [OPTIONS] -- PROGRAM"),
    ("run --", "which program?", "weir run [OPTIONS] -- PROGRAM"),
    ("run --set net.ipv4.tcp_fin_timeou=3 -- true", "'net.ipv4.tcp_fin_timeou'",
     "did you mean 'net.ipv4.tcp_fin_timeout'"),
    ("run --set net.ipv4.tcp_fin_timeout -- true", "'net.ipv4.tcp_fin_timeout'", "KNOB=VALUE"),
    ("run --set net.ipv4.tcp_fin_timeout=abc -- true", "net.ipv4.tcp_fin_timeout=abc", "=30"),
    ("run --set net.ipv4.tcp_fin_timeout=99999999999 -- true", "out of bounds", "bounds"),
    ("run --link hots -- true", "unknown link 'hots'", "'host'"),
    ("run --link tpa:x -- true", "unknown link 'tpa:x'", "tap:NAME"),
    ("run --ip 1.2.3 -- true", "not an address '1.2.3'", "--ip 10.77.0.2/24"),
    ("run --ip 1.2.3.4/33 -- true", "not an address '1.2.3.4/33'", "--ip 10.77.0.2/24"),
    ("run --gw nowhere -- true", "not an address 'nowhere'", "--gw 10.77.0.1"),
    ("run -p 1.2.3:80:80 -- true", "not an address in -p '1.2.3'", "127.0.0.1:8080:80"),
    ("run -p 80 -- true", "'80'", "HOST:PORT"),
    ("run -p 99999:3 -- true", "not a port in -p '99999:3'", "8080:80"),
    ("run -p 80x:3 -- true", "not a port in -p '80x:3'", "8080:80"),
    ("run --via door -- true", "unknown door 'door'", "preload"),
    ("run --seed one -- true", "not a number in --seed 'one'", "--seed 7"),
    ("run --pcapng /no/such/folder/x -- true", "/no/such/folder/x", "No such file"),
    ("ss --tpc", "unknown option '--tpc'", "'--tcp'"),
    ("ss state ESTB", "unknown state 'ESTB'", "'established'"),
]
NETS = [
    ("dely 3ms", 'unknown word "dely"', '"delay"'),
    ("delay 4parsec", '"parsec"', "did you mean"),
    ("delay", '"delay" needs a value', '"delay '),
    ("loss 200%", '"loss 200%"', "too large"),
    ("loss", '"loss" needs a value', '"loss 1%"'),
    ("upp: loss 1%", 'upp', '"up'),
]


class Mistakes(unittest.TestCase):
    """One case for each row, made below."""

    def check(self, words, mistake, hint):
        answer = subprocess.run([rig.WEIR, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=rig.PATIENCE, check=False)
        self.assertEqual(answer.returncode, 2, answer)
        self.assertEqual(answer.stdout, "")
        self.assertRegex(answer.stderr, r"\Aweir: [^\n]+\n\Z")
        self.assertIn(mistake, answer.stderr)
        self.assertIn(hint, answer.stderr)


def add_case(shown, words, mistake, hint):
    setattr(Mistakes, f"test_{shown}", lambda self: self.check(words, mistake, hint))


for typed, *expected in MISTAKES:
    add_case(typed, typed.split(), *expected)
for typed, *expected in NETS:
    add_case("net_" + typed, ["run", "--net", typed, "--", "true"], *expected)

if __name__ == "__main__":
    tap.main()
