"""What a Messages model can take, by its name, where the target's profile does not say.

The rules are Anthropic's, and they go by version, not by protocol: manual thinking budgets exist from Claude 3.7 and
answer 400 from 4.7 on; adaptive thinking exists from 4.6; sampling parameters answer 400 from 4.7 on and exclude each
other from 4.1; `output_config.effort` starts with Opus 4.5, structured outputs with 4.1, `role:"system"` messages with
Claude 5 (platform.claude.com: "Adaptive thinking", "Effort", "Structured outputs", model migration guides; Claude Code
2.1.330 sends both shapes by the same rule). So there is no one right `thinking_style` for the protocol: its default is
taken from the version. A Claude name without version counts as the newest. Other vendors' models behind this protocol
document `thinking: enabled` with a budget and plain sampling, check no signatures and want their reasoning back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

ThinkingStyle: TypeAlias = Literal["none", "budget", "both", "adaptive"]


class Abilities(msgspec.Struct, frozen=True):
    """What one target takes. Each field is also the name of the feature that overrides it.

    `thinking_style` forms of thinking it knows; `efforts` words of `output_config.effort`, () where the member is
    unknown; `sampling` whether temperature, top_p and top_k are taken; `single_sampler` temperature excludes top_p;
    `structured_outputs` knows `output_config.format`; `mid_system` takes `role:"system"` messages;
    `unsigned_thinking` takes thinking blocks that nobody signed; `max_output_tokens` cap of max_tokens.
    """

    thinking_style: ThinkingStyle
    efforts: tuple[str, ...] = ()
    sampling: bool = True
    single_sampler: bool = False
    structured_outputs: bool = False
    mid_system: Literal["role", "user"] = "user"
    unsigned_thinking: bool = False
    max_output_tokens: int | None = None


_ROWS: Final[tuple[tuple[tuple[int, int], Abilities], ...]] = (
    ((0, 0), Abilities("none", max_output_tokens=4096)),
    ((3, 5), Abilities("none", max_output_tokens=8192)),
    ((3, 7), Abilities("budget", max_output_tokens=64000)),
    ((4, 0), Abilities("budget", max_output_tokens=32000)),
    ((4, 1), Abilities("budget", single_sampler=True, structured_outputs=True, max_output_tokens=32000)),
    ((4, 5), Abilities("budget", single_sampler=True, structured_outputs=True, max_output_tokens=64000)),
    (
        (4, 6),
        Abilities("both", efforts=("low", "medium", "high", "max"), single_sampler=True, structured_outputs=True),
    ),
    (
        (4, 7),
        Abilities(
            "adaptive",
            efforts=("low", "medium", "high", "xhigh", "max"),
            sampling=False,
            single_sampler=True,
            structured_outputs=True,
        ),
    ),
    (
        (5, 0),
        Abilities(
            "adaptive",
            efforts=("low", "medium", "high", "xhigh", "max"),
            sampling=False,
            single_sampler=True,
            structured_outputs=True,
            mid_system="role",
        ),
    ),
)
"""First version a row holds for, ascending."""

_FOREIGN: Final = Abilities("budget", unsigned_thinking=True)
_OPUS_4_5_EFFORTS: Final = ("low", "medium", "high")
_VERSION: Final = re.compile(r"claude-(?:[a-z]+-)*?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


def abilities(model: str, features: Mapping[str, Any]) -> Abilities:
    """The abilities of a target: its profile's word where there is one, else the rules by version."""
    found = _by_name(model.lower())
    said = {name: features[name] for name in Abilities.__struct_fields__ if features.get(name) is not None}
    if not said:
        return found
    if "efforts" in said:
        said["efforts"] = tuple(said["efforts"])
    return msgspec.structs.replace(found, **said)


def is_claude(model: str) -> bool:
    """True for Anthropic's own models, under whatever reseller's prefix."""
    return "claude" in model.lower()


def _by_name(name: str) -> Abilities:
    if "claude" not in name:
        return _FOREIGN
    match = _VERSION.search(name)
    if match is None:
        return _ROWS[-1][1]
    version = (int(match[1]), int(match[2] or 0))
    found = next(row for first, row in reversed(_ROWS) if version >= first)
    if version == (4, 5) and "opus" in name:
        return msgspec.structs.replace(found, efforts=_OPUS_4_5_EFFORTS)
    if version == (4, 0) and "sonnet" in name:
        return msgspec.structs.replace(found, max_output_tokens=64000)
    return found
