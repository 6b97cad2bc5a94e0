"""What is run: clients, protocols, cases, and the plan made of them. Data and its one interpreter.

Knows nothing of processes. Every cell named by `plan` is executed or the run fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PROTOCOLS = {
    "C": "openai-chat",
    "R": "openai-responses",
    "M": "anthropic-messages",
    "G": "gemini",
}
EVERYWHERE = ("text", "tools", "parallel")
TROUBLE = ("image", "429-one", "429-once", "429-two", "cut")


@dataclass(frozen=True)
class Client:
    """One client in one of its shapes. `driver` names the module that runs it.

    own: the protocol it speaks. foreign: the other upstream protocol its trouble cases run over. model: what it asks
    for; a cell's number is appended. tool: how its tool is called (see scenarios). surface: which of an SDK's two
    protocols. everywhere: cases of its own that run over all four upstreams. trouble: cases over own and foreign.
    """

    name: str
    driver: str
    own: str
    foreign: str
    model: str
    tool: str
    surface: str = ""
    everywhere: tuple[str, ...] = EVERYWHERE
    trouble: tuple[str, ...] = TROUBLE
    websocket: bool = False
    launched: bool = False
    """Started by `routecodex run`, which alone points it at the gateway."""


LAUNCH = ("text", "tools")
CODEX_CUTS = (*TROUBLE, "cut-always")
CLIENTS = (
    Client("codex functions", "codex", "R", "C", "e2e-model", "exec_command", trouble=CODEX_CUTS),
    Client(
        "codex gpt-5.5", "codex", "R", "M", "gpt-5.5", "exec_command",
        everywhere=(*EVERYWHERE, "apply_patch", "tool_search", "image-result"), trouble=CODEX_CUTS,
    ),
    Client("codex gpt-5.6", "codex", "R", "G", "gpt-5.6-luna", "exec", trouble=CODEX_CUTS),
    Client("codex gpt-6", "codex", "R", "C", "gpt-6.1-sol", "exec", trouble=()),
    Client("codex websocket", "codex", "R", "M", "gpt-5.5", "exec_command", trouble=TROUBLE, websocket=True),
    Client("claude", "claude", "M", "C", "claude-sonnet-4-5", "Bash", trouble=CODEX_CUTS),
    Client("gemini", "gemini", "G", "R", "gemini-2.5-flash", "run_shell_command"),
    Client("run codex", "codex", "R", "C", "gpt-5.5", "exec_command", everywhere=LAUNCH, trouble=(), launched=True),
    Client("run claude", "claude", "M", "R", "claude-sonnet-4-5", "Bash", everywhere=LAUNCH, trouble=(), launched=True),
    Client(
        "run gemini", "gemini", "G", "M", "gemini-2.5-flash", "run_shell_command",
        everywhere=LAUNCH, trouble=(), launched=True,
    ),
    Client("openai-python chat", "sdk", "C", "M", "sdk-model", "add", surface="chat"),
    Client("openai-python responses", "sdk", "R", "G", "sdk-model", "add", surface="responses"),
    Client("anthropic-python", "sdk", "M", "R", "sdk-model", "add"),
    Client("google-genai-python", "sdk", "G", "C", "sdk-model", "add"),
    Client("openai-js chat", "sdk", "C", "G", "sdk-model", "add", surface="chat"),
    Client("openai-js responses", "sdk", "R", "M", "sdk-model", "add", surface="responses"),
    Client("anthropic-js", "sdk", "M", "G", "sdk-model", "add"),
)  # fmt: skip
CASES = (*EVERYWHERE, "apply_patch", "tool_search", "image-result", *TROUBLE, "cut-always")


@dataclass(frozen=True)
class Cell:
    """One run: a client does a case over an upstream protocol. The number is its place in the full plan."""

    number: int
    client: Client
    upstream: str
    case: str

    @property
    def name(self) -> str:
        """What `-k` matches: `codex gpt-5.5/M/tools`."""
        return f"{self.client.name}/{self.upstream}/{self.case}"

    @property
    def tag(self) -> str:
        """A short name that is legal everywhere: in model names, provider names and folders."""
        return f"c{self.number:03d}"

    @property
    def model(self) -> str:
        """What the client asks for."""
        return f"{self.client.model}-{self.tag}"

    @property
    def targets(self) -> tuple[str, ...]:
        """Protocols of the upstreams behind it. Of two, the first fails; the second speaks the client's own."""
        return (self.upstream, self.client.own) if self.case == "429-two" else (self.upstream,)


def full_plan() -> list[Cell]:
    """Every cell there is."""
    cells: list[Cell] = []
    for client in CLIENTS:
        for upstream in PROTOCOLS:
            cases: Iterable[str] = client.everywhere
            if upstream in (client.own, client.foreign):
                cases = (*client.everywhere, *client.trouble)
            for case in cases:
                cells.append(Cell(len(cells), client, upstream, case))
    return cells


def _needs_no_gateway(cell: Cell) -> bool:
    client = cell.client
    helped = client.websocket or client.launched or cell.case in ("429-once", "429-two")
    return cell.upstream == client.own and not helped


def selected(cells: list[Cell], pattern: str, clients: str, direct: bool) -> list[Cell]:
    """The cells asked for. Every word of the pattern must occur in the name; `not` before a word excludes it.

    Without a gateway only what needs none is left: a client over its own protocol, HTTP, one upstream.
    """
    wanted = [name for name in clients.split(",") if name]
    words = pattern.split()
    negated = {index for index, word in enumerate(words) if index and words[index - 1] == "not"}

    def chosen(cell: Cell) -> bool:
        for index, word in enumerate(words):
            if word != "not" and (word in cell.name) == (index in negated):
                return False
        if direct and not _needs_no_gateway(cell):
            return False
        return not wanted or any(cell.client.name.startswith(name) for name in wanted)

    return [cell for cell in cells if chosen(cell)]
