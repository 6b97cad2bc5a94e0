"""The end-to-end harness judges: its plan holds what was promised, and its verdict finds each planted fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.catalogue import CLIENTS, EVERYWHERE, PROTOCOLS, TROUBLE, Cell, full_plan, selected
from tests.e2e.drivers.process import Ran, Said
from tests.e2e.scenarios import Scenario, scenario
from tests.e2e.tap import Exchange
from tests.e2e.upstreams import Target
from tests.e2e.verdict import judge
from tests.fake_upstream import FakeUpstream, RecordedRequest, Violation

PLAN = full_plan()


def cell_of(name: str) -> Cell:
    return next(cell for cell in PLAN if cell.name == name)


def record(status: int = 200, **fields: object) -> RecordedRequest:
    found = RecordedRequest(0, 0, 0, "POST", "/v1/responses", {}, [], protocol="openai-responses", status=status)
    found.operation = "generate"
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def right(cell: Cell) -> tuple[Scenario, Ran, list[Exchange], list[Target]]:
    """A run of the cell, over Responses, in which nothing is wrong."""
    wanted = scenario(cell)
    target = Target("p", "R", "m", FakeUpstream())
    target.fake.requests.extend(record() for _ in range(wanted.calls[0][0]))
    text = wanted.exact or " … ".join(wanted.says)
    said = Said(error=f"it broke: {' '.join(wanted.error_names)}") if wanted.fails else Said(text)
    ran = Ran(1 if wanted.fails else 0, "", "", 0.1, {"": said})
    return wanted, ran, [Exchange("POST", "/v1/responses", wanted.must_see or 200)], [target]


def faults(name: str, tmp_path: Path, **changes: object) -> list[str]:
    cell = cell_of(name)
    wanted, ran, exchanges, targets = right(cell)
    ran = replace(ran, **{key: value for key, value in changes.items() if key in ("exit_code", "said")})
    if "exchanges" in changes:
        exchanges = changes["exchanges"]  # type: ignore[assignment]
    if "records" in changes:
        targets[0].fake.requests[:] = changes["records"]  # type: ignore[assignment]
    return judge(cell, wanted, ran, exchanges, targets, tmp_path)


def test_the_plan_holds_every_client_over_every_upstream_and_its_troubles_over_own_and_foreign() -> None:
    names = {cell.name for cell in PLAN}
    assert len(names) == len(PLAN) == len({cell.number for cell in PLAN})
    assert [cell.number for cell in PLAN] == list(range(len(PLAN)))
    for client in CLIENTS:
        cases = ("text", "tools") if client.launched else EVERYWHERE
        assert {f"{client.name}/{upstream}/{case}" for upstream in PROTOCOLS for case in cases} <= names
    with_trouble = {client.name.split()[0] for client in CLIENTS if client.trouble}
    assert with_trouble == {
        "codex", "claude", "gemini",
        "openai-python", "anthropic-python", "google-genai-python", "openai-js", "anthropic-js",
    }  # fmt: skip
    for client in CLIENTS:
        assert client.foreign != client.own
        for upstream in (client.own, client.foreign) if client.trouble else ():
            assert {f"{client.name}/{upstream}/{case}" for case in TROUBLE} <= names


def test_a_pattern_selects_by_every_word_and_excludes_by_not() -> None:
    chosen = {cell.name for cell in selected(PLAN, "codex tools not websocket", "codex", direct=False)}
    assert "codex gpt-5.5/M/tools" in chosen
    assert not any("websocket" in name or "tools" not in name for name in chosen)
    assert all(cell.upstream == cell.client.own for cell in selected(PLAN, "", "", direct=True))


@pytest.mark.parametrize("case", ["text", "tools", "parallel", "image", "429-one", "cut", "cut-always"])
def test_a_right_run_has_no_faults(case: str, tmp_path: Path) -> None:
    assert faults(f"codex functions/R/{case}", tmp_path) == []


@pytest.mark.parametrize(
    ("name", "planted", "told"),
    [
        ("text", {"exit_code": 1}, "exit code 1"),
        ("text", {"exit_code": None}, "did not end"),
        ("text", {"said": {"": Said("Grü")}}, "expected"),
        ("text", {"said": {"": Said(error="boom")}}, "boom"),
        ("tools", {"said": {"": Said("done")}}, "does not say"),
        ("parallel", {"said": {"": Said("")}}, "does not say"),
        ("cut-always", {"exit_code": 0}, "exit code 0"),
        ("cut-always", {"said": {"": Said("This answer is cut in the mid")}}, "takes"),
        ("429-one", {"said": {"": Said(error="something")}}, "cause"),
        ("429-one", {"exchanges": [Exchange("POST", "/v1/responses", 500)]}, "saw status [500]"),
        ("text", {"exchanges": []}, "asked nothing"),
        ("text", {"exchanges": [Exchange("POST", "/v1/responses", 429)]}, "saw status [429]"),
        ("text", {"records": []}, "asked 0 times"),
        ("tools", {"records": [record()]}, "asked 1 times"),
        ("text", {"records": [record(protocol="openai-chat")]}, "openai-chat"),
        ("text", {"records": [record(path="/v2/answers")]}, "/v2/answers"),
        ("text", {"records": [record(401)]}, "401"),
        ("text", {"records": [record(violations=[Violation("R", "order", "bad order")])]}, "bad order"),
        ("text", {"records": [record(), record(operation="count_tokens", violations=[Violation("R", "x", "side")])]},
         "side"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_told(name: str, planted: dict[str, object], told: str, tmp_path: Path) -> None:
    found = faults(f"codex functions/R/{name}", tmp_path, **planted)
    assert any(told in fault for fault in found), found


def test_results_in_another_order_are_told(tmp_path: Path) -> None:
    says = scenario(cell_of("codex functions/R/parallel")).says
    said = {"": Said(" ".join([says[0], *reversed(says[1:])]))}
    assert any("in this order" in fault for fault in faults("codex functions/R/parallel", tmp_path, said=said))


def test_a_file_that_was_not_made_is_told(tmp_path: Path) -> None:
    assert any("made.txt" in fault for fault in faults("codex gpt-5.5/R/apply_patch", tmp_path))


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [
        ([Exchange("GET", "/v1/responses", 101)], ""),
        ([Exchange("POST", "/v1/responses", 200)], "no WebSocket"),
        ([Exchange("GET", "/v1/responses", 426), Exchange("POST", "/v1/responses", 200)], "left the WebSocket"),
        ([Exchange("GET", "/v1/responses", 101), Exchange("POST", "/v1/responses", 200)], "left the WebSocket"),
    ],
)
def test_a_client_that_leaves_the_websocket_is_told(exchanges: list[Exchange], told: str, tmp_path: Path) -> None:
    found = faults("codex websocket/R/text", tmp_path, exchanges=exchanges)
    assert any(told in fault for fault in found) if told else found == []
