"""`routecodex baseline freeze`: the state to measure every switch against, as pages to be committed.

Writes call chain, entries, failure types and figures to `docs/baseline/` of the repository it is run in, or to
`--output`. The pages say the same for the same tree; when, where and from which commit they were made stands in
README.md alone. Figures are of the running gateway and of a benchmark's output; what is missing is said to be.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption

_BENCHMARKS: Final = Path("docs") / "reference" / "benchmarks.md"


def freeze(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder to write to. Default: docs/baseline of this checkout."
        ),
    ] = None,
    bench: Annotated[
        Path | None,
        typer.Option("--bench", metavar="FILE", help="A benchmark's output. Default: docs/reference/benchmarks.md."),
    ] = None,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write call chain, entries, failure types and figures down, to compare with later."""
    from routecodex.cli import baseline_pages as pages
    from routecodex.cli.output import emit_json, note, say

    root = checkout(Path.cwd())
    folder = output if output is not None else root / "docs" / "baseline" if root is not None else None
    if folder is None:
        raise CommandError(
            EXIT_CONFIGURATION, "This is no checkout of the gateway.", "Say where to write: --output DIR.", code="usage"
        )
    metrics = _metrics(config, port)
    chain, chain_from = pages.call_chain(root)
    figures, figures_from = pages.figures(metrics, _benchmark(root, bench))
    written = {
        "call-chain.md": chain,
        "entries.md": pages.entries(context.find_root().command),
        "failure-types.md": pages.failure_types(root),
        "figures.md": figures,
    }
    sources = {"call-chain.md": chain_from, "figures.md": figures_from}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**written, "README.md": _header(root, list(written), sources)}.items():
        (folder / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    missing = [
        f"{name}: {source}"
        for name, source in sources.items()
        if source.startswith("nothing") or pages.WITHOUT_ONEPATH in source
    ]
    if as_json:
        emit_json({"folder": str(folder), "pages": [*written, "README.md"], "sources": sources})
        return 0
    say(f"Wrote {len(written) + 1} pages to {folder}.")
    for each in missing:
        note(f"  {each}")
    return 0


def checkout(folder: Path) -> Path | None:
    """The checkout of the gateway around this folder."""
    return next((each for each in (folder, *folder.parents) if (each / "src" / "routecodex" / "cli").is_dir()), None)


def _metrics(config: Path | None, port: int | None) -> str | None:
    """What the running gateway counted; None where none runs, or it keeps them to itself."""
    from routecodex.cli.matrix import running

    target = running(config, port)
    if target is None:
        return None
    answer = target.connect().get("/metrics", admin=True)
    return answer.body.decode("utf-8", "replace") if answer.status == 200 else None


def _benchmark(root: Path | None, bench: Path | None) -> tuple[str, str] | None:
    """(name, text) of a benchmark's output. Raises CommandError if one is named and cannot be read."""
    if bench is not None:
        try:
            return bench.name, bench.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise CommandError(
                EXIT_CONFIGURATION, f"{bench} cannot be read.", "Name the output of `nox -s bench`.", code="unreadable"
            ) from None
    if root is None or not (root / _BENCHMARKS).is_file():
        return None
    return _BENCHMARKS.as_posix(), (root / _BENCHMARKS).read_text(encoding="utf-8")


def _header(root: Path | None, pages: list[str], sources: dict[str, str]) -> str:
    """The one page that differs from run to run."""
    from routecodex.cli.programs import ask
    from routecodex.cli.version import own_version

    said = ask(["git", "rev-parse", "HEAD"], root) if root is not None else None
    changed = ask(["git", "status", "--porcelain", "--untracked-files=no"], root) if root is not None else None
    commit = said.out.strip() if said is not None and said.code == 0 else "not known"
    if changed is not None and changed.out.strip():
        commit += ", with changes that are not committed"
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        "# Baseline",
        "",
        "What every switch is measured against. Frozen by `routecodex baseline freeze`; not edited by hand.",
        "",
        f"- frozen: {when}",
        f"- version: {own_version()}, commit {commit}",
        f"- machine: {platform.system()} {platform.machine()}, Python {sys.version.split()[0]}",
        "",
        *(f"- [{page}]({page})" + (f": from {sources[page]}" if page in sources else "") for page in pages),
    ]
    return "\n".join(lines)
