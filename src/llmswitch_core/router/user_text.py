"""What the person typed, without what the client wrapped around it.

Coding agents put their own text into user turns: Claude Code's `<system-reminder>`, Codex's
`<environment_context>`, Gemini CLI's `<session_context>`. Words in there are not the user's. It knows those
wrappers by name and nothing of routes.
"""

from __future__ import annotations

from typing import Final

LATEST_TEXT_LIMIT: Final = 20_000
"""Characters of the latest user text that classification looks at."""

CLIENT_BLOCKS: Final = (
    "system-reminder",
    "local-command-caveat",
    "local-command-stdout",
    "command-name",
    "command-message",
    "command-args",
    "environment_context",
    "user_instructions",
    "permissions instructions",
    "skills_instructions",
    "collaboration_mode",
    "turn_aborted",
    "subagent_notification",
    "INSTRUCTIONS",
    "session_context",
    "untrusted_context",
    "hook_context",
)
"""Tags whose content a client wrote: the names seen in requests of Claude Code, Codex and Gemini CLI."""

_OPENERS: Final = tuple((f"<{tag}", f"</{tag}>") for tag in CLIENT_BLOCKS)


def strip_client_blocks(text: str) -> str:
    """`text` without the client's blocks. A block that is never closed reaches to the end of the text."""
    if "<" not in text:
        return text
    for opener, closer in _OPENERS:
        at = text.find(opener)
        if at < 0:
            continue
        kept: list[str] = []
        start = 0
        while at >= 0:
            after = at + len(opener)
            if text[after : after + 1] not in {">", " ", "\n"}:
                at = text.find(opener, after)
                continue
            kept.append(text[start:at])
            end = text.find(closer, after)
            if end < 0:
                start = len(text)
                break
            start = end + len(closer)
            at = text.find(opener, start)
        kept.append(text[start:])
        text = "".join(kept)
    return text
