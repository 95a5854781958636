"""Codes and short-lived tokens: what is good, when, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest

from chatnation.core.auth.access_tokens import LIFETIME, AccessTokens
from chatnation.core.auth.device_names import device_name
from chatnation.core.auth.one_time import CodeHasher, new_code
from chatnation.core.auth.security_policy import LONGEST, SecurityPolicy
from chatnation.core.auth.totp import matching_counter, new_secret, provisioning_uri, qr_code

NOW = datetime(2026, 11, 22, 9, 0, 7, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_of_the_step_before_or_after_is_good_and_no_other(steps: int, good: bool) -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=30 * steps))
    assert (matching_counter(secret, code, NOW, None) == STEP + steps) is good


def test_a_code_is_not_good_again_nor_is_an_older_one() -> None:
    secret = new_secret()
    now, before = pyotp.TOTP(secret).at(NOW), pyotp.TOTP(secret).at(NOW - timedelta(seconds=30))
    assert matching_counter(secret, now, NOW, STEP) is None
    assert matching_counter(secret, before, NOW, STEP) is None
    assert matching_counter(secret, now, NOW, STEP - 1) == STEP


@pytest.mark.parametrize("between", [" ", "-"])
def test_a_code_may_be_typed_with_blanks_and_hyphens(between: str) -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    spaced = f" {code[:3]}{between}{code[3:]} "
    assert matching_counter(secret, spaced, NOW, None) == STEP


@pytest.mark.parametrize("typed", ["", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "\ud800", "0" * 1000])
def test_nonsense_is_no_code(typed: str) -> None:
    assert matching_counter(new_secret(), typed, NOW, None) is None
    assert not CodeHasher("secret").matches(typed, "1", None)


def test_the_qr_code_is_a_picture_without_styles_or_scripts() -> None:
    picture = qr_code(provisioning_uri(new_secret(), "amina@example.org"))
    assert picture.startswith("<svg")
    assert not any(word in picture for word in ("style=", "<script", "<?xml", "onload"))


def test_a_code_of_one_user_is_none_of_another_and_of_one_instance_none_of_another() -> None:
    code, hasher = new_code(), CodeHasher("secret")
    assert len(code) == 6
    assert hasher.matches(code, "1", hasher.hash(code, "1"))
    assert not hasher.matches(code, "2", hasher.hash(code, "1"))
    assert not CodeHasher("other").matches(code, "1", hasher.hash(code, "1"))


def test_an_access_token_names_its_login_until_it_is_too_old_and_only_here() -> None:
    login = uuid4()
    token = AccessTokens("secret").issue(login, 7, NOW)
    assert AccessTokens("secret").login_of(token, NOW + LIFETIME - timedelta(seconds=1)) == login
    assert AccessTokens("secret").login_of(token, NOW + LIFETIME) is None
    assert AccessTokens("other").login_of(token, NOW) is None


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"session": None, "twoFactorRequired": "yes", "passwordExpiryDays": -1},
        {"session": {"maxDurationMinutes": "7", "inactivityTimeoutMinutes": 0, "singleLoginEnforced": 1}},
        {"session": {"maxDurationMinutes": True}, "passwordExpiryDays": 0},
    ],
)
def test_settings_that_make_no_sense_count_as_not_set(settings: dict[str, Any]) -> None:
    assert SecurityPolicy.of(settings) == SecurityPolicy(longest=LONGEST)


def test_a_policy_is_read_as_it_was_stored() -> None:
    policy = SecurityPolicy(timedelta(hours=8), timedelta(minutes=15), True, False, True, 90)
    assert SecurityPolicy.of(policy.as_settings()) == policy


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Windows"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("made-up", "made-up"),
        (None, "Unknown program"),
    ],
)
def test_devices_are_named_in_a_few_words(user_agent: str | None, name: str) -> None:
    assert device_name(user_agent) == name
