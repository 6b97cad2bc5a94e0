"""Every gate of the project as a nox session; `nox -l` lists them. Versions come from requirements/*.txt."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
REQUIREMENTS = ROOT / "requirements"
ONEPATH = ROOT / "tools" / "onepath"
TREES = ROOT / ".cache" / "onepath-trees"
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
INTERPRETERS = ("3.11", "3.12", "3.13")

nox.options.sessions = ["tests", "lint"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False


def install(session: nox.Session, *locks: str, project: bool = True) -> None:
    """Install exactly what the lock files name, then the project itself without resolving anything."""
    for lock in locks:
        session.install("--quiet", "-r", str(REQUIREMENTS / f"{lock}.txt"))
    if project:
        session.install("--quiet", "--no-deps", "-e", ".")


def only(session: nox.Session, *known: str) -> None:
    """End the session where an argument after `--` is none of its own: a typing error must not choose another run."""
    unknown = [word for word in session.posargs if word not in known]
    if unknown:
        taken = f"takes {', '.join(known)}" if known else "takes no arguments"
        session.error(f"{' '.join(unknown)}: unknown; `nox -s {session.name}` {taken}")


def install_onepath(session: nox.Session) -> None:
    """onepath as it stands in this tree, with the dependencies of its lock file."""
    install(session, "onepath", project=False)
    session.install("--quiet", "--no-deps", "-e", str(ONEPATH))


@nox.session
def tests(session: nox.Session) -> None:
    """The core suite, everything that needs sockets, the must-pass matrix, onepath's own; on this interpreter."""
    install(session, "test")
    install_onepath(session)
    run_tests(session)


def run_tests(session: nox.Session) -> None:
    """The suite, spread over the cores; arguments after `--` go to pytest instead."""
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    workers = str(max(2, os.cpu_count() or 2))
    session.run("python", "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal", "tests/core")
    hosted = ("tests/host", "tests/upstream_selftest", "tools/truth")
    session.run("python", "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal", *hosted)
    matrix = ("python", "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal", "tests/matrix", "--matrix")
    session.run(*matrix)
    session.run(*matrix, env={"TEST_SIDES": run_of(session, "last")})
    session.chdir(ONEPATH)  # a distribution of its own, with a pytest configuration of its own
    session.run("python", "-m", "pytest", "-q", "-n", workers, "--dist", "loadfile")


def run_of(session: nox.Session, which: str) -> str:
    """The words of one run over the sides, as tests.sides has them: `last` is every second side at once."""
    told = session.run("python", "-m", "tests.sides", which, silent=True)
    return str(told).strip()


@nox.session
def sides(session: nox.Session) -> None:
    """The protocol suites over every pair of sides of the switches, with the real clients (`-- tests`: without)."""
    only(session, "tests")
    install(session, "test")
    runs = run_of(session, "all").splitlines()
    workers = str(max(2, os.cpu_count() or 2))
    for words in runs:
        session.log(f"sides: {words or 'the first ones'}")
        env = {"TEST_SIDES": words}
        hosted = ("tests/host/dataplane", "tests/host/control_plane", "tests/matrix")
        session.run("python", "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal", *hosted, "--matrix", env=env)
        if "tests" not in session.posargs:
            session.run("python", "-m", "tests.e2e", env=env)


@nox.session
def soak(session: nox.Session) -> None:
    """`-- switches`: 100 streams stay open while every switch goes back and forth under load."""
    install(session, "test")
    session.run("python", "-m", "tests.soak", *(session.posargs or ["switches"]))


@nox.session
def tests_all(session: nox.Session) -> None:
    """The suite on 3.11, 3.12 and 3.13; names the interpreters that are absent (`-- --require-all` fails on them)."""
    only(session, "--require-all")
    require_all = "--require-all" in session.posargs
    absent = [version for version in INTERPRETERS if find_interpreter(version) is None]
    present = [version for version in INTERPRETERS if version not in absent]
    for version in present:
        session.log(f"tests on Python {version}")
        command = (sys.executable, "-m", "nox", "--error-on-missing-interpreters", "-s", f"tests_on-{version}")
        session.run(*command, external=True)
    for version in absent:
        session.warn(f"Python {version} is absent here: its tests did not run.")
    if absent and require_all:
        session.error(f"Interpreters absent: {', '.join(absent)}. Install them or leave --require-all out.")


@nox.session(python=list(INTERPRETERS), default=False)
def tests_on(session: nox.Session) -> None:
    """The suite on one named interpreter (used by tests_all)."""
    install(session, "test")
    install_onepath(session)
    run_tests(session)


