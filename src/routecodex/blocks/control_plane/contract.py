"""What the admin handlers read, and where commands go. The app implements it; members are asked for at the time of the
question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

from llmswitch_core.router.health import Standing


class NoSupervisorError(Exception):
    """There is nobody to carry out a command: the gateway runs without a supervisor, or lost it."""


class Overview(Interface):
    """The running gateway, as far as people ask."""

    @property
    def accepting(self) -> bool:
        """Requests are taken on."""
        ...

    @property
    def version(self) -> str: ...

    @property
    def started_at(self) -> float:
        """Unix seconds."""
        ...

    def now(self) -> float:
        """Unix seconds, the clock of `Standing.until`."""
        ...

    def generation(self) -> Mapping[str, Any]:
        """`generation` (its id), `configHash`, `config` (its file)."""
        ...

    def running(self) -> int:
        """Requests under way."""
        ...

    def outcomes(self) -> Mapping[str, int]:
        """Requests since the start by outcome class."""
        ...

    def standings(self) -> Sequence[Standing]:
        """Every listed target's health."""
        ...

    def switches(self) -> Mapping[str, Mapping[str, Any]]:
        """Per row of the switch table: `value`, `source`."""
        ...

    def render_metrics(self) -> tuple[bytes, str]:
        """(text, content type) in Prometheus' format."""
        ...

    async def command(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        """(HTTP status, JSON receipt) of a control command, from whoever keeps the workers.

        `arguments` is a JSON object, `actor` who asks. Raises NoSupervisorError where nobody can be asked.
        """
        ...


class Handlers(Interface):
    """What a control plane answers; as `blocks.http_adapter.contract.ControlPlane` has it."""

    def health(self, verbose: bool) -> tuple[int, bytes]: ...

    def ready(self, verbose: bool) -> tuple[int, bytes]: ...

    def metrics(self) -> tuple[bytes, str]: ...

    async def command(self, name: str, arguments: Mapping[str, Any], actor: str) -> tuple[int, bytes]: ...


class ControlPlaneFactory(Interface):
    """Makes a control plane over what the app shows."""

    def __call__(self, overview: Overview) -> Handlers: ...
