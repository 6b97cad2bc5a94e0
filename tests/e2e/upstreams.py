"""The fake upstreams behind the cells: one per target, each of one protocol only, so that records never mix."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.fake_upstream import Delivery, FakeUpstream, RecordedRequest

from .catalogue import PROTOCOLS, Cell
from .scenarios import FIRST

UPSTREAM_KEY = "e2e-upstream-key"
CLIENT_KEY = "e2e-client-key"
GENERATING = ("generate", "stream")


@dataclass
class Target:
    """One upstream of a cell: its name in the configuration, its protocol's letter, its model."""

    provider: str
    protocol: str
    model: str
    fake: FakeUpstream

    @property
    def base_url(self) -> str:
        """What the vendor's own SDK takes."""
        return self.fake.url + ("/v1" if self.protocol in "CR" else "")

    @property
    def generated(self) -> list[RecordedRequest]:
        """The requests for an answer, side requests left out."""
        return [r for r in self.fake.requests if r.operation in GENERATING]

    def summary(self) -> list[str]:
        """A line per request."""
        lines = []
        for r in self.fake.requests:
            lines.append(f"{self.provider} {r.method} {r.path} stream={r.stream} -> {r.status} {r.outcome}")
            lines.extend(f"    violation {v.rule}: {v.message}" for v in r.violations)
        return lines or [f"{self.provider} was asked nothing"]


UPSTREAM_MODELS = {"C": "gpt-5.5", "R": "gpt-5.5", "M": "claude-sonnet-4-5", "G": "gemini-3-pro"}
"""What a gateway may send goes by the model. These are strict: signatures on calls (Gemini 3), thinking first and
signed in a tool loop, no top_k beside it (Claude with a budget), no max_tokens (OpenAI's reasoning models)."""


DELIVERIES = (
    Delivery(),
    Delivery(chunking="seeded", seed=7),
    Delivery(chunking="one"),
    Delivery(chunking="bytes", size=5),
    Delivery(encoding="gzip"),
    Delivery(chunking="seeded", seed=11, encoding="br"),
    Delivery(encoding="zstd"),
)
"""How answers travel, in turn over the cells: torn anywhere, at once, compressed. A client must never notice."""


async def start_targets(cells: list[Cell], stack: AsyncExitStack, direct: bool) -> dict[int, list[Target]]:
    """cell number -> its listening upstreams."""
    targets: dict[int, list[Target]] = {}
    for cell in cells:
        targets[cell.number] = []
        for index, protocol in enumerate(cell.targets):
            provider = f"{cell.tag}-{protocol}{index + 1}"
            busy = len(cell.targets) > 1 and index == 0
            model = FIRST if busy else UPSTREAM_MODELS[protocol]
            fake = FakeUpstream(
                protocols=[PROTOCOLS[protocol]],
                realm=provider,
                seed=cell.number * 2 + index,
                api_keys=[CLIENT_KEY if direct else UPSTREAM_KEY],
                model_names=[model],
                delivery=None if direct else DELIVERIES[cell.number % len(DELIVERIES)],
            )
            await stack.enter_async_context(fake)
            targets[cell.number].append(Target(provider, protocol, model, fake))
    return targets
