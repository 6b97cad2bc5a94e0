"""A small shop: faces, an app, two blocks, a bank that sends; drawn, with its docstrings as files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from onepath.config import parse_configuration
from onepath.graph import Edge, Function, Import, Node, Place, Program
from onepath.regions.docstrings import summaries
from onepath.regions.material import Material
from onepath.rules.contract import Model, Proof

CONFIGURATION = """
roots = ["src/shop", "src/core"]

[[path]]
name = "single-path"
entries = ["@route", "@command"]
through = ["shop.app.flow.Flow.run", "shop.bank.send"]
carries = [{ into = "shop.bank.send", argument = "order", made_by = "core.orders.checked" }]
sinks = ["@network"]
ways_out = [{ node = "shop.cli.client", reason = "own daemon" }]

[[layers]]
name = "house"
containers = ["shop"]
layers = ["cli | web", "app", "blocks", "bank", "core"]

[[forbidden]]
name = "pure"
from = ["core"]
only = ["@stdlib", "msgspec"]

[docs]
apps = ["shop.app"]
blocks = ["shop.blocks"]
faces = ["shop.web", "shop.cli"]
rooms = { core = "core (pure)", "shop.bank" = "the one way out" }
"""
DOCSTRINGS = {
    "src/core/__init__.py": "The shared part: no I/O | at all. More.",
    "src/core/orders.py": "Checks orders, e.g. their sums. And more.",
    "src/shop/__init__.py": "The host.",
    "src/shop/app/__init__.py": "Orchestrates; wires `blocks`.",
    "src/shop/app/flow.py": "The flow.",
    "src/shop/bank.py": "Sends.",
    "src/shop/blocks/__init__.py": "",
    "src/shop/blocks/stock/__init__.py": "What is\nthere?\n\nMore.",
    "src/shop/web.py": "Routes.",
    "src/shop/cli.py": "Commands.",
}
EDGES = (
    ("shop.web.buy", "shop.app.flow.Flow.run"),
    ("shop.web.sell", "shop.app.flow.Flow.run"),
    ("shop.cli.start", "shop.app.kernel.start"),
    ("shop.app.kernel.start", "shop.app.flow.Flow.run"),
    ("shop.app.flow.Flow.run", "core.orders.checked"),
    ("shop.app.flow.Flow.run", "shop.bank.send"),
    ("shop.app.flow.Flow.run", "shop.blocks.stock.Stock.__init__"),
    ("shop.app.flow.Flow.run", "shop.blocks.stock.Stock.take"),
    ("shop.bank.send", "shop.wire.connect"),
    ("shop.wire.connect", "socket.create_connection"),
)


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """The shop, ready to be described."""
    modules: dict[str, str] = {}
    for file, text in {**DOCSTRINGS, "src/shop/app/kernel.py": "Boots.", "src/shop/wire.py": "Wires."}.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{text}"""\n' if text else "")
        name = file.removeprefix("src/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        modules[name] = file
    names = sorted({name for edge in EDGES for name in edge})
    functions = {
        name: Function(
            name,
            _module(name, modules) or name.rpartition(".")[0],
            "function" if _module(name, modules) else "external",
            Place(modules[_module(name, modules)], 3) if _module(name, modules) else None,
        )
        for name in names
    }
    entries = {"@route": (0, 1), "@command": (2,)}
    program = Program(
        modules=modules,
        packages=tuple(sorted(name for name, file in modules.items() if file.endswith("__init__.py"))),
        functions=functions,
        edges=tuple(Edge(one, other, "call", Place(modules[_module(one, modules)], 5)) for one, other in sorted(EDGES)),
        imports=(
            Import(
                "core.orders", "core.sums", "", Place("src/core/orders.py", 1), "core.orders", False, True, "core.sums"
            ),
        ),
        symbols={},
        nodes=(Node("shop.web.buy", ""), Node("shop.web.sell", ""), Node("shop.cli.start", "")),
        entries=entries,
    )
    model = Model(tmp_path, parse_configuration(CONFIGURATION), program)
    proof = Proof("OP001", "single-path", ("From 3 entries nothing reaches the network except through `Flow.run`.",))
    return Material(
        model=model,
        summaries=summaries(tmp_path, modules),
        matrix=None,
        findings=(),
        proofs=(msgspec.structs.replace(proof, ways_out=(("shop.cli.client", "own daemon"),)),),
    )


def _module(name: str, modules: dict[str, str]) -> str:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name
