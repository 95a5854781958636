"""Writes the package of a new plugin, from the files beside this module.

`files/always` goes into every package, `files/tables` into those that keep tables of their own. They are Jinja
templates with `<<name>>` for values, because braces mean something in Python; `PACKAGE` in a path is the name of the
package.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import jinja2

from chatnation.core.errors import ChatnationError
from chatnation.core.plugin.manifest import NAME, RESERVED_NAMES

FILES = Path(__file__).parent / "files"
SUFFIX = ".jinja"
_LONGEST_NAME = 40


def write(name: str, directory: Path, *, tables: bool) -> Path:
    """Write the package for a plugin called `name` below `directory`; gives its folder, which must not exist yet."""
    if not NAME.fullmatch(name) or name in RESERVED_NAMES or name.startswith("pg_") or len(name) > _LONGEST_NAME:
        raise ChatnationError(
            f"{name!r} cannot be the name of a plugin: use small letters, digits and underscores, a letter first, at"
            f" most {_LONGEST_NAME} characters, and none of {', '.join(sorted(RESERVED_NAMES))}."
        )
    words = name.replace("_", " ")
    package_name = f"chatnation_{name}"
    package = directory / package_name.replace("_", "-")
    values = {
        "name": name,
        "title": words.capitalize(),
        "class_name": words.title().replace(" ", ""),
        "package": package_name,
        "distribution": package.name,
        "tables": tables,
        "chatnation_version": version("chatnation"),
    }
    if package.exists():
        raise ChatnationError(f"{package} exists already.")
    environment = jinja2.Environment(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Python and TOML, not HTML.
    )
    for tree in ("always", "tables") if tables else ("always",):
        for source in files(FILES / tree):
            path = str(source.relative_to(FILES / tree)).removesuffix(SUFFIX).replace("PACKAGE", package_name)
            target = package / path.replace("NAME", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(environment.from_string(source.read_text("utf-8")).render(values), "utf-8")
    return package


def files(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, in a fixed order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
