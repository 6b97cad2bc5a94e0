"""`retry-after` in all its spellings (MP-15)."""

from __future__ import annotations

import pytest

from llmswitch_core.protocols.retry_after import retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 11:27:46 GMT", "date": "Sun, 22 Nov 2026 11:27:16 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": "Sun, 22 Nov 2026 11:27:16 GMT"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:27:46 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999999"}, None),
        ({"retry-after": "Sun, 22 Foo 2026 11:27:46 GMT", "date": "Sun, 22 Nov 2026 11:27:16 GMT"}, None),
        ({}, None),
    ],
)
def test_mp15_every_spelling_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
