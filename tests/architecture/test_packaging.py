"""What `pyproject.toml` and `web/package.json` promise, held against the code."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "chatnation"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

ONLY_FOR_PLUGIN_AUTHORS = {"pytest", "hypothesis", "_pytest", "xdist"}
"""Imported by `chatnation.testing`, which only makes sense where these are installed."""


def imports_of(file: Path) -> set[str]:
    """Top-level names of every module that the file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def declared() -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}


def third_party_imports() -> set[str]:
    found = set().union(*(imports_of(file) for file in SOURCE.rglob("*.py")))
    return found - set(sys.stdlib_module_names) - {"chatnation"} - ONLY_FOR_PLUGIN_AUTHORS


def test_whatever_the_package_imports_it_also_requires() -> None:
    distributions = packages_distributions()
    missing = {
        module
        for module in third_party_imports()
        if declared().isdisjoint(canonicalize_name(name) for name in distributions.get(module, [module]))
    }
    assert not missing


def test_every_dependency_says_from_which_version() -> None:
    for line in PROJECT["dependencies"]:
        assert Requirement(line).specifier, f"{line} has no lower bound"


def test_installed_versions_meet_what_is_declared() -> None:
    from importlib.metadata import version

    for line in PROJECT["dependencies"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(version(requirement.name), prereleases=True), line


def test_a_folder_under_plugins_is_an_entry_point_and_the_other_way_round() -> None:
    folders = {path.parent.name for path in (SOURCE / "plugins").glob("*/plugin.py")}
    assert folders == set(PROJECT["entry-points"]["chatnation.plugins"])


@pytest.mark.parametrize("name", sorted(PROJECT["entry-points"]["chatnation.plugins"]))
def test_every_bundled_entry_point_leads_to_a_plugin_of_its_name(name: str) -> None:
    (point,) = entry_points(group="chatnation.plugins", name=name)
    assert point.load().name == name


def test_the_command_line_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chatnation.core.cli", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


def test_the_lock_file_names_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 10
    for path, package in packages.items():
        assert "resolved" not in package, path
        assert not path or "integrity" in package, path


def test_web_dependencies_are_pinned() -> None:
    package = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+(\.\d+)+", version), name


def test_nothing_built_or_vendored_is_in_the_repository() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    built = [name for name in tracked if re.search(r"\.min\.|\.mmdb$|\.whl$|\.woff2?$|node_modules/|\.map$", name)]
    assert not built


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE / "py.typed").exists()


def test_extras_only_name_what_can_be_installed_together() -> None:
    extras = {Requirement(line).name for lines in PROJECT["optional-dependencies"].values() for line in lines}
    assert "chatnation" in extras
    assert requires("pytest")  # the test extra is what this very run uses
