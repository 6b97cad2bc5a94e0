"""Runs a case in a process of its own and tells which calls between its own functions happened.

The frames say it: a call from a comprehension counts for the function around it, one from a class body for the class;
code in `eval` and `exec` for whoever runs it. It knows nothing of the analysis.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from .loading import Case, Edges

_RECORDER: Final = '''
import json, os, runpy, sys, types

HERE = os.getcwd() + os.sep
INLINE = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
names = {}


def module(file):
    parts = file[len(HERE):].removesuffix(".py").replace(os.sep, ".")
    return parts.removesuffix(".__init__")


def learn(code, name):
    """Names of the code objects inside `code`, lambdas numbered in order."""
    lambdas = 0
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            if inner.co_name == "<lambda>":
                lambdas += 1
                names[inner] = f"{name}.<lambda{lambdas}>"
            elif inner.co_name in INLINE:
                names[inner] = name
            else:
                names[inner] = f"{name}.{inner.co_name}"
            learn(inner, names[inner])


def named(frame):
    code = frame.f_code
    if code in names:
        return names[code]
    if code.co_filename.startswith(HERE) and code.co_name == "<module>":
        names[code] = module(code.co_filename)
        learn(code, names[code])
        return names[code]
    return None


def own(frame):
    while frame is not None:
        name = named(frame)
        if name is not None:
            return name
        frame = frame.f_back
    return None


edges = set()
bodies = set()


def watch(frame, event, argument):
    if event != "call":
        return
    callee = named(frame)
    if callee is None or frame.f_code.co_name == "<module>":
        return
    caller = own(frame.f_back)
    if caller is not None and frame.f_code.co_name not in INLINE and frame.f_code.co_flags & 2:
        edges.add((caller, callee))


sys.path.insert(0, HERE)
sys.path.append(sys.argv[1])
sys.setprofile(watch)
runpy.run_path(HERE + "main.py", run_name="main")
sys.setprofile(None)
print(json.dumps(sorted(edges)))
'''


def executed(case: Case, folder: Path) -> Edges:
    """The executed edges between functions of the case; `folder` is empty and is written to."""
    foreign = folder / "foreign"
    own = folder / "case"
    case.unfold(own)
    foreign.mkdir(exist_ok=True)
    for name, text in case.stubs.items():
        path = foreign / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-I", "-c", _RECORDER, str(foreign)], cwd=own, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{case.source}: the case does not run.\n{ran.stderr}")
    return frozenset((caller, callee) for caller, callee in json.loads(ran.stdout.splitlines()[-1]))
