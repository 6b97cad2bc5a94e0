"""The lifecycle of blocks: order, undo, time-outs; and what the gateway's own table says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.app.kernel.assembly import Assembly
from routecodex.app.kernel.lifecycle import Block, Lifecycle, LifecycleError, Phase, WiringError
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure

LOG = configure(LogWriter(StringIO()), "error")


class Trace:
    """Blocks that write down what happens to them; `fails` names the (block, phase) that raises."""

    def __init__(self, fails: tuple[str, Phase] | None = None) -> None:
        self.events: list[tuple[str, str]] = []
        self._fails = fails

    def block(self, name: str, *needs: str, **more: Any) -> Block:
        return Block(
            name,
            needs,
            lambda: self._note(name, "construct"),
            **{phase: self._action(name, phase) for phase in ("probe", "start", "drain", "stop")},
            **more,
        )

    def _action(self, name: str, phase: Phase) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            self._note(name, phase)

        return act

    def _note(self, name: str, phase: Phase) -> None:
        self.events.append((name, phase))
        if self._fails == (name, phase):
            raise RuntimeError(f"{name} cannot {phase}")

    def of(self, phase: str) -> list[str]:
        return [name for name, what in self.events if what == phase]


def graphs() -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """Acyclic needs: each block needs some of those before it; the table's order is shuffled."""

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
        names = [f"b{n}" for n in range(draw(st.integers(1, 8)))]
        needs = {
            name: tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True))) if index else ()
            for index, name in enumerate(names)
        }
        return {name: needs[name] for name in draw(st.permutations(names))}

    return drawn()


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_needs_come_up_first_and_go_down_last(needs: dict[str, tuple[str, ...]]) -> None:
    trace = Trace()
    blocks = Lifecycle([trace.block(name, *wanted) for name, wanted in needs.items()], LOG)
    asyncio.run(_up_and_down(blocks))
    for phase in ("construct", "probe", "start"):
        order = trace.of(phase)
        assert sorted(order) == sorted(needs)
        assert all(order.index(need) < order.index(name) for name, wanted in needs.items() for need in wanted)
    for phase in ("drain", "stop"):
        assert trace.of(phase) == trace.of("construct")[::-1]
    assert set(blocks.states.values()) == {"stopped"}


async def _up_and_down(blocks: Lifecycle) -> None:
    await blocks.bring_up()
    assert await blocks.take_down() == []


@settings(max_examples=120, deadline=None)
@given(graphs(), st.data())
def test_whatever_fails_everything_that_was_up_is_taken_down(needs: dict[str, tuple[str, ...]], data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(needs)))
    phase: Phase = data.draw(st.sampled_from(["construct", "probe", "start"]))
    trace = Trace((name, phase))
    blocks = Lifecycle([trace.block(one, *wanted) for one, wanted in needs.items()], LOG)
    with pytest.raises(LifecycleError, match=f"{name} cannot {phase}") as told:
        asyncio.run(blocks.bring_up())
    assert (told.value.block, told.value.phase) == (name, phase)
    constructed = [one for one in trace.of("construct") if (one, phase) != (name, "construct")]
    assert trace.of("stop") == constructed[::-1], "stopped once each, last first"
    started = [one for one in trace.of("start") if (one, phase) != (name, "start")]
    assert trace.of("drain") == started[::-1], "only what was started is drained"


@pytest.mark.parametrize("phase", ["drain", "stop"])
def test_a_block_that_fails_on_the_way_down_stops_nobody_else(phase: Phase) -> None:
    trace = Trace(("b", phase))
    blocks = Lifecycle([trace.block("a"), trace.block("b", "a"), trace.block("c", "b")], LOG)

    async def run() -> list[LifecycleError]:
        await blocks.bring_up()
        return await blocks.take_down()

    failures = asyncio.run(run())
    assert [(one.block, one.phase) for one in failures] == [("b", phase)]
    assert trace.of("stop") == ["c", "b", "a"]


def test_a_phase_that_takes_too_long_is_named() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    blocks = Lifecycle([Block("slow", (), lambda: None, start=for_ever, seconds={"start": 0.01})], LOG)
    with pytest.raises(LifecycleError, match="Block slow failed to start: took too long"):
        asyncio.run(blocks.bring_up())


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ([("a", ("b",))], "Block a needs b, which is no block"),
        ([("a", ("b",)), ("b", ("a",))], "in a circle"),
        ([("a", ()), ("a", ())], "Two blocks have the same name"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(blocks: list[tuple[str, tuple[str, ...]]], told: str) -> None:
    trace = Trace()
    with pytest.raises(WiringError, match=told):
        Lifecycle([trace.block(name, *needs) for name, needs in blocks], LOG)


def test_every_block_of_the_gateway_names_all_it_takes_from_others() -> None:
    """Read from the code: what a constructor reads of the assembly is what its row says it needs."""
    import inspect
    import re

    assembly = Assembly.__new__(Assembly)
    rows = {block.name: block for block in assembly.blocks()}
    assert set(rows) == set(Assembly.__annotations__)
    for name, block in rows.items():
        source = inspect.getsource(block.construct)
        read = set(re.findall(r"self\.([a-z]\w*)", source)) - {name}
        assert read <= set(block.needs), f"{name} takes {sorted(read - set(block.needs))} without saying so"
        assert set(block.needs) - read <= {"generations"}, f"{name} says it needs more than it takes"
