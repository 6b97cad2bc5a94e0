"""`baseline freeze`: four pages that say the same for the same tree, and one header that says when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from routecodex.blocks.http_adapter.daemon import COMMANDS
from routecodex.blocks.telemetry import AttemptRecord, Metrics, OutcomeClass, OutcomeRecord
from routecodex.cli import baseline_pages as pages
from routecodex.cli.application import app
from routecodex.cli.baseline import checkout
from tests.host.cli.conftest import CONFIG, Cli

ROOT = Path(__file__).resolve().parents[3]
PAGES = {"README.md", "call-chain.md", "entries.md", "failure-types.md", "figures.md"}


def frozen(cli: Cli, folder: Path, *options: str) -> dict[str, str]:
    done = cli("baseline", "freeze", "--output", str(folder), *options)
    assert done.code == 0, done.err
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_two_freezes_of_a_tree_differ_in_the_header_alone(cli: Cli, tmp_path: Path) -> None:
    cli.write(CONFIG.format(port=1))
    first, second = frozen(cli, tmp_path / "one"), frozen(cli, tmp_path / "two")

    assert set(first) == PAGES
    assert {name: text for name, text in first.items() if name != "README.md"} == {
        name: text for name, text in second.items() if name != "README.md"
    }
    assert "commit" in first["README.md"]
    assert all(f"[{name}]({name})" in first["README.md"] for name in PAGES - {"README.md"})


def test_the_call_chain_of_a_checkout_is_its_generated_region_without_links() -> None:
    text, source = pages.call_chain(ROOT)

    assert "src/README.md" in source
    assert "RequestFlow.run" in text
    assert "ProviderV2.send" in text
    assert "](" not in text
    assert "<!--" not in text


def test_every_entry_is_there() -> None:
    text = pages.entries(typer.main.get_command(app))

    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses/{id}/cancel", ":streamGenerateContent"):
        assert path in text
    assert all(f"`{command.path}`" in text for command in COMMANDS)
    assert "- `routecodex rollback`" in text
    assert "- `routecodex switch list`" in text


def test_every_class_kind_and_code_is_there() -> None:
    text = pages.failure_types(ROOT)

    assert all(f"`{each.value}`" in text for each in OutcomeClass)
    assert "| `timeout` | 504 | timeout |" in text
    assert "`truncated_stream`" in text
    assert "## Codes" in text
    assert "## Codes" not in pages.failure_types(None)


def record(number: int, outcome: OutcomeClass, milliseconds: float) -> OutcomeRecord:
    return OutcomeRecord(
        "request",
        1.0,
        f"req_{number}",
        outcome,
        200,
        "openai-chat",
        "generate",
        attempts=(AttemptRecord('odd "name"', 200),),
        overhead_ms=milliseconds,
        ttft_ms=milliseconds,
        total_ms=milliseconds,
    )


def test_figures_are_those_of_the_metrics() -> None:
    metrics = Metrics()
    for number in range(95):
        metrics.take(record(number, OutcomeClass.OK, 4.0))
    for number in range(5):
        metrics.take(record(number, OutcomeClass.TIMEOUT, 90.0))
    text, source = pages.figures(metrics.render()[0].decode(), None)

    assert source == "the metrics of the running gateway"
    assert "| openai-chat | `ok` | 95 | 95.00 % |" in text
    assert "| openai-chat | `timeout` | 5 | 5.00 % |" in text
    assert "| openai-chat | whole request | 100 | ≤ 5 ms | ≤ 5 ms | ≤ 100 ms |" in text
    assert "Violations the gateway introduced: 0." in text


def test_a_benchmarks_output_is_kept_below_its_own_heading(cli: Cli, tmp_path: Path) -> None:
    cli.write(CONFIG.format(port=1))
    (tmp_path / "bench.md").write_text("# Benchmarks\n\n| a | b |\n")
    text = frozen(cli, tmp_path / "out", "--bench", str(tmp_path / "bench.md"))["figures.md"]

    assert "## Of the benchmark\n\n### Benchmarks\n\n| a | b |" in text


def test_without_figures_the_page_and_the_command_say_so(tmp_path: Path) -> None:
    text, source = pages.figures(None, None)

    assert "None:" in text
    assert source.startswith("nothing")


def test_outside_a_checkout_the_folder_must_be_named(cli: Cli, tmp_path: Path) -> None:
    cli.write(CONFIG.format(port=1))
    done = subprocess.run(
        [sys.executable, "-m", "routecodex.cli", "baseline", "freeze"],
        env=cli.environ,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )

    assert done.returncode == 78
    assert "--output" in done.stderr
    assert checkout(ROOT / "docs") == ROOT
    assert checkout(tmp_path) is None


def test_a_benchmark_that_cannot_be_read_is_refused(cli: Cli, tmp_path: Path) -> None:
    cli.write(CONFIG.format(port=1))
    done = cli("baseline", "freeze", "--output", str(tmp_path / "out"), "--bench", str(tmp_path / "none.md"))

    assert done.code == 78


@pytest.mark.parametrize(
    "line", ['x{a="b"} 1.0', 'x{a="b \\" } c",le="+Inf"} 2.0', "x 3.0", "# HELP x y", 'x_bucket{le="0.1"} 4']
)
def test_lines_of_metrics_are_read(line: str) -> None:
    found = list(pages.samples(line))

    assert len(found) == (0 if line.startswith("#") else 1)
    assert all(labels.get("le") in (None, "+Inf", "0.1") for _, labels, _ in found)
