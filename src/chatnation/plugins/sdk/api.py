"""What other plugins may use of the browser tracker."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from chatnation.plugins.sdk.assets import assets

HANDSHAKE_TOKEN = re.compile(r"\bcn-[0-9a-hjkmnp-tv-z]{12}\b")
"""A token that the tracker put into a WhatsApp text: `cn-` and 12 of lower-case Crockford base32 (60 bits)."""

STUB_METHODS = ("init", "page", "track", "identify", "alias", "reset", "flush", "setConsent", "ready")
"""Calls that the snippet keeps until the tracker has loaded; the others return a value and need the tracker itself."""

_SNIPPET = """\
<script>
  (function (w, d, url) {
    if (w.chatnation) return;
    var calls = (w.chatnation = []);
    "%(methods)s".split(" ").forEach(function (name) {
      calls[name] = function () { calls.push([name, arguments, Date.now()]); };
    });
    var script = d.createElement("script");
    script.async = true;
    script.src = url;
    d.head.appendChild(script);
  })(window, document, %(url)s);
  chatnation.init(%(arguments)s);
  chatnation.page();
</script>
"""


def _sdk_url(base_url: str) -> str:
    return f"{base_url.rstrip('/')}/sdk.js"


def _in_script(value: object) -> str:
    """JSON that cannot end the script element it stands in, nor open a comment there."""
    return json.dumps(value).replace("<", "\\u003c")


def loader_snippet(write_key: str, base_url: str, options: Mapping[str, Any] | None = None) -> str:
    """HTML for the head of every page: keeps calls, loads the tracker from `base_url`, starts it, records a page view.

    `options` is the second argument of `init`.
    """
    arguments = [write_key] if not options else [write_key, dict(options)]
    return _SNIPPET % {
        "methods": " ".join(STUB_METHODS),
        "url": _in_script(_sdk_url(base_url)),
        "arguments": ", ".join(map(_in_script, arguments)),
    }


def script_tag(write_key: str, base_url: str, options: Mapping[str, Any] | None = None) -> str:
    """One line without inline script, for sites whose content security policy forbids that.

    Calls made before the tracker has loaded are not kept.
    """
    attributes = {"src": _sdk_url(base_url), "data-write-key": write_key}
    if options:
        attributes["data-options"] = json.dumps(dict(options))
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<script async {written}></script>\n"


def integrity() -> str:
    """The `integrity` value of this version's `sdk.js`, for sites that host a copy of it; raises `AssetMissing`."""
    return assets()["sdk.js"].integrity
