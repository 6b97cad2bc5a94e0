"""Compares what applications claim to be with what they did when run.

    python -m tests.corpus.labelling            # in tools/onepath: verify labels.json against a run
    python -m tests.corpus.labelling --write    # write it anew, unless one did not do what its heading says;
                                                # with the newest Python, so that none is left out

A label is how far sinks were reached: for each reached sink how many of the two mandated nodes had been passed, and
whether a value was carried that the pipeline did not make.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from .loading import HERE, App, load

LABELS: Final = HERE / "labels.json"
NODES: Final = 2
BATCHES: Final = 4


def executed(apps: list[App], folder: Path) -> dict[str, dict[str, Any]]:
    """Run them all, unfolded below `folder`; by id what happened."""
    tasks = []
    for number, app in enumerate(apps):
        if app.runs_here:
            place = app.unfold(folder / f"run{number}")
            tasks.append({"id": app.id, "folder": str(place), "call": app.call})
    with ThreadPoolExecutor(BATCHES) as pool:
        answers = pool.map(_batch, [tasks[start::BATCHES] for start in range(BATCHES)])
    return {answer["id"]: answer for some in answers for answer in some}


def _batch(tasks: list[dict[str, str]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", str(HERE / "running.py")],
        input=json.dumps(tasks),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def label(answer: dict[str, Any]) -> dict[str, Any]:
    """The part of an answer that is a fact about the application and not about the interpreter."""
    return {
        "verdict": verdict(answer),
        "passed": sorted({one["passed"] for one in answer["reached"]}),
        "forged": answer["forged"],
        "at": sorted({line for one in answer["reached"] if one["passed"] < NODES for line in one["lines"]}),
    }


def verdict(answer: dict[str, Any]) -> str:
    """`bypass` or `innocent`."""
    around = any(one["passed"] < NODES for one in answer["reached"])
    return "bypass" if around or answer["forged"] else "innocent"


def disagreements(apps: list[App], answers: dict[str, dict[str, Any]]) -> list[str]:
    """Applications that did not do what their heading claims."""
    told = []
    for app in apps:
        answer = answers.get(app.id)
        if answer is None:
            continue
        claimed = "innocent" if app.kind == "innocent" else "bypass"
        if answer["error"]:
            told.append(f"{app.source}: {app.id}: it failed: {answer['error']}")
        elif verdict(answer) != claimed:
            told.append(f"{app.source}: {app.id}: claims {claimed}, but {label(answer)}")
    return told


def differences(known: dict[str, dict[str, Any]], labels: dict[str, dict[str, Any]]) -> list[str]:
    """Labels that are no longer true; lines (`at`) may differ between interpreters and are not compared."""
    facts = ("verdict", "passed", "forged")
    return [
        f"{name}: labelled {known.get(name)}, but {one}"
        for name, one in labels.items()
        if any(known.get(name, {}).get(fact) != one[fact] for fact in facts)
    ]


def read_labels() -> dict[str, dict[str, Any]]:
    """By id, as last written."""
    return dict(json.loads(LABELS.read_text(encoding="utf-8")))


def main() -> int:
    """See the module."""
    apps = load()
    with tempfile.TemporaryDirectory() as folder:
        answers = executed(apps, Path(folder))
    told = disagreements(apps, answers)
    labels = {name: label(answer) for name, answer in sorted(answers.items())}
    if "--write" in sys.argv and not told:
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in labels.items())
        LABELS.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    elif LABELS.exists():
        known = read_labels()
        told += differences(known, labels)
    for line in told:
        print(line)
    kinds = {kind: sum(app.kind == kind for app in apps) for kind in ("bypass", "opaque", "innocent")}
    print(f"{len(apps)} applications, {len({app.technique for app in apps})} techniques: {kinds}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
