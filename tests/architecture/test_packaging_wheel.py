"""The wheel, built on a machine without Node and used in an environment that holds nothing else.

It takes a network and two minutes, so it is left to `nox -s wheel`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE_PROGRAMS = {"node", "nodejs", "npm", "npx", "corepack", "yarn", "pnpm"}

pytestmark = pytest.mark.long


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def path_without_node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with every program of the machine but Node's."""
    folder = tmp_path_factory.mktemp("bin")
    for directory in os.environ["PATH"].split(os.pathsep):
        if Path(directory).is_dir():
            for program in Path(directory).iterdir():
                link = folder / program.name
                if program.name not in NODE_PROGRAMS and not link.exists():
                    link.symlink_to(program)
    assert not any(shutil.which(name, path=str(folder)) for name in NODE_PROGRAMS)
    return str(folder)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, path_without_node: str) -> Path:
    """The wheel of what is committed or about to be."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    environment = {**os.environ, "PATH": path_without_node}
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", out, source, env=environment)
    (built,) = out.glob("chatnation-*.whl")
    return built


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The `bin` folder of a new environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("fresh environment")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
    return folder / "bin"


def test_it_carries_assets_migrations_data_and_licences(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    expected = (
        r"chatnation/plugins/sdk/static/sdk\.js",
        r"chatnation/plugins/dashboard/static/manifest\.json",
        r"chatnation/plugins/dashboard/static/.*\.css",
        r"chatnation/plugins/dashboard/static/.*\.js",
        r"chatnation/plugins/geoip/data/country\.mmdb",
        r"chatnation/plugins/geoip/data/NRO_LICENSE",
        r"chatnation/migrations/env\.py",
        r"chatnation/migrations/versions/0001_\w+\.py",
        r"chatnation/plugins/sessions/migrations/0001_\w+\.py",
        r"chatnation/py\.typed",
        r"chatnation-[\d.]+\.dist-info/licenses/LICENSE",
    )
    missing = [pattern for pattern in expected if not any(re.fullmatch(pattern, name) for name in names)]
    assert not missing


def test_it_carries_no_sources_of_the_web_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    unwanted = re.compile(r"node_modules|(?<!\.d)\.ts$|^web/|^tests/|/tests?/.*\.py$")
    assert not [name for name in names if unwanted.search(name)]


def test_its_commands_work_in_a_fresh_environment(fresh: Path) -> None:
    assert "serve" in run(fresh / "chatnation", "--help")
    listed = run(fresh / "chatnation", "plugins", "list", "--json")
    assert '"geoip"' in listed
    assert '"failed"' not in listed


def test_it_finds_its_migrations_in_a_fresh_environment(fresh: Path) -> None:
    code = "from chatnation.core.storage.migrations import environment_folder as f; print((f() / 'env.py').exists())"
    assert run(fresh / "python", "-c", code).strip() == "True"


def test_its_dependencies_agree_with_each_other(fresh: Path) -> None:
    assert "No broken requirements" in run(fresh / "python", "-m", "pip", "check")
