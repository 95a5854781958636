"""Every bundled plugin keeps the rules that plugins of others keep."""

from __future__ import annotations

from chatnation.testing import compliance
from tests.plugins.bundled import bundled_plugins

for plugin in bundled_plugins():
    suite = compliance.suite(plugin)
    globals()[suite.__name__] = suite
del plugin, suite
