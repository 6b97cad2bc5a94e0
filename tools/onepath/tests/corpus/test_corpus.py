"""Every bypass of the corpus is caught, every innocent application is silent; the table shows it by technique."""

from __future__ import annotations

import pytest

from .judging import Result, judged, table
from .loading import App, load

APPS = [app for app in load() if app.runs_here]


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    found = judged(APPS)
    print("\n" + table(found))
    return {one.app.id: one for one in found}


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_onepath_agrees_with_what_ran(app: App, results: dict[str, Result]) -> None:
    assert not results[app.id].fault, f"{app.source}: {results[app.id].fault}"
