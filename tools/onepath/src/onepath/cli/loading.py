"""From a command line to a linked program, a report, a region's material: what several commands begin with."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onepath.cli.exits import UsageError
from onepath.cli.progress import progress
from onepath.config import Configuration, Project, bare_project, find_project, read_project
from onepath.discover import RootError
from onepath.garbage import not_collecting
from onepath.render.report import Report, RuleCard
from onepath.rules.contract import Model

if TYPE_CHECKING:
    from onepath.difference import Snapshot
    from onepath.discover import Discovery
    from onepath.regions.material import Material
    from onepath.switches import Matrix


def version() -> str:
    """The distribution's version; `0.0.0` where it runs from a tree that is not installed."""
    from importlib import metadata

    try:
        return metadata.version("onepath")
    except metadata.PackageNotFoundError:
        return "0.0.0"


def project(config: Path | None, roots: Sequence[str] | None = None) -> Project:
    """The configuration a command works with. Raises UsageError if there is none, ConfigurationError if it is bad."""
    if roots:
        return bare_project(Path.cwd(), roots)
    if config is not None:
        if not config.is_file():
            raise UsageError(f"{config} is no file")
        return read_project(config)
    found = find_project(Path.cwd())
    if found is None:
        raise UsageError("no onepath.toml and no [tool.onepath] here or above; `onepath init` proposes one")
    if not found.configuration.roots:
        raise UsageError(f"{found.file} names no `roots`; name what is to be read")
    return found


@contextlib.contextmanager
def naming(found: Project) -> Iterator[None]:
    """Says which configuration names a root that is not there: it may lie in a folder above."""
    try:
        yield
    except RootError as error:
        raise UsageError(f"{found.folder / found.file}: {error}" if found.file else str(error)) from error


def load(
    found: Project, *, jobs: int | None, quiet: bool, whole: bool = True, discovery: Discovery | None = None
) -> Model:
    """The linked program of a project; or as much of it as is needed to judge it."""
    from onepath.loading import load_model

    with progress(quiet=quiet) as report, naming(found):
        return load_model(found, jobs=jobs, progress=report, whole=whole, discovery=discovery)


def judge(found: Project, model: Model, *, update_baseline: bool = False, today: datetime.date | None = None) -> Report:
    """What the rules find, waivers and baseline applied."""
    from onepath.rules import judging

    verdict = judging.judge(found, model, update_baseline=update_baseline, today=today)
    return Report(
        findings=verdict.findings,
        waived=verdict.waived,
        known=verdict.known,
        faults=verdict.faults,
        proofs=verdict.proofs,
        rules=tuple(RuleCard(rule.id, rule.name, rule.summary) for rule in judging.RULES),
        configuration=found.file or "pyproject.toml",
        version=version(),
    )


def judged(
    found: Project,
    *,
    jobs: int | None,
    quiet: bool,
    update_baseline: bool = False,
    today: datetime.date | None = None,
) -> Report:
    """What the rules find in a project; as it was kept, if nothing it was made of has changed."""
    from onepath.answers import Answers

    day = today or datetime.datetime.now(tz=datetime.UTC).date()
    answers = Answers(found, day)
    with naming(found):
        report = None if update_baseline else answers.told()
    if report is not None:
        return msgspec.structs.replace(report, version=version())
    with not_collecting():
        model = load(found, jobs=jobs, quiet=quiet, whole=False, discovery=answers.discovery)
        report = judge(found, model, update_baseline=update_baseline, today=day)
    if not update_baseline:
        answers.keep(model.looked, report)
    return report


def matrix_of(model: Model) -> Matrix | None:
    """The switch matrix; None if none is configured. Raises UsageError if it cannot be read."""
    from onepath.switches import RegistryError, Sources, read_matrix

    configuration = model.configuration.switches
    if configuration is None:
        return None
    try:
        return read_matrix(Sources(model.folder, model.program.modules), configuration)
    except RegistryError as error:
        raise UsageError(str(error)) from error


def material(found: Project, model: Model) -> Material:
    """What regions are made of."""
    from onepath.regions.docstrings import summaries
    from onepath.regions.material import Material

    report = judge(found, model)
    if report.faults:
        told = "\n".join(f"  {fault.contract}: {fault.key}: {fault.message}" for fault in report.faults)
        raise UsageError(f"nothing was written, for the configuration speaks of what is not there:\n{told}")
    return Material(
        model=model,
        summaries=summaries(model.folder, model.program.modules),
        matrix=matrix_of(model),
        findings=report.findings,
        proofs=report.proofs,
        waived=report.waived,
    )


def snapshot_of(found: Project, *, jobs: int | None, quiet: bool) -> Snapshot:
    """The architecture as the files are."""
    from onepath.difference import snapshot

    model = load(found, jobs=jobs, quiet=quiet)
    return snapshot(model, matrix_of(model))


def snapshot_at(found: Project, revision: str, *, jobs: int | None, quiet: bool) -> Snapshot:
    """The architecture at a revision, by the configuration of that revision; without one, by today's roots."""
    from onepath.cli.revisions import checked_out

    with checked_out(found.folder, revision, [found.file]) as folder:
        file = folder / found.file
        then = read_project(file) if file.is_file() and _speaks(file) else Project(folder, "", Configuration())
        roots = then.configuration.roots or found.configuration.roots
        present = tuple(root for root in roots if (folder / root).exists())
        if not present:
            raise UsageError(f"none of the roots {', '.join(roots)} is there at {revision}")
        kept = msgspec.structs.replace(then.configuration, roots=present, cache="")
        return snapshot_of(Project(folder, then.file, kept), jobs=jobs, quiet=quiet)


def _speaks(file: Path) -> bool:
    return file.name != "pyproject.toml" or b"tool.onepath" in file.read_bytes()
