# SPDX-License-Identifier: MIT
"""The two probes of a folder as commands."""

import os
import struct
import subprocess
from pathlib import Path


def command(folder, engine, *args):
    """Arguments and environment. "flash" is llama.cpp with the attention that it would choose itself."""
    folder = Path(folder).resolve()
    lib = folder / "root/usr/lib/x86_64-linux-gnu"
    line, env = [folder / "probe-iau", *args], dict(os.environ)
    if engine != "iau":
        line = [lib / "ld-linux-x86-64.so.2", "--library-path", lib, folder / "probe-llama", *args]
        env["GGML_BACKENDS"] = str(lib / "ggml/backends0")
        if engine == "flash":
            env["FLASH_ATTENTION"] = "1"
    return [str(c) for c in line], env


def pack(tokens):
    return struct.pack(f"<{len(tokens)}i", *tokens)


def run(folder, engine, *args, stdin):
    """What a probe prints"""
    line, env = command(folder, engine, *args)
    return subprocess.run(line, input=stdin, check=True, stdout=subprocess.PIPE, env=env).stdout


class Turns:
    """A probe that has read TOKENS and decodes COUNT more each time that it is told to"""

    def __init__(self, folder, engine, model, tokens, count, budget):
        self.count = count
        line, env = command(folder, engine, "turns", model, str(count), str(budget))
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.process.stdin.write(pack([len(tokens), *tokens]))
        self.process.stdin.flush()
        self.seconds()

    def seconds(self):
        return float(self.process.stdout.readline())

    def rate(self):
        """Tokens/s of a turn"""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.count / self.seconds()

    def close(self):
        self.process.communicate()


def long_decode(folder, model, text, length, budget, count, turns):
    """
    Tokens/s after LENGTH tokens of TEXT, turn by turn: of libiau with a choice of BUDGET, of llama.cpp as it is, and
    of llama.cpp without flash attention
    """
    tokens = [int(t) for t in run(folder, "llama", "tokenize", model, stdin=text).split()][:length]
    engines = [Turns(folder, engine, model, tokens, count, budget) for engine in ("iau", "flash", "llama")]
    rates = [[engine.rate() for engine in engines] for _ in range(turns)]
    for engine in engines:
        engine.close()
    return rates
