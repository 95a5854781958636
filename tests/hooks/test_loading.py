"""What breaks a plugin before it is composed, and what that leaves standing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr, create_model

from chatnation import ConfigurationError, Job, Permission, Plugin, Route, Schedule, Service, hookimpl, hookspec
from chatnation.core.compose import assemble
from chatnation.core.errors import PluginError
from chatnation.core.plugin import discovery
from chatnation.core.settings import Settings
from tests.hooks.assembling import assembled, plugin, states

BYSTANDER = plugin("bystander")


async def answer(request: object) -> dict[str, str]:
    return {}


def registers(hook: str, *items: object) -> dict[str, Any]:
    """The body of a plugin whose `hook` returns `items`."""
    return {hook: hookimpl(lambda self: list(items))}


def test_plugins_load_in_the_order_that_requires_and_after_ask_for() -> None:
    assembly = assembled(
        plugin("a", after=("m", "absent")), plugin("z"), plugin("m", requires=("z",)), plugin("b"), plugin("y")
    )
    assert list(states(assembly)) == ["b", "y", "z", "m", "a"]
    assert set(states(assembly).values()) == {"active"}


def test_a_plugin_is_blocked_with_all_that_require_it_when_something_is_missing() -> None:
    assembly = assembled(BYSTANDER, plugin("a", requires=("absent",)), plugin("b", requires=("a",)))
    assert states(assembly) == {"bystander": "active", "a": "blocked", "b": "blocked"}
    assert assembly.inventory["a"].reason == "it requires absent, which is not installed"
    assert assembly.inventory["b"].reason == "it requires a, which is blocked"


def test_plugins_that_wait_for_each_other_fail_and_nobody_else_does() -> None:
    assembly = assembled(
        BYSTANDER,
        plugin("a", requires=("b",)),
        plugin("b", after=("c",)),
        plugin("c", requires=("a",)),
        plugin("d", requires=("a",)),
    )
    assert states(assembly) == {"bystander": "active", "a": "failed", "b": "failed", "c": "failed", "d": "blocked"}
    assert assembly.inventory["b"].reason.startswith("plugins wait for each other: ")


def test_a_disabled_plugin_is_not_imported() -> None:
    assembly = assembled(BYSTANDER, plugin("a"), plugin("b", requires=("a",)), plugins_disabled="a")
    assert states(assembly) == {"bystander": "active", "a": "disabled", "b": "blocked"}
    assert assembly.inventory["a"].plugin_class is None


def test_a_name_in_plugins_disabled_that_nobody_has_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assembled(BYSTANDER, plugins_disabled="bystnader")
    assert "'bystnader', which is not installed" in caplog.text


class Demanding(BaseModel):
    """Settings that the environment of this test lacks or spoils."""

    token: SecretStr
    size: int = Field(3, ge=1)


class Strangers:
    """Hooks whose name lacks the prefix."""

    @staticmethod
    @hookspec
    async def check_words() -> bool:  # type: ignore[empty-body]
        """Check."""


def raising(self: Plugin) -> None:
    raise RuntimeError("in the middle of it")


BREAKAGES: dict[str, tuple[dict[str, Any], str]] = {
    "manifest: reserved name": ({"name": "public"}, "the name 'public' is reserved"),
    "manifest: name with a dash": ({"name": "with-dash"}, "`name` must match"),
    "manifest: no docstring": ({"__doc__": None}, "has no docstring"),
    "manifest: other API version": ({"api_version": 99}, "written for API version 99"),
    "manifest: unusable prefix": ({"url_prefix": "API/x"}, "`url_prefix` 'API/x' is not a usable path"),
    "manifest: prefix of the API itself": ({"url_prefix": "api"}, "is not a usable path"),
    "manifest: requires is no tuple": ({"requires": "bystander"}, "`requires` must be a tuple"),
    "manifest: requires itself": ({"requires": ("broken",)}, "`requires` names the plugin itself"),
    "manifest: settings are no model": ({"Settings": dict}, "`Settings` must be a pydantic model"),
    "manifest: migrations folder is missing": ({"migrations": "/nowhere"}, "folder /nowhere does not exist"),
    "manifest: a setting of the core": (
        {"name": "stream", "Settings": create_model("Settings", partitions=(int, 1))},
        "the core has a setting of the name stream_partitions",
    ),
    "settings: a field is missing": ({"Settings": Demanding}, "CHATNATION_BROKEN_TOKEN: Field required"),
    "settings: init raises": ({"__init__": lambda self, settings: raising(self)}, "RuntimeError"),
    "hookspecs: foreign prefix": ({"hookspecs": Strangers}, "must be called broken_check_words"),
    "signature: no such hook": (
        {"register_rutes": hookimpl(lambda self: [])},
        "there is no hook register_rutes; did you mean register_routes?",
    ),
    "signature: not async": ({"startup": hookimpl(lambda self, app: None)}, "must be written with `async def`"),
    "signature: unknown argument": (
        {"register_jobs": hookimpl(lambda self, queue: [])},
        "register_jobs takes queue, but the hook gives nothing",
    ),
    "signature: call order options": (
        {"register_jobs": hookimpl(tryfirst=True)(lambda self: [])},
        "order plugins by `requires` and `after`",
    ),
    "signature: marker forgotten": ({"register_jobs": lambda self: []}, "is a hook, but has no @hookimpl"),
    "registering raises": ({"register_jobs": hookimpl(raising)}, "register_jobs failed: RuntimeError"),
    "registering gives no list": ({"register_jobs": hookimpl(lambda self: None)}, "register_jobs failed: TypeError"),
    "registering gives strangers": (
        registers("register_jobs", Permission("x.view", "")),
        "register_jobs returned Permission where Job is wanted",
    ),
    "a route without permission": (
        registers("register_routes", Route("GET", "/x", answer, "")),
        "/x names the permission '', which nobody registered",
    ),
    "a route with a permission that nobody registered": (
        registers("register_routes", Route("GET", "/x", answer, "x.view")),
        "/x names the permission 'x.view', which nobody registered",
    ),
    "a job without the plugin's name": (registers("register_jobs", Job("tidy", answer)), "must be called broken.tidy"),
    "a schedule without its job": (
        registers("register_schedules", Schedule("broken.tidy", "@daily")),
        "names the job broken.tidy, which nobody registered",
    ),
    "a route registered twice": (
        registers("register_routes", *[Route("GET", path, answer, "public") for path in ("/{a}", "/{b}")]),
        "route GET /api/broken/{} is registered twice",
    ),
}


@pytest.mark.parametrize(("body", "reason"), BREAKAGES.values(), ids=BREAKAGES.keys())
def test_what_breaks_at_composition_takes_down_that_plugin_and_its_dependents_only(
    body: dict[str, Any], reason: str
) -> None:
    broken = plugin("broken", **body)
    assembly = assembled(BYSTANDER, broken, plugin("dependent", requires=(broken.name,)))
    assert states(assembly) == {"bystander": "active", broken.name: "failed", "dependent": "blocked"}
    assert reason in assembly.inventory[broken.name].reason
    assert not assembly.resources.of(broken.name)


@pytest.mark.parametrize(("body", "reason"), BREAKAGES.values(), ids=BREAKAGES.keys())
def test_what_breaks_at_composition_stops_the_start_when_strict(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(PluginError):
        assembled(BYSTANDER, plugin("broken", **body), strict=True)


def test_an_import_that_exits_the_process_fails_only_its_plugin(tmp_path: Path) -> None:
    (tmp_path / "leaver.py").write_text("import sys\nsys.exit('bye')\n")
    assembly = assemble(Settings(plugin_paths=str(tmp_path / "leaver.py")))
    assert states(assembly)["leaver"] == "failed"
    assert assembly.inventory["leaver"].reason.startswith("import failed: SystemExit")


@pytest.mark.parametrize("content", ["class (", "x = 1", "\x00"])
def test_a_file_that_holds_no_plugin_fails_under_its_own_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "nothing.py").write_text(content)
    assert states(assemble(Settings(plugin_paths=str(tmp_path / "nothing.py"))))["nothing"] == "failed"


def test_a_path_that_does_not_exist_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"CHATNATION_PLUGIN_PATHS: .*absent\.py cannot be read"):
        assemble(Settings(plugin_paths=str(tmp_path / "absent.py")))


def test_finding_plugins_imports_none_of_them(tmp_path: Path) -> None:
    path = tmp_path / "loud.py"
    path.write_text("class Loud:\n    name = 'very_loud'\n\nraise RuntimeError('imported')\n")
    before = set(sys.modules)
    candidates = discovery.find([path])
    assert candidates[-1].name == "very_loud"
    assert {candidate.name for candidate in candidates} > {"geoip", "sessions"}
    assert set(sys.modules) == before


def test_a_file_is_imported_once_however_many_apps_use_it(tmp_path: Path) -> None:
    path = tmp_path / "single.py"
    path.write_text(
        'from chatnation import Plugin\n\nclass Single(Plugin):\n    """Once."""\n\n    name = "single"\n',
    )
    first, second = (assemble(Settings(plugin_paths=str(path))).inventory["single"] for _ in range(2))
    assert first.plugin_class is second.plugin_class
    assert first.plugin is not second.plugin


def test_of_two_plugins_with_one_name_the_first_found_is_taken() -> None:
    first = plugin("twin")
    assembly = assembled(first, plugin("twin"))
    assert assembly.inventory["twin"].plugin_class is first
    assert [(record.name, str(record.state)) for record in assembly.inventory] == [
        ("twin", "active"),
        ("twin", "failed"),
    ]


def test_settings_come_from_the_environment_and_code_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATNATION_TUNED_SIZE", "7")
    monkeypatch.setenv("CHATNATION_TUNED_TOKEN", "from the environment")
    tuned = plugin("tuned", Settings=Demanding)
    assembly = assemble(Settings(), plugins=[tuned], plugin_settings={"tuned": {"token": "from code"}})
    instance = assembly.inventory["tuned"].plugin
    assert instance is not None
    assert isinstance(instance.settings, Demanding)
    assert (instance.settings.size, instance.settings.token.get_secret_value()) == (7, "from code")


def test_the_reason_of_a_refused_setting_does_not_quote_its_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CHATNATION_TUNED_SIZE", "hunter2")
    monkeypatch.setenv("CHATNATION_TUNED_TOKEN", "hunter2")
    record = assembled(plugin("tuned", Settings=Demanding)).inventory["tuned"]
    assert "CHATNATION_TUNED_SIZE: Input should be a valid integer" in record.reason
    assert "hunter2" not in record.reason + record.detail + caplog.text


class Mailer:
    """A service."""


CLAIMS: dict[str, dict[str, Any]] = {
    "service": registers("register_services", Service(Mailer, Mailer())),
    "permission": registers("register_permissions", Permission("mail.send", "")),
}


@pytest.mark.parametrize("body", CLAIMS.values(), ids=CLAIMS.keys())
def test_of_two_plugins_that_claim_the_same_the_later_gives_way(body: dict[str, Any]) -> None:
    assembly = assembled(plugin("early", **body), plugin("late", **body), plugin("dependent", requires=("late",)))
    assert states(assembly) == {"early": "active", "late": "failed", "dependent": "blocked"}
    assert assembly.inventory["late"].reason.endswith("is taken by early")


@pytest.mark.parametrize(
    ("first", "second"),
    [("/scores/{id}", "/scores/{name}"), ("scores", "/scores/")],
)
def test_two_routes_of_the_same_shape_conflict(first: str, second: str) -> None:
    early = plugin("early", url_prefix="x", **registers("register_routes", Route("GET", first, answer, "public")))
    late = plugin("late", url_prefix="x", **registers("register_routes", Route("GET", second, answer, "public")))
    assembly = assembled(early, late)
    assert states(assembly) == {"early": "active", "late": "failed"}


def test_a_plugin_may_use_the_permissions_of_those_it_loads_after() -> None:
    owner = plugin("owner", **registers("register_permissions", Permission("x.view", "")))
    user = plugin("user", after=("owner",), **registers("register_routes", Route("GET", "/x", answer, "x.view")))
    assert states(assembled(owner, user)) == {"owner": "active", "user": "active"}


def test_a_hook_of_an_absent_plugin_may_be_optional() -> None:
    async def listen(self: Plugin) -> None: ...

    assert states(assembled(plugin("guest", absent_check_it=hookimpl(optionalhook=True)(listen)))) == {
        "guest": "active"
    }


def test_services_reach_every_plugin_and_vanish_with_the_one_that_offers_them() -> None:
    from chatnation import ServiceMissing
    from chatnation.core.plugin.inventory import State

    mailer = Mailer()
    offering = plugin("offering", **registers("register_services", Service(Mailer, mailer)))
    assembly = assembled(offering, plugin("asking"))
    instance = assembly.inventory["asking"].plugin
    assert instance is not None
    assert instance.services.get(Mailer) is mailer
    assembly.inventory.settle("offering", State.DEGRADED, "for this test")
    assert instance.services.find(Mailer) is None
    with pytest.raises(ServiceMissing, match="no active plugin offers Mailer"):
        instance.services.get(Mailer)


def test_two_apps_of_one_process_share_nothing() -> None:
    counted: Callable[[], type[Plugin]] = lambda: plugin("counted", register_jobs=hookimpl(raising))  # noqa: E731
    one, other = assembled(counted()), assembled(plugin("counted"))
    assert states(one) == {"counted": "failed"}
    assert states(other) == {"counted": "active"}
    assert not other.boundary.failures
