#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the documentation shows is so: the generated reference, every command line of README.md,
CONTRIBUTING.md and docs/, the output below it, links, and the options in manual and completion."""
import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

PAGES = ["README.md", "CONTRIBUTING.md", *sorted(map(str, Path("docs").glob("*.md")))]

# Command lines that another test runs, or that are what runs this one.
ELSEWHERE = {
    "git clone URL iau && cd iau": "whoever runs this test has done it",
    "make check": "runs this test",
    "make check-llama": "needs the network",
    "make vm": "needs the network; tests/vm/boot.t",
    "make vm CMD='iau info'": "needs the network; tests/vm/boot.t",
    "make vm CMD='iau run -m models/iau-ci/iau-ci-q8_0.gguf -n 40 -p \"Once upon a time\"'":
        "needs the network; tests/vm/model.t",
    "make vm KERNEL=7.3 ENGINE=ref CARDS=2": "needs the network; tests/vm/boot.t",
    "make vm-module": "needs the network; tests/vm",
    "make bench-vm": "needs the network",
    "make check-vm": "needs the network",
    "make check-debug": "needs the network",
    "make check-vm check-driver": "needs the network",
    "cc -o copy copy.c -Iuapi $(pkg-config --cflags --libs libdrm)": "tests/vm/uapi.t",
    "./copy /dev/accel/accel0": "tests/vm/uapi.t",
    "make lint-rtl-mxu lint-rtl-vec": "the builds of tests/rtl, with the same warnings",
    "make install PREFIX=$HOME/iau": "tests/e2e/install.t",
    "export PKG_CONFIG_PATH=$HOME/iau/lib/pkgconfig LD_LIBRARY_PATH=$HOME/iau/lib":
        "tests/e2e/install.t",
    "cc -o example example.c $(pkg-config --cflags --libs libiau)": "tests/e2e/install.t",
    './example models/iau-ci/iau-ci-q8_0.gguf "Once upon a time" rtl': "tests/e2e/install.t",
}

# Commands that run no model: of the common options they have --json only.
NO_MODEL = {"dump", "top"}

# Lines of output that depend on the host's speed or change with every cycle saved.
FIGURES = re.compile(r"^\[|tokens/s|^  \S.*  +\d")

results = []


def test(ok, name, *notes):
    results.append(ok)
    for note in notes if not ok else ():
        print("#", str(note).replace("\n", "\n# "))
    print("ok" if ok else "not ok", len(results), "-", name, flush=True)


def run(command):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], env=env, text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=600)


def blocks(text):
    """The fenced blocks as (language, lines)."""
    block = None
    for line in text.splitlines():
        if not line.startswith("```"):
            if block:
                block[1].append(line)
        elif block:
            yield block
            block = None
        else:
            block = line[3:].strip(), []


def shell_blocks(text):
    """The blocks that hold command lines, each of them behind a "$ "."""
    for language, lines in blocks(text):
        if language not in ("", "sh", "shell", "console"):
            continue
        if any(line.startswith("$ ") for line in lines):
            yield lines
        elif re.match(r"(git|make|build/\S+|python3|cc|apt|export) ", lines[0]):
            yield ["$ " + line for line in lines if line]


def commands(text):
    """(command line, expected output) of the shell blocks."""
    for lines in shell_blocks(text):
        at = [i for i, line in enumerate(lines) if line.startswith("$ ")]
        for i, end in zip(at, at[1:] + [len(lines)]):
            yield re.sub(r"\s+# .*", "", lines[i][2:]), [s for s in lines[i + 1:end] if s]


def check_command(page, command, want):
    r = run(command)
    shown = [line for line in want if not FIGURES.search(line)]
    got = [line for line in r.stdout.splitlines() if line and not FIGURES.search(line)]
    for line in want:
        if FIGURES.search(line) and line not in (r.stdout + r.stderr).splitlines():
            print(f"# the page's figures are others by now: {line}")
    same = not shown or got == shown
    test(r.returncode == 0 and same, f"{page}: {command}", f"exit status {r.returncode}", r.stderr,
         "\n".join(difflib.unified_diff(shown, got, page, "output", lineterm="")) if shown else "")


def check_commands():
    seen = set()
    for page in PAGES:
        for command, want in commands(Path(page).read_text()):
            if command in ELSEWHERE:
                seen.add(command)
                print(f"# {page}: {command}: {ELSEWHERE[command]}")
            else:
                check_command(page, command, want)
    stale = [c for c in ELSEWHERE if c not in seen]
    test(not stale, "the table of commands run elsewhere names none that is gone", *stale)


def check_generated(kind, path):
    want = run(f"python3 hw-model/spec/gen.py {kind}").stdout.splitlines()
    have = Path(path).read_text().splitlines()
    diff = list(difflib.unified_diff(have, want, path, "gen.py", n=0, lineterm=""))
    test(want == have, f"{path} is what gen.py makes of the contract", *diff[:20],
         f"make {path} regenerates it")


def check_links():
    missing = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", Path(page).read_text()):
            if not (Path(page).parent / target).exists():
                missing.append(f"{page}: {target}")
    test(not missing, "links between pages lead somewhere", *missing)


def options_of(command):
    """{long name: short letter or None} from --help"""
    text = run(f"build/iau {command} --help").stdout
    found = re.findall(r"^\s+(?:-(\S), |)\s*--([a-z0-9-]+)", text, re.M)
    return {name: short or None for short, name in found}


def manual_options():
    """{command, or '' for common ones: {long: short}} from the lists of the manual page"""
    page = Path("libiau/man/iau.1").read_text().split(".Sh OPTIONS")[1].split(".Sh ")[0]
    out = {}
    for part in page.split(".El")[:-1]:
        head, items = part.split(".Bl", 1)
        options = {name: short or None
                   for short, name in re.findall(r"Fl (?:(\w) , )?-([a-z0-9-]+)", items)}
        for command in [""] if "Common to all" in head else re.findall(r"^\.Cm (\w+)", head, re.M):
            out[command] = options
    return out


def completed_options(command):
    script = f"""source libiau/tools/completion/iau.bash; compopt() {{ :; }}
        COMP_WORDS=(iau {command} --) COMP_CWORD=2; _iau iau -- {command}
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return {line[2:] for line in run(script).stdout.split()}


