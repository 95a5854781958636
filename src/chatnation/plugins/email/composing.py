"""From a template and values to a subject, a text and HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

_FOLDER = Path(__file__).parent / "mails"
_TEXTS = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER), undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True
)
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER), undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True
)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_OTHER_NAMES = {"workspaceName": "workspace", "inviterName": "inviter", "userName": "name"}
"""Placeholders as the texts of earlier systems have them."""
_BUTTONS = {"invite": "Accept the invitation", "reset_password": "Choose a new password", "takeover": "Go on here"}


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail without its envelope."""

    subject: str
    text: str
    html: str


def compose(
    template: str, values: Mapping[str, Any], *, brand: str, subject: str = "", body: str = "", colour: str = ""
) -> Composed:
    """The mail `template` with `values`, in the words of the tenant where `subject` or `body` are given.

    Tenants' words know placeholders and nothing else: they are no templates, and everything is escaped in HTML.
    `brand` is the name at the foot, `colour` that of the button, as #rrggbb.
    """
    ours = _TEXTS.get_template(f"{template}.txt").render(**values)
    head, _, rest = ours.partition("\n")
    text = _filled(body, values).strip() if body.strip() else rest.strip()
    line = " ".join((_filled(subject, values) if subject.strip() else head.removeprefix("Subject:")).split())
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    link, code = str(values.get("link") or ""), str(values.get("code") or "")
    if code and code not in text:
        paragraphs.append(code)
    shown = {
        "subject": line,
        "paragraphs": [part for part in paragraphs if part != link],
        "link": link,
        "code": code,
        "button": _BUTTONS.get(template, "Open"),
        "brand": brand,
        "colour": colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else "#066fd1",
    }
    plain = list(paragraphs)
    if link and link not in text:
        plain.append(link)
    return Composed(
        line,
        "\n\n".join([*plain, f"--\n{brand}"]) + "\n",
        _PAGES.get_template("layout.html").render(**shown),
    )


def _filled(words: str, values: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        name = _OTHER_NAMES.get(found[1], found[1])
        return str(values[name]) if name in values else found[0]

    return _PLACEHOLDER.sub(value, words)
