"""The static side: the graph onepath reads from `src/`, and what counts as a sink in it."""

from __future__ import annotations

from pathlib import Path

from onepath.config import Configuration, Project, find_project
from onepath.graph import Program
from onepath.rules.groups import expanded

import onepath

ROOTS = ("src/llmswitch_core", "src/routecodex")
SINKS = ("@network", "@process")


def graph(root: Path) -> Program:
    """The program below `root`, by the repository's own contracts where it has them; read anew, never from a cache."""
    found = find_project(root)
    configuration = found.configuration if found is not None and found.folder == root else Configuration(roots=ROOTS)
    kept = Configuration(roots=configuration.roots or ROOTS, path=configuration.path, cache="")
    return onepath.load(Project(root, "", kept)).program


def sinks() -> frozenset[str]:
    """Names of network and process operations; one that ends in `.*` stands for all below it."""
    return frozenset(expanded(SINKS))
