from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.router.quota_headers import quota_of_headers
from llmswitch_core.router.state import Quota

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:30Z",
                "anthropic-ratelimit-input-tokens-remaining": "1000",
            },
            {"requests": Quota(0, 50, NOW + 30), "input-tokens": Quota(1000)},
        ),
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-requests": "6m0.5s",
                "x-ratelimit-remaining-tokens": "149984",
                "x-ratelimit-reset-tokens": "20ms",
            },
            {"requests": Quota(59, 60, NOW + 360.5), "tokens": Quota(149984, None, NOW + 0.02)},
        ),
        (
            {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "-3", "x-ratelimit-reset": "1800000060000"},
            {"requests": Quota(0, 20, NOW + 60)},
        ),
        ({"ratelimit-remaining": "4", "ratelimit-reset": "12"}, {"requests": Quota(4, None, NOW + 12)}),
        ({"ratelimit-remaining": "4", "ratelimit-reset": "1800000012"}, {"requests": Quota(4, None, NOW + 12)}),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "1d2h3m4s"}, {"requests": Quota(1, None, NOW + 93_784)}),
        ({"x-ratelimit-limit-requests": "60", "content-type": "application/json"}, {}),
        ({"x-ratelimit-remaining": "many", "ratelimit-policy": "60;w=60"}, {}),
        ({"x-ratelimit-remaining": "nan"}, {}),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "soon"}, {"requests": Quota(1)}),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2027-01-15T08:00:30"}, {"requests": Quota(1)}),
        ({}, {}),
    ],
)
def test_each_vendors_headers_are_read(headers: dict[str, str], expected: dict[str, Quota]) -> None:
    assert quota_of_headers(headers, NOW) == expected


@settings(deadline=None, max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            ["x-ratelimit-remaining", "x-ratelimit-reset-tokens", "anthropic-ratelimit-a-reset", "ratelimit"]
        ),
        st.text(max_size=12) | st.from_regex(r"[0-9]{0,9}(ms|s|m|h|T|:)?", fullmatch=True),
    )
)
def test_any_header_value_is_either_read_or_ignored(headers: dict[str, str]) -> None:
    for quota in quota_of_headers(headers, NOW).values():
        assert quota.remaining is not None
        assert quota.remaining >= 0
