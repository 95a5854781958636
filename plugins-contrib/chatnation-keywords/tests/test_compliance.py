"""The rules that every plugin keeps."""

from __future__ import annotations

from chatnation_keywords.plugin import KeywordsPlugin

from chatnation.testing import compliance

TestKeywords = compliance.suite(KeywordsPlugin)
