"""A report with everything a report can hold."""

from __future__ import annotations

import pytest

from onepath.graph import Edge, Function, Import, Opaque, Place, Program, Unknown
from onepath.render.report import Report, RuleCard
from onepath.rules.contract import Finding, Hop, Proof, UsageFault

BYPASS = Finding(
    rule="OP001",
    contract="single-path",
    message="host.web.index reaches socket.create_connection without host.flow.run",
    where="host.web.index",
    place=Place("src/host/web page.py", 12),
    evidence=(
        Hop("host.web.index", Place("src/host/web page.py", 12), "calls host.x.fetch"),
        Hop("host.x.fetch", Place("src/host/x.py", 40), "may call socket.create_connection"),
        Hop("socket.create_connection", None),
    ),
    instead="call host.flow.run, 100%: it is the way",
    subject=("socket.create_connection",),
)
PLACELESS = Finding("OP004", "house", "the exception excepts nothing", "host.a", None, instead="take it out")


@pytest.fixture
def report() -> Report:
    """Two findings, one waived, one known, a fault and a proof."""
    return Report(
        findings=(BYPASS, PLACELESS),
        waived=(Finding("OP005", "pure", "core.a imports requests", "core.a", Place("src/core/a.py", 3)),),
        known=(Finding("OP005", "pure", "core.b imports requests", "core.b", Place("/elsewhere/b.py", 3)),),
        faults=(UsageFault("single-path", "entries[1]", "`host.gone` matches nothing"),),
        proofs=(Proof("OP001", "other", ("From 2 entries nothing reaches a sink.",), (("host.auth", "tokens"),)),),
        rules=(
            RuleCard("OP001", "bypass", "There is one path."),
            RuleCard("OP004", "layers", "A layer imports only layers below it."),
            RuleCard("OP005", "forbidden", "Some code does not import some other code."),
        ),
    )


@pytest.fixture
def program() -> Program:
    """Five functions with both kinds of edge, one foreign, and names that would break a careless format."""
    functions = [
        Function("host.web", "host.web", "module", Place("src/host/web.py", 1)),
        Function("host.web.index", "host.web", "function", Place("src/host/web.py", 10)),
        Function("host.web.index.<lambda1>", "host.web", "lambda", Place("src/host/web.py", 11)),
        Function("host.flow.run", "host.flow", "function", Place("src/host/flow.py", 5), is_async=True),
        Function("host.flow.idle", "host.flow", "function", Place("src/host/flow.py", 50)),
        Function("socket.create_connection", "socket", "external", None),
        Function("builtins.print", "builtins", "external", None),
    ]
    return Program(
        modules={"host.web": "src/host/web.py", "host.flow": "src/host/flow.py"},
        packages=("host",),
        functions={function.name: function for function in functions},
        edges=(
            Edge("host.web.index", "host.flow.run", "call", Place("src/host/web.py", 12)),
            Edge("host.web.index", "host.flow.run", "call", Place("src/host/web.py", 14)),
            Edge("host.web.index", "host.web.index.<lambda1>", "may-call", Place("src/host/web.py", 11)),
            Edge("host.web.index.<lambda1>", "builtins.print", "call", Place("src/host/web.py", 11)),
            Edge("host.flow.run", "socket.create_connection", "call", Place("src/host/flow.py", 7)),
        ),
        imports=(
            Import(
                "host.web", "host.flow", "run", Place("src/host/web.py", 2), "host.web", False, True, "host.flow.run"
            ),
            Import("host.flow", "socket", "", Place("src/host/flow.py", 2), "host.flow", False, False, "socket"),
        ),
        symbols={},
        aliases={"host.run": ("host.flow.run",)},
        opaque=(Opaque("host.flow.run", "eval", "the text is not known", Place("src/host/flow.py", 8)),),
        unknown=(Unknown("host.flow.run", "send</script>", Place("src/host/flow.py", 9)),),
        calls_total=7,
    )
