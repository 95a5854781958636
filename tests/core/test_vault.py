"""Secrets at rest."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from chatnation.core.errors import ConfigurationError
from chatnation.core.settings import Settings
from chatnation.core.vault import KEY_FILE, CannotOpen, Vault, key_id, key_of, parse_keys

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(), st.text())
def test_what_was_sealed_opens_again(plaintext: bytes, context: str) -> None:
    vault = Vault([OLD])
    assert vault.open(vault.seal(plaintext, context), context) == plaintext


def test_equal_secrets_look_different() -> None:
    vault = Vault([OLD])
    assert vault.seal(b"secret", "here") != vault.seal(b"secret", "here")


def test_a_sealed_text_does_not_open_in_another_place() -> None:
    vault = Vault([OLD])
    with pytest.raises(CannotOpen):
        vault.open(vault.seal(b"secret", "users:1"), "users:2")


@pytest.mark.parametrize("index", [-1, -20, 15])
def test_a_sealed_text_that_was_changed_does_not_open(index: int) -> None:
    vault = Vault([OLD])
    sealed = vault.seal(b"secret", "here")
    changed = list(sealed)
    changed[index] = "A" if changed[index] != "A" else "B"
    with pytest.raises(CannotOpen) as raised:
        vault.open("".join(changed[:-1]) if index == -1 else "".join(changed), "here")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "secret", "cn1:", "cn1:00000000", "cn2:00000000:AAAA", f"cn1:{key_id(OLD)}:ä"])
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(CannotOpen):
        Vault([OLD]).open(text, "here")


def test_the_first_key_seals_and_every_key_opens() -> None:
    before = Vault([OLD]).seal(b"secret", "here")
    vault = Vault([NEW, OLD])
    assert vault.open(before, "here") == b"secret"
    assert key_of(vault.seal(b"secret", "here")) == key_id(NEW) == vault.sealing_key
    with pytest.raises(CannotOpen, match=key_id(OLD)):
        Vault([NEW]).open(before, "here")


def test_keys_that_another_process_rotated_are_read_again() -> None:
    held = [OLD]
    vault = Vault(held, reread=lambda: held)
    held = [NEW, OLD]
    assert vault.open(Vault([NEW]).seal(b"secret", "here"), "here") == b"secret"


def test_keys_are_hex_or_base64() -> None:
    texts = [OLD.hex(), base64.b64encode(NEW).decode(), base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("=")]
    assert parse_keys(", ".join(texts)) == [OLD, NEW, b"\xff" * 32]


@pytest.mark.parametrize("text", ["hunter2", "00" * 16, "zz" * 32, f"{OLD.hex()},{OLD.hex()}", "ä" * 64])
def test_keys_that_cannot_be_used_are_refused_without_being_told(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_keys(text)
    assert text not in str(raised.value)


def test_an_instance_without_keys_says_how_to_make_one_when_it_must_seal(tmp_path: Path) -> None:
    vault = Vault.of(Settings(data_dir=tmp_path))
    with pytest.raises(ConfigurationError, match="token_hex"):
        vault.seal(b"secret", "here")


def test_keys_are_taken_from_the_data_folder_unless_they_are_given(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(OLD.hex())
    assert Vault.of(Settings(data_dir=tmp_path)).sealing_key == key_id(OLD)
    given = Settings(data_dir=tmp_path, encryption_keys=SecretStr(NEW.hex()))
    assert Vault.of(given).sealing_key == key_id(NEW)
    assert NEW.hex() not in repr(given)
