"""Whose request it is: the end user and the session, as Messages clients state them.

Claude Code puts a JSON object into the string `metadata.user_id` (`{"device_id", "account_uuid", "session_id"}`);
its older releases wrote `user_<hash>_account_<uuid>_session_<uuid>`. It also sends the session as a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical import jsonio

SESSION_HEADER: Final = "x-claude-code-session-id"


def session_of(user_id: str | None, headers: Mapping[str, str]) -> str | None:
    """The session id of the body, else of the header; None if the client states none."""
    return (_in_user_id(user_id) if user_id else None) or headers.get(SESSION_HEADER) or None


def _in_user_id(user_id: str) -> str | None:
    if user_id.startswith("{"):
        try:
            members = jsonio.decode(user_id)
        except ValueError:
            return None
        session = members.get("session_id") if isinstance(members, dict) else None
        return session if isinstance(session, str) and session else None
    _, mark, session = user_id.rpartition("_session_")
    return session if mark and session else None