def find_interpreter(version: str) -> str | None:
    """Path of `pythonX.Y`, also where a version manager keeps it off the PATH."""
    found = shutil.which(f"python{version}")
    if found and works(found):
        return found
    roots = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    for root in roots:
        for candidate in sorted(root.glob(f"*{version}*/bin/python{version}")) if root.is_dir() else []:
            os.environ["PATH"] = f"{candidate.parent}{os.pathsep}{os.environ['PATH']}"
            return str(candidate)
    return None


def works(python: str) -> bool:
    """A version manager's shim may exist for an interpreter that is not selected."""
    import subprocess

    return subprocess.run([python, "-c", "pass"], capture_output=True, check=False).returncode == 0


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, strict types, and the architecture: the contracts of pyproject.toml's [tool.onepath]."""
    only(session)
    install(session, "lint")
    install_onepath(session)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("onepath", "lint")


@nox.session
def docs(session: nox.Session) -> None:
    """Renew all that is generated (`-- --check`: write nothing, fail where something is stale; `-- --force`)."""
    only(session, "--check", "--force")
    install(session, "test")
    install_onepath(session)
    check = [word for word in session.posargs if word == "--check"]
    failed = []
    for command in (
        ("onepath", "docs", *session.posargs),
        ("python", "-m", "tools.docs.reference", *check),
        ("python", "-m", "onepath.cli.reference", "docs/onepath", *check),
        ("python", "-m", "tools.docs.pages"),
    ):
        try:
            session.run(*command)
        except nox.command.CommandFailed:
            failed.append(" ".join(command))
    if failed:
        session.error(f"Failed: {', '.join(failed)}. `python3 -m nox -s docs` renews what is generated.")


@nox.session
def mutations(session: nox.Session) -> None:
    """Bypasses planted into a copy of src/ are named by `onepath lint`, harmless changes are not (`-- --only TEXT`)."""
    install_onepath(session)
    session.chdir(ONEPATH)
    workers = str(max(2, os.cpu_count() or 2))
    session.run("python", "-m", "mutations.check", "--repository", str(ROOT), "--workers", workers, *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """A real small model behind the gateway, answered in four dialects (`-- --serve` keeps it running)."""
    install(session, "runtime")
    session.install("--quiet", "--no-deps", "-r", str(REQUIREMENTS / "demo.in"))
    session.run("python", str(ROOT / "tools" / "demo" / "demo.py"), *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Real agent CLIs and vendor SDKs through the gateway, over each upstream protocol; prints the matrix."""
    install(session, "test")
    session.run("python", "-m", "tests.e2e", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Peers side by side in one run (`-- quick`: the gateway alone; `-- onepath`, `-- rollback`: those instead)."""
    install(session, "runtime")
    if session.posargs[:1] == ["onepath"]:
        install_onepath(session)
    session.run("python", "-m", "bench", *session.posargs)


@nox.session
def thirdparty(session: nox.Session) -> None:
    """onepath on other people's trees, fetched once: read to the end, imports beside grimp's (`-- flask`: that one)."""
    install_onepath(session)
    session.chdir(ONEPATH)
    session.run("python", "-m", "tests.thirdparty", "--cache", str(TREES), *session.posargs)
    session.run("python", "-m", "tests.thirdparty.tutorial", "--cache", str(TREES))


@nox.session
def truth(session: nox.Session) -> None:
    """What the gateway's suite calls while it runs must be in onepath's static graph (`-- --sample`: a look)."""
    install(session, "test")
    install_onepath(session)
    session.run("python", "-m", "tools.truth", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Every side of the transport over fuzzed upstreams and a real nginx (`-- --count N`; 100 000 by default)."""
    install(session, "test")
    session.run("python", "-m", "tests.fuzz.transports", *session.posargs)
    session.run("python", "-m", "tests.fuzz.transports.nginx")


@nox.session
def converged(session: nox.Session) -> None:
    """On copies: each switch's first side is deleted with row and tests; the tree stays green (`-- --quick`)."""
    install(session, "test", "lint")
    install_onepath(session)
    session.run("python", "-m", "tools.converged", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheel and source archive, checked by installing the wheel in this fresh environment and running it."""
    only(session)
    session.install("--quiet", "-r", str(REQUIREMENTS / "build.txt"))
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation")
    session.run("twine", "check", "--strict", *map(str, sorted((ROOT / "dist").iterdir())))
    session.install("--quiet", "-r", str(REQUIREMENTS / "runtime.txt"))
    session.install("--quiet", "--no-deps", "--force-reinstall", str(next((ROOT / "dist").glob("*.whl"))))
    session.run("routecodex", "version")
