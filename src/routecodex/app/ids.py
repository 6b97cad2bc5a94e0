"""Fresh ids: a prefix and 24 hex digits."""

from __future__ import annotations

import os
import random
from typing import Final

_IDS: Final = random.Random(os.urandom(32))  # noqa: S311 (ids are names; what they name is guarded by its account)


def new_id(prefix: str) -> str:
    """A fresh id. No system call: several are made per request."""
    return f"{prefix}{_IDS.getrandbits(96):024x}"
