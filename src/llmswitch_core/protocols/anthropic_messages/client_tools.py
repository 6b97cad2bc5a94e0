"""Tools Anthropic names by type but the client runs: bash, text editor, computer, memory.

On their own wire the type says it all; any other protocol has to be told name, description and schema, so the reader
makes function tools of them and keeps the wire object for the way back to a Messages upstream.
"""

from __future__ import annotations

from typing import Any, Final


def _schema(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _choice(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


_PAIR: Final = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}

_BASH: Final = _schema(
    (),
    command=_text("The shell command to run. Required unless the shell is restarted."),
    restart={"type": "boolean", "description": "True to restart the shell."},
)
_EDITOR: Final = _schema(
    ("command", "path"),
    command=_choice("view", "create", "str_replace", "insert", "undo_edit"),
    path=_text("Path of the file or directory."),
    file_text=_text("Content of the file that `create` makes."),
    old_str=_text("Text that `str_replace` replaces; must occur exactly once."),
    new_str=_text("Text that `str_replace` or `insert` puts in."),
    insert_line={"type": "integer", "description": "Line after which `insert` puts its text; 0 is the beginning."},
    insert_text=_text("Text that `insert` puts in."),
    view_range={**_PAIR, "description": "First and last line that `view` shows; -1 is the end."},
)
_COMPUTER: Final = _schema(
    ("action",),
    action=_choice(
        "key",
        "type",
        "mouse_move",
        "left_click",
        "left_click_drag",
        "right_click",
        "middle_click",
        "double_click",
        "triple_click",
        "left_mouse_down",
        "left_mouse_up",
        "scroll",
        "hold_key",
        "wait",
        "screenshot",
        "cursor_position",
        "zoom",
    ),
    coordinate={**_PAIR, "description": "x and y of the pointer in pixels."},
    start_coordinate={**_PAIR, "description": "Where `left_click_drag` starts."},
    text=_text("Text to type, or the key to press."),
    duration={"type": "number", "description": "Seconds for `wait` and `hold_key`."},
    scroll_direction=_choice("up", "down", "left", "right"),
    scroll_amount={"type": "integer", "description": "Clicks of the wheel."},
    region={"type": "array", "items": {"type": "integer"}, "description": "x1, y1, x2, y2 that `zoom` shows."},
)
_MEMORY: Final = _schema(
    ("command",),
    command=_choice("view", "create", "str_replace", "insert", "delete", "rename"),
    path=_text("Path below /memories."),
    file_text=_text("Content of the file that `create` makes."),
    old_str=_text("Text that `str_replace` replaces."),
    new_str=_text("Text that `str_replace` puts in."),
    insert_line={"type": "integer", "description": "Line after which `insert` puts its text."},
    insert_text=_text("Text that `insert` puts in."),
    old_path=_text("Path that `rename` moves."),
    new_path=_text("Path that `rename` moves to."),
    view_range={**_PAIR, "description": "First and last line that `view` shows."},
)

_BY_PREFIX: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("bash_", "bash", "Run commands in a persistent shell.", _BASH),
    ("text_editor_", "str_replace_based_edit_tool", "View, create and edit files.", _EDITOR),
    ("computer_", "computer", "Use the screen, keyboard and mouse of a computer.", _COMPUTER),
    ("memory_", "memory", "Read and write files that persist between conversations.", _MEMORY),
)
"""Type prefix, default name, description, input schema. A date follows the prefix."""


def client_tool(wire_type: str) -> tuple[str, str, dict[str, Any]] | None:
    """Default name, description and schema of a typed tool the client runs; None for every other type."""
    for prefix, name, description, schema in _BY_PREFIX:
        if wire_type.startswith(prefix) and wire_type[len(prefix) :].isdigit():
            return name, description, schema
    return None
