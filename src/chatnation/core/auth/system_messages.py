"""Texts that go out in a tenant's name: what each is for, what it says unless changed, and what it may name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """One text. `placeholders` are the names that may stand in it as `{{name}}`, each with an example."""

    key: str
    section: str
    label: str
    default: str
    longest: int
    placeholders: Mapping[str, str] = field(default_factory=dict)
    one_line: bool = False

    def fault_of(self, words: str) -> str | None:
        """Why `words` cannot be this text, as the end of a sentence; None if they can."""
        if len(words) > self.longest:
            return f"at most {self.longest} characters fit, these are {len(words)}"
        if self.one_line and not words.isprintable():
            return "this is one line"
        for name in _PLACEHOLDER.findall(words):
            if name not in self.placeholders:
                known = ", ".join(f"{{{{{one}}}}}" for one in self.placeholders) or "none"
                return f"{{{{{name}}}}} is not known here; there is {known}"
        return None


_INVITE = {"workspaceName": "Revenue Authority", "inviterName": "Achieng Otieno"}
_LOGIN = {"userName": "Achieng Otieno", "device": "Firefox on Linux", "minutes": "15"}

_ALL = (
    SystemMessage(
        "handoverMessage",
        "Hand-over",
        "When an agent was found",
        "An agent will be with you shortly.",
        1024,
    ),
    SystemMessage(
        "outOfOfficeMessage",
        "Out of office",
        "When the team is closed",
        "Our team is not available at the moment. We will get back to you as soon as we are open again.",
        1024,
    ),
    SystemMessage(
        "inviteEmailSubject",
        "Invitation",
        "Subject",
        "{{inviterName}} invites you to {{workspaceName}}",
        200,
        _INVITE,
        one_line=True,
    ),
    SystemMessage(
        "inviteEmailBody",
        "Invitation",
        "Text",
        "{{inviterName}} invites you to join {{workspaceName}}.\n\nThe link is good for seven days, and only for this"
        " e-mail address. If you do not know the sender, ignore this mail.",
        5000,
        _INVITE,
    ),
    SystemMessage("loginVerifySubject", "Login elsewhere", "Subject", "Confirm your login", 200, _LOGIN, one_line=True),
    SystemMessage(
        "loginVerifyBody",
        "Login elsewhere",
        "Text",
        "Hello {{userName}},\n\nsomebody, probably you, signs in on {{device}}, while you are signed in elsewhere. The"
        " link ends the other login and goes on with the new one. It is good for {{minutes}} minutes.\n\nIf it was not"
        " you, change your password.",
        5000,
        _LOGIN,
    ),
    SystemMessage("csatHeader", "Survey", "Header", "How did we do?", 60, one_line=True),
    SystemMessage(
        "csatBody", "Survey", "Text", "Please tell us how satisfied you are with the help that you received.", 1024
    ),
    SystemMessage("csatButtonText", "Survey", "Button", "Rate us", 20, one_line=True),
    SystemMessage("csatFooter", "Survey", "Footer", "Thank you.", 60, one_line=True),
)
MESSAGES: Mapping[str, SystemMessage] = {message.key: message for message in _ALL}
"""By key, in the order of the page. `outOfOfficeImage` is besides them: it is an address, not a text."""


def words_of(settings: Mapping[str, Any], key: str) -> str | None:
    """The tenant's own text in its settings; None where it left ours."""
    messages = settings.get("systemMessages")
    text = messages.get(key) if isinstance(messages, Mapping) else None
    return text if isinstance(text, str) and text.strip() else None


def text_of(settings: Mapping[str, Any], key: str, values: Mapping[str, str] | None = None) -> str:
    """The message as plain text, with `values` in the place of what it names."""
    return filled(words_of(settings, key) or MESSAGES[key].default, values or {})


def html_of(settings: Mapping[str, Any], key: str, values: Mapping[str, str] | None = None) -> Markup:
    """The message as HTML: text and values escaped, a break where a line ends."""
    return Markup("<br>").join(escape(line) for line in text_of(settings, key, values).splitlines())


def filled(words: str, values: Mapping[str, str]) -> str:
    """`words` with `{{name}}` replaced by its value, once: a value that looks like a placeholder stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), words)