def completed_commands():
    script = """source libiau/tools/completion/iau.bash; compopt() { :; }
        COMP_WORDS=(iau '') COMP_CWORD=1; _iau iau '' iau; printf '%s\\n' "${COMPREPLY[@]}" """
    return set(run(script).stdout.split())


def check_options():
    names = re.findall(r"^  (\w+) ", run("build/iau --help").stdout, re.M)
    manual = manual_options()
    page = Path("libiau/man/iau.1").read_text()
    test(set(re.findall(r"^\.It Cm (\w+)$", page, re.M)) == set(names),
         "the manual page describes the commands of the binary", names)
    test(completed_commands() == set(names) | {"help"}, "so does completion", completed_commands())
    for name in names:
        have = options_of(name)
        own = {k: v for k, v in have.items() if k not in ("help", "usage")}
        common = {k: v for k, v in manual.get("", {}).items() if name not in NO_MODEL or k == "json"}
        want = {**common, **manual.get(name, {})}
        test(own == want, f"the manual page has the options of iau {name}", own, want)
        test(completed_options(name) == set(have), f"completion has the options of iau {name}",
             have, completed_options(name))


os.chdir(Path(__file__).resolve().parents[2])
check_generated("md", "docs/hardware-reference.md")
check_generated("kernel", "driver/iau_regs.h")
check_generated("kselftest", "tests/kselftest/drivers/accel/iau/iau_commands.h")
check_links()
check_options()
check_commands()
print(f"1..{len(results)}")
sys.exit(not all(results))
