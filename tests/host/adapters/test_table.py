"""The table of requests is what it seems to be."""

from __future__ import annotations

from tests.host.adapters.table import GROUPS


def test_the_table_has_hundreds_of_requests_and_no_case_twice() -> None:
    for group in GROUPS:
        names = [name for name, _ in group.cases]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    assert sum(len(group.cases) for group in GROUPS) > 1500
