"""Secrets at rest: sealed before they are stored, opened when they are used."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatnation.core.errors import ChatnationError, ConfigurationError

if TYPE_CHECKING:
    from chatnation.core.settings import Settings

KEY_FILE = "encryption_keys"
"""Where an instance without CHATNATION_ENCRYPTION_KEYS keeps them, in its data folder."""
SECRET_FILE = "secret_key"
"""Where an embedded instance keeps its CHATNATION_SECRET_KEY, in its data folder."""
NEW_KEY = "python -c 'import secrets; print(secrets.token_hex(32))'"

_FORMAT = "cn1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class CannotOpen(ChatnationError):
    """A sealed text was sealed with a key that is not known, for another place, or was changed since."""


class Vault:
    """Seals with the first of its keys and opens with any: AES-256-GCM, `cn1:<key id>:<base64url>`.

    `context` names the place that a secret is kept in, such as `second_factors:17`. It is authenticated, so that a
    sealed text that somebody copies to another row does not open there. `reread` gives the keys again; it is asked
    when a text names a key that is not known, because another process may have rotated them.
    """

    def __init__(self, keys: Sequence[bytes], *, reread: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._reread = reread
        self._hold(keys)

    @classmethod
    def of(cls, settings: Settings) -> Vault:
        """The vault of an instance. Without keys it can be made, but neither seals nor opens."""
        if settings.encryption_keys is not None:
            return cls(parse_keys(settings.encryption_keys.get_secret_value()))
        path = settings.data_dir / KEY_FILE
        return cls(read_keys(path), reread=lambda: read_keys(path))

    @property
    def sealing_key(self) -> str:
        """The id of the key that seals."""
        if not self._order:
            raise ConfigurationError(missing_keys())
        return self._order[0]

    def seal(self, plaintext: bytes, context: str) -> str:
        """`plaintext` as text that only this instance can open, and only for `context`; each call gives another."""
        key_id = self.sealing_key
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[key_id].encrypt(nonce, plaintext, context.encode())
        return f"{_FORMAT}:{key_id}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, context: str) -> bytes:
        """What was sealed for `context`. Raises CannotOpen, whose text says nothing of the secret."""
        cipher = self._cipher(key_of(sealed))
        try:
            data = base64.urlsafe_b64decode(sealed.rpartition(":")[2])
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise CannotOpen(f"What is sealed for {context} was changed, or belongs to another place.") from None

    def _cipher(self, key_id: str) -> AESGCM:
        if key_id not in self._ciphers and self._reread:
            self._hold(self._reread())
        if key_id not in self._ciphers:
            raise CannotOpen(f"The encryption key {key_id} is not among CHATNATION_ENCRYPTION_KEYS.")
        return self._ciphers[key_id]

    def _hold(self, keys: Sequence[bytes]) -> None:
        self._order = [key_id(key) for key in keys]
        self._ciphers = {name: AESGCM(key) for name, key in zip(self._order, keys, strict=True)}


def key_id(key: bytes) -> str:
    """The public name of a key: the start of a hash of it."""
    return hashlib.sha256(b"chatnation encryption key" + key).hexdigest()[:8]


def key_of(sealed: str) -> str:
    """The id of the key that a text was sealed with. Raises CannotOpen when it is no sealed text."""
    mark, _, rest = sealed.partition(":")
    name, separator, _ = rest.partition(":")
    if mark != _FORMAT or not separator:
        raise CannotOpen("This is no sealed text.")
    return name


def parse_keys(text: str) -> list[bytes]:
    """The keys of CHATNATION_ENCRYPTION_KEYS: 32 bytes each as hex or base64, separated by commas or spaces.

    Raises ConfigurationError, which says how to make one but not what was given.
    """
    keys = [_parse_key(part) for part in text.replace(",", " ").split()]
    if len(set(keys)) != len(keys):
        raise ConfigurationError("CHATNATION_ENCRYPTION_KEYS holds the same key twice.")
    return keys


def read_keys(path: Path) -> list[bytes]:
    """The keys in a file; none when it does not exist."""
    return parse_keys(path.read_text("utf-8")) if path.exists() else []


def missing_keys() -> str:
    """The sentence for an operator who has no keys."""
    return f"CHATNATION_ENCRYPTION_KEYS is not set. Make a key, and keep it as safe as the database: {NEW_KEY}"


def _parse_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if len(text) == 2 * _KEY_BYTES else base64.b64decode(_padded(text), b"-_", True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"A key in CHATNATION_ENCRYPTION_KEYS is not {_KEY_BYTES} bytes as hex or base64. Make one: {NEW_KEY}"
        )
    return key


def _padded(text: str) -> str:
    text = text.replace("+", "-").replace("/", "_").rstrip("=")
    return text + "=" * (-len(text) % 4)
