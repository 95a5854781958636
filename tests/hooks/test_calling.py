"""The four verbs: what they ask, in which order, and what they give back."""

from __future__ import annotations

import pytest

from chatnation import Plugin, hookimpl, hookspec
from chatnation.core.plugin.inventory import State
from tests.hooks.assembling import assembled, plugin


class Questions:
    """Hooks of the plugin `asking`."""

    @staticmethod
    @hookspec
    def asking_register_words(language: str) -> list[str]:  # type: ignore[empty-body]
        """List words."""

    @staticmethod
    @hookspec
    async def asking_check_words(language: str, strict: bool) -> bool:  # type: ignore[empty-body]
        """Check words."""

    @staticmethod
    @hookspec
    async def asking_resolve_word(word: str) -> str | None:
        """Find a word."""

    @staticmethod
    @hookspec
    async def asking_filter_text(text: str, language: str) -> str:  # type: ignore[empty-body]
        """Change a text."""


class Asking(Plugin):
    """Asks the others."""

    name = "asking"
    hookspecs = Questions


class Alpha(Plugin):
    """Answers first."""

    name = "alpha"
    requires = ("asking",)

    @hookimpl
    def asking_register_words(self, language: str) -> list[str]:
        return [f"alpha-{language}"]

    @hookimpl
    async def asking_check_words(self) -> bool:
        return True

    @hookimpl
    async def asking_resolve_word(self, word: str) -> str | None:
        return None

    @hookimpl
    async def asking_filter_text(self, text: str) -> str:
        return f"{text}a"


class Broken(Plugin):
    """Raises whatever it is asked."""

    name = "broken"
    requires = ("alpha",)

    @hookimpl
    def asking_register_words(self) -> list[str]:
        raise RuntimeError("no words")

    @hookimpl
    async def asking_check_words(self) -> bool:
        raise RuntimeError("no check")

    @hookimpl
    async def asking_resolve_word(self) -> str | None:
        raise RuntimeError("no answer")

    @hookimpl
    async def asking_filter_text(self, text: str) -> str:
        raise RuntimeError("no change")


class Zulu(Plugin):
    """Answers last, and takes every argument."""

    name = "zulu"
    requires = ("broken",)

    @hookimpl
    def asking_register_words(self, language: str) -> list[str]:
        return ["zulu"]

    @hookimpl
    async def asking_check_words(self, language: str, strict: bool) -> bool:
        return strict and language == "sw"

    @hookimpl
    async def asking_resolve_word(self, word: str) -> str | None:
        return f"zulu knows {word}"

    @hookimpl
    async def asking_filter_text(self, text: str, language: str) -> str:
        return f"{text}z-{language}"


HOUSE = (Zulu, Broken, Alpha, Asking)


def test_collect_gives_each_plugin_s_list_in_load_order_and_keeps_failures_apart() -> None:
    outcomes = assembled(*HOUSE).hooks.collect(Questions.asking_register_words, "sw")
    assert [(outcome.plugin, outcome.value) for outcome in outcomes] == [
        ("alpha", ["alpha-sw"]),
        ("broken", None),
        ("zulu", ["zulu"]),
    ]
    assert str(outcomes[1].error) == "no words"


async def test_gather_asks_everybody_with_the_arguments_each_wants() -> None:
    outcomes = await assembled(*HOUSE).hooks.gather(Questions.asking_check_words, "sw", strict=True)
    assert [(outcome.plugin, outcome.ok, outcome.value) for outcome in outcomes] == [
        ("alpha", True, True),
        ("broken", False, None),
        ("zulu", True, True),
    ]


async def test_an_outcome_that_failed_raises_its_error_when_unwrapped() -> None:
    outcomes = await assembled(*HOUSE).hooks.gather(Questions.asking_check_words, "sw", strict=True)
    with pytest.raises(RuntimeError, match="no check"):
        [outcome.unwrap() for outcome in outcomes]


async def test_first_takes_the_first_answer_and_passes_over_failures() -> None:
    outcome = await assembled(*HOUSE).hooks.first(Questions.asking_resolve_word, "simba")
    assert outcome is not None
    assert (outcome.plugin, outcome.value) == ("zulu", "zulu knows simba")


async def test_first_is_none_when_nobody_answers() -> None:
    assert await assembled(Asking, Alpha).hooks.first(Questions.asking_resolve_word, "simba") is None


async def test_chain_hands_the_value_on_and_keeps_it_when_one_fails() -> None:
    assert await assembled(*HOUSE).hooks.chain(Questions.asking_filter_text, "text-", "sw") == "text-az-sw"


async def test_failures_are_counted_by_plugin_and_hook() -> None:
    assembly = assembled(*HOUSE)
    for _ in range(3):
        await assembly.hooks.first(Questions.asking_resolve_word, "simba")
    assert assembly.boundary.failures == {("broken", "asking_resolve_word"): 3}


async def test_only_the_named_plugins_are_asked() -> None:
    hooks = assembled(*HOUSE).hooks.only({"zulu"})
    assert [outcome.plugin for outcome in await hooks.gather(Questions.asking_check_words, "sw", strict=True)] == [
        "zulu"
    ]


async def test_a_plugin_that_does_not_run_is_not_asked() -> None:
    assembly = assembled(*HOUSE)
    assembly.inventory.settle("broken", State.DEGRADED, "for this test")
    outcomes = await assembly.hooks.gather(Questions.asking_check_words, "sw", strict=True)
    assert [outcome.plugin for outcome in outcomes] == ["alpha"]


async def test_a_degraded_plugin_is_still_asked_to_erase_what_it_keeps() -> None:
    from chatnation.core.hookspecs.data import erase_tenant

    async def erase(self: Plugin, tenant_id: int) -> int:
        return tenant_id

    assembly = assembled(plugin("keeper", erase_tenant=hookimpl(erase)))
    assembly.inventory.settle("keeper", State.DEGRADED, "for this test")
    connection: object = object()
    outcomes = await assembly.hooks.gather(erase_tenant, connection, 7)  # type: ignore[arg-type]
    assert [outcome.unwrap() for outcome in outcomes] == [7]
