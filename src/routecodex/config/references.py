"""References to values kept elsewhere: `${ENV}` and `file:…`. Secrets appear in a configuration in no other form.

It knows the two spellings and how to look them up in an environment and a folder it is given. It must not know
which fields are secret: the models say so. Messages name the reference, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from routecodex.config.secret import Secret

MAX_SECRET_BYTES: Final = 64 * 1024
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_REFERENCE: Final = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)", re.DOTALL)

SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "x-auth-token",
        "x-amz-security-token",
    }
)
SECRET_PARAMETERS: Final = frozenset(
    {"key", "api-key", "api_key", "apikey", "token", "access_token", "code", "sig", "signature"}
)

HOW_TO_WRITE: Final = (
    "Put the value into an environment variable and write ${NAME}, or into a file and write file:/path/to/it."
)


class UnresolvedReferenceError(Exception):
    """A reference points nowhere; the message says why and what to do."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


def is_reference(text: str) -> bool:
    """True for a whole value that is one reference: `${NAME}` or `file:…`."""
    return _SECRET_REFERENCE.fullmatch(text) is not None


def has_variable(text: str) -> bool:
    """True if `${NAME}` occurs anywhere in the text."""
    return _VARIABLE.search(text) is not None


def without_variables(text: str) -> str:
    """The literal part of a text, for checks of what was written in the clear."""
    return _VARIABLE.sub("", text)


def reference_path(text: str, folder: Path) -> Path:
    """The file a `file:…` reference names; relative to the configuration's folder, `~` expanded."""
    return (folder / Path(text.removeprefix("file:").strip()).expanduser()).resolve()


class References:
    """Looks references up in one environment and one folder."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.environ = environ
        self.folder = folder

    def secret(self, reference: str) -> Secret:
        """The value behind `${NAME}` or `file:…`. Raises UnresolvedReferenceError."""
        if reference.startswith("file:"):
            return Secret(self._file(reference), reference)
        match = _VARIABLE.fullmatch(reference)
        if match is None:
            raise UnresolvedReferenceError("This is not a reference.", HOW_TO_WRITE)
        return Secret(self._variable(match.group(1)), reference)

    def text(self, template: str) -> Secret:
        """A text with `${NAME}` inside, each replaced by its value; a whole `file:…` is read."""
        if template.startswith("file:"):
            return self.secret(template)
        return Secret(_VARIABLE.sub(lambda match: self._variable(match.group(1)), template), template)

    def _variable(self, name: str) -> str:
        value = self.environ.get(name, "").strip()
        if not value:
            state = "is not set" if name not in self.environ else "is empty"
            raise UnresolvedReferenceError(f"The environment variable {name} {state}.", f"Set it: export {name}=…")
        if any(ord(character) < 32 or ord(character) == 127 for character in value.replace("\n", "")):
            raise UnresolvedReferenceError(
                f"The environment variable {name} contains control characters.", "Set it to the bare value."
            )
        return value

    def _file(self, reference: str) -> str:
        try:
            path = reference_path(reference, self.folder)
            if not path.is_file():
                raise UnresolvedReferenceError(
                    f"The file {path} does not exist or is not a file.", "Create it, or mend the reference."
                )
            with path.open("rb") as handle:
                content = handle.read(MAX_SECRET_BYTES + 1)
        except (OSError, RuntimeError, ValueError) as error:
            cause = getattr(error, "strerror", None) or "not a usable path"
            raise UnresolvedReferenceError(
                f"The file of the reference cannot be read: {cause}.",
                "Make it readable for the user that runs the gateway.",
            ) from None
        if len(content) > MAX_SECRET_BYTES:
            raise UnresolvedReferenceError(f"The file {path} is larger than 64 KiB.", "Point to the secret itself.")
        try:
            value = content.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise UnresolvedReferenceError(f"The file {path} is not UTF-8 text.", "Store the secret as text.") from None
        if not value:
            raise UnresolvedReferenceError(f"The file {path} is empty.", "Write the secret into it.")
        return value
