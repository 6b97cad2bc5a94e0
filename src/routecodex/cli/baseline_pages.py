"""The pages of the baseline: call chain, entries, failure types, figures; the same input gives the same bytes.

It reads the gateway's own tables, and in a checkout the generated regions, onepath's answers and the reference. It
writes nothing.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from routecodex.cli.programs import ask

CHAINS: Final = (
    (
        "A request over HTTP",
        "routecodex.blocks.http_adapter.data_plane.DataPlane.handle",
        "routecodex.providers.provider.ProviderV2.send",
    ),
    (
        "A request over the Responses WebSocket",
        "routecodex.blocks.http_adapter.responses_socket.ResponsesSocket.__call__",
        "routecodex.providers.provider.ProviderV2.send",
    ),
    ("The decision", "routecodex.app.request_flow.RequestFlow.run", "llmswitch_core.hub.pipeline.HubPipeline.plan"),
    ("The way back", "routecodex.app.request_flow.RequestFlow.run", "llmswitch_core.hub.responder.Responder.feed"),
    ("The record", "routecodex.app.request_flow.RequestFlow.run", "routecodex.app.outcome.record"),
)
"""What is frozen of the call chain: title, where it starts, where it ends."""

_REGION: Final = re.compile(r"<!-- AUTO:CALLGRAPH:BEGIN -->\n(.*?)<!-- AUTO:CALLGRAPH:END -->", re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SAMPLE: Final = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

_HISTOGRAMS: Final = (
    ("routecodex_overhead_seconds", "the gateway's own part"),
    ("routecodex_first_content_seconds", "first content"),
    ("routecodex_request_seconds", "whole request"),
)


WITHOUT_ONEPATH: Final = ", without onepath's shortest paths: it is not installed, or does not answer"


# --- call chain ------------------------------------------------------------------------------------------


def call_chain(root: Path | None) -> tuple[str, str]:
    """(page, where it is from)."""
    parts = ["# Call chain", "", "`HTTP → Hub Pipeline → Provider V2 → upstream`, and the same way back."]
    sources: list[str] = []
    chains = _chains(root) if root is not None and importlib.util.find_spec("onepath") is not None else []
    if chains:
        sources.append("onepath's shortest paths")
        for title, lines in chains:
            parts += ["", f"## {title}", "", "```text", *lines, "```"]
    region = _region(root)
    if region:
        sources.append("the generated region of src/README.md")
        parts += ["", "## Map and proof", "", region]
    if not sources:
        parts += ["", "Not frozen: this is no checkout with generated regions, and onepath is not installed."]
        return "\n".join(parts), "nothing: no checkout with generated regions, and no onepath"
    return "\n".join(parts), " and ".join(sources) + ("" if chains else WITHOUT_ONEPATH)


def _chains(root: Path) -> list[tuple[str, list[str]]]:
    """What onepath says of each; nothing if it cannot be asked."""
    found: list[tuple[str, list[str]]] = []
    for title, start, end in CHAINS:
        said = ask([sys.executable, "-m", "onepath", "why", "--quiet", start, end], root, seconds=300)
        if said is None:
            return []
        lines = [" ".join(line.split()) for line in said.out.splitlines() if line.strip()]
        found.append((title, lines if said.code == 0 else [f"onepath finds no path from {start} to {end}"]))
    return found


def _region(root: Path | None) -> str:
    try:
        text = (root / "src" / "README.md").read_text(encoding="utf-8") if root is not None else ""
    except OSError:
        return ""
    found = _REGION.search(text)
    return _LINK.sub(r"\1", _COMMENT.sub("", found[1])).strip() if found else ""


# --- entries ---------------------------------------------------------------------------------------------


def entries(command_line: Any) -> str:
    """Every way into the gateway, from the tables that serve them. `command_line`: the group of all its commands."""
    from routecodex.blocks.http_adapter.daemon import COMMANDS
    from routecodex.blocks.http_adapter.endpoints import FIXED, GEMINI_ACTIONS, GEMINI_PREFIXES, RESPONSE_STATE

    data = [
        *((path, endpoint) for path, endpoint in FIXED.items()),
        *((f"/v1/responses/{{id}}{rest}", endpoint) for rest, endpoint in RESPONSE_STATE.items()),
        *((f"{prefix}{{model}}:{verb}", each) for prefix in GEMINI_PREFIXES for verb, each in GEMINI_ACTIONS.items()),
    ]
    return "\n".join(
        [
            "# Entries",
            "",
            "## Data plane",
            "",
            *_table(
                ("method", "path", "protocol", "operation"),
                [(", ".join(sorted(e.methods)), f"`{path}`", e.protocol.value, e.operation) for path, e in data],
            ),
            "",
            "`GET /v1/responses` with an upgrade is the Responses WebSocket. `GET /v1/models` lists models.",
            "",
            "## Control plane",
            "",
            "`/health`, `/ready` and `/metrics`; and commands:",
            "",
            *_table(
                ("method", "path", "command"),
                [(each.method, f"`{each.path}`", f"`{each.name}`") for each in COMMANDS],
            ),
            "",
            "## Command line",
            "",
            *(f"- `routecodex {name}`" for name in _commands(command_line)),
        ]
    )


def _commands(group: Any) -> list[str]:
    found: list[str] = []
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        found += [f"{name} {each}" for each in below] if below else [name]
    return sorted(found)


# --- failure types -----------------------------------------------------------------------------------------


def failure_types(root: Path | None) -> str:
    """Kinds and layers with the class of their outcome; in a checkout also every code."""
    from llmswitch_core.canonical.errors import DEFAULT_STATUS, ErrorKind, GatewayError, Layer
    from routecodex.app.outcome import class_of
    from routecodex.blocks.telemetry import OutcomeClass

    rows = [
        (
            f"`{kind.value}`",
            str(DEFAULT_STATUS[kind]),
            *(f"{class_of(GatewayError(kind, 'x', 'x', layer=layer)).value}" for layer in Layer),
        )
        for kind in ErrorKind
    ]
    parts = [
        "# Failure types",
        "",
        "## Classes",
        "",
        ", ".join(f"`{each.value}`" for each in OutcomeClass) + ".",
        "",
        "## Class by kind and layer",
        "",
        *_table(("kind", "status", *(layer.value for layer in Layer)), rows),
        "",
        "Codes that decide for themselves: `truncated_stream`, and the codes of answers that break their protocol.",
    ]
    codes = _codes(root)
    if codes:
        parts += ["", codes]
    return "\n".join(parts)


def _codes(root: Path | None) -> str:
    """The code tables of the reference, which is generated from the source and held fresh by a test."""
    try:
        text = (root / "docs" / "reference" / "errors.md").read_text(encoding="utf-8") if root is not None else ""
    except OSError:
        return ""
    begin = text.find("## Codes\n")
    end = text.find("\n---\n", begin)
    return _LINK.sub(r"\1", text[begin:end]).strip() if begin >= 0 else ""


# --- figures -----------------------------------------------------------------------------------------------


def figures(metrics: str | None, benchmark: tuple[str, str] | None) -> tuple[str, str]:
    """(page, where it is from)."""
    parts = ["# Figures"]
    sources: list[str] = []
    if metrics is not None:
        sources.append("the metrics of the running gateway")
        parts += ["", "## Of the running gateway", "", *_of_gateway(list(samples(metrics)))]
    if benchmark is not None:
        name, text = benchmark
        sources.append(name)
        lines = [line.replace("# ", "### ", 1) if line.startswith("# ") else line for line in text.splitlines()]
        parts += ["", "## Of the benchmark", "", *lines]
    if not sources:
        parts += ["", "None: no gateway runs, and there is no benchmark's output."]
    return "\n".join(parts), " and ".join(sources) or "nothing: no gateway runs, and there is no benchmark's output"


def samples(metrics: str) -> Iterable[tuple[str, dict[str, str], float]]:
    """(name, labels, value) of every line in Prometheus' format."""
    for line in metrics.splitlines():
        found = _SAMPLE.fullmatch(line) if not line.startswith("#") else None
        if found:
            yield found[1], dict(_LABEL.findall(found[2] or "")), float(found[3])


