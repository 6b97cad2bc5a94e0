"""A secret that was resolved from its reference, wrapped so that it cannot be printed by accident.

It knows the value and the reference it came from. It must not know where references are looked up
(references.py) nor who sends the value (providers/auth.py).
"""

from __future__ import annotations

import hmac
from typing import NoReturn, final


@final
class Secret:
    """A value that only `reveal()` gives away; `str`, `repr` and formatting show the reference instead.

    `reference` is what the configuration says (`${ACME_API_KEY}`, `file:/run/key`) or, for values that are
    public but travel in secret-carrying fields (a plain proxy URL, a static header), a description.
    """

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str) -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """The value itself. Call it where the value leaves the process, nowhere else."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Compare in constant time with what a client presented."""
        return hmac.compare_digest(self._value.encode("utf-8"), candidate.encode("utf-8", "surrogateescape"))

    def __repr__(self) -> str:
        return f"Secret({self.reference})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self.matches(other._value)

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is not pickled or copied to another process: pass its reference.")

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __copy__(self) -> Secret:
        return self
