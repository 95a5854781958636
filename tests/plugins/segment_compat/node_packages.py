"""The JavaScript SDKs under test, installed from npm into a cache folder the first time."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {
    "@segment/analytics-node": "3.1.0",
    "@rudderstack/rudder-sdk-node": "3.0.13",
    "@segment/analytics-next": "1.84.3",
    "@rudderstack/analytics-js": "3.34.1",
    "esbuild": "0.28.2",
}
NO_PACKAGES = "no JavaScript SDKs: npm, or the network to install {} with it, is missing"
_INSTALL_SECONDS = 180


@functools.cache
def node_folder() -> Path | None:
    """A folder whose `node_modules` holds the SDKs; None where they cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    versions = hashlib.sha256(repr(sorted(PACKAGES.items())).encode()).hexdigest()[:12]
    folder = cache / "chatnation-tests" / f"sdks-{versions}"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", *wanted]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    (folder / "complete").touch()
    return folder


def why_not() -> str:
    """The one line that says what is missing."""
    return NO_PACKAGES.format(", ".join(PACKAGES))
