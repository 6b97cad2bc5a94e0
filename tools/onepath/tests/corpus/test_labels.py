"""The labels of the corpus are what happens when its applications run, and the corpus is as large as promised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .labelling import differences, disagreements, executed, label, read_labels
from .loading import load


def test_every_application_does_what_its_heading_and_its_label_say(tmp_path: Path) -> None:
    apps = load()
    answers = executed(apps, tmp_path)
    assert answers
    assert disagreements(apps, answers) == []
    assert differences(read_labels(), {name: label(answer) for name, answer in answers.items()}) == []


def test_every_application_has_a_label_and_every_label_an_application() -> None:
    assert {app.id for app in load()} == set(read_labels())


def test_the_corpus_is_large_enough_and_every_technique_has_an_innocent_twin() -> None:
    apps = load()
    by_technique: dict[str, Counter[str]] = {}
    for app in apps:
        by_technique.setdefault(app.technique, Counter())[app.kind] += 1
    assert len(by_technique) >= 25
    assert sum(app.kind != "innocent" for app in apps) >= 150
    assert sum(app.kind == "innocent" for app in apps) >= 60
    assert [name for name, kinds in by_technique.items() if not kinds["innocent"]] == []


def test_no_two_applications_are_the_same() -> None:
    apps = load()
    bodies = Counter((tuple(sorted(app.files.items())), app.call) for app in apps)
    assert [app.id for app in apps if bodies[tuple(sorted(app.files.items())), app.call] > 1] == []