def _of_gateway(found: Sequence[tuple[str, dict[str, str], float]]) -> list[str]:
    by_outcome: dict[tuple[str, str], int] = {}
    for name, labels, value in found:
        if name == "routecodex_requests_total":
            key = (labels.get("inbound", ""), labels.get("outcome", ""))
            by_outcome[key] = by_outcome.get(key, 0) + int(value)
    totals: dict[str, int] = {}
    for (inbound, _), count in by_outcome.items():
        totals[inbound] = totals.get(inbound, 0) + count
    rows = [
        (inbound, f"`{outcome}`", str(count), f"{100 * count / totals[inbound]:.2f} %")
        for (inbound, outcome), count in sorted(by_outcome.items())
    ]
    introduced = sum(int(value) for name, _, value in found if name == "routecodex_introduced_violations_total")
    return [
        *_table(("inbound", "outcome", "requests", "share"), rows),
        "",
        f"Violations the gateway introduced: {introduced}.",
        "",
        *_table(("inbound", "time", "requests", "p50", "p95", "p99"), list(_quantiles(found))),
    ]


def _quantiles(found: Sequence[tuple[str, dict[str, str], float]]) -> Iterable[tuple[str, ...]]:
    for metric, what in _HISTOGRAMS:
        buckets: dict[str, list[tuple[float, float]]] = {}
        for name, labels, value in found:
            if name == f"{metric}_bucket":
                buckets.setdefault(labels.get("inbound", ""), []).append((float(labels["le"]), value))
        for inbound, counts in sorted(buckets.items()):
            ordered = sorted(counts)
            yield (inbound, what, str(int(ordered[-1][1])), *(_bound(ordered, share) for share in (0.5, 0.95, 0.99)))


def _bound(counts: Sequence[tuple[float, float]], share: float) -> str:
    """The bound of the bucket in which this share is reached."""
    wanted = counts[-1][1] * share
    bound = next((limit for limit, count in counts if count >= wanted), float("inf"))
    return f"≤ {bound * 1000:g} ms" if bound != float("inf") else "above the last bucket"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["None yet."]
    return [
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
    ]
