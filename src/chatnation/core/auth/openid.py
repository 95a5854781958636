"""OpenID Connect, the side of the relying party: discovery, the way to the issuer, and what comes back.

Knows the protocol and nothing of tenants. Sources: OpenID Connect Core and Discovery 1.0, RFC 6749, 7636 (PKCE), 9207.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.auth import encode_client_secret_basic
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chatnation.core.errors import ChatnationError
from chatnation.core.outgoing import AddressRefused, AnswerTooLong, Outgoing

SCOPE = "openid email profile"
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key of the issuer's. Those by our secret are left out, and so is none."""
_FRESH_SECONDS = 3_600.0
_LEEWAY_SECONDS = 60


class OpenIdError(ChatnationError):
    """The issuer cannot be used, or what it says is not to be believed. The text is for an administrator."""


@dataclass(frozen=True, slots=True)
class Client:
    """What the issuer knows us as; without a `secret` we are a public client."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Departure:
    """What has to be remembered while the browser is at the issuer's."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the issuer says it is. `email` is None unless the issuer has verified it. `claims` are all it said."""

    subject: str
    email: str | None
    name: str
    used_second_factor: bool
    claims: Mapping[str, Any] = field(repr=False)


class OpenId:
    """Talks to issuers. What they publish about themselves is kept for an hour."""

    def __init__(self, outgoing: Outgoing, allowed: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._outgoing = outgoing
        self._allowed = tuple(allowed)
        self._metadata: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._keys: dict[str, tuple[float, KeySet]] = {}

    async def discover(self, issuer: str) -> Mapping[str, Any]:
        """What the issuer publishes about itself. Raises OpenIdError when it is not what it has to be."""
        self._check_address(issuer)
        kept = self._metadata.get(issuer)
        if kept and time.monotonic() - kept[0] < _FRESH_SECONDS:
            return kept[1]
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = OpenIDProviderMetadata(found)
        if found.get("issuer") != issuer:
            raise OpenIdError(f"The issuer calls itself {str(found.get('issuer'))[:200]}, not {issuer}.")
        try:
            for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
                if issuer.startswith("https:"):
                    getattr(metadata, f"validate_{name}")()
                self._check_address(str(found.get(name, "")))
        except ValueError as error:
            raise OpenIdError(f"What the issuer publishes about itself is not right: {error}") from None
        self._metadata[issuer] = (time.monotonic(), found)
        return found

    async def depart(self, client: Client, redirect_uri: str, *, login_hint: str = "") -> tuple[str, Departure]:
        """The address to send a browser to, and what to remember until it comes back."""
        metadata = await self.discover(client.issuer)
        departure = Departure(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        address: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            state=departure.state,
            nonce=departure.nonce,
            code_challenge=create_s256_code_challenge(departure.verifier),
            code_challenge_method="S256",
            login_hint=login_hint or None,
        )
        return address, departure

    async def arrive(
        self, client: Client, redirect_uri: str, departure: Departure, query: Mapping[str, str]
    ) -> Identity:
        """Who came back with `query`. Raises OpenIdError unless all of it fits what we sent them away with."""
        if not secrets.compare_digest(query.get("state", ""), departure.state):
            raise OpenIdError("This is not the answer to what this browser asked.")
        if query.get("error"):
            raise OpenIdError(f"The issuer answers {query['error'][:100]}: {query.get('error_description', '')[:200]}")
        if query.get("iss", client.issuer) != client.issuer:
            raise OpenIdError("The answer comes from another issuer.")
        tokens = await self._exchange(client, redirect_uri, departure, query.get("code", ""))
        claims = await self._verified(client, departure, tokens)
        if "email" not in claims and (more := await self._user_info(client, tokens)):
            if more.get("sub") != claims["sub"]:
                raise OpenIdError("The issuer tells of another user than it signed for.")
            claims = {**more, **claims}
        return _identity(claims)

    async def _exchange(self, client: Client, redirect_uri: str, departure: Departure, code: str) -> Mapping[str, Any]:
        metadata = await self.discover(client.issuer)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": departure.verifier,
        }
        headers = {"Accept": "application/json"}
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if client.secret is None:
            form["client_id"] = client.client_id
        elif "client_secret_basic" in methods:
            _, headers, _ = encode_client_secret_basic(_Named(client), "POST", "", headers, "")
        else:
            form |= {"client_id": client.client_id, "client_secret": client.secret}
        return await self._ask("POST", metadata["token_endpoint"], data=form, headers=headers)

    async def _verified(self, client: Client, departure: Departure, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the ID token, once its signature and every claim that binds it to us is checked."""
        text = tokens.get("id_token")
        if not isinstance(text, str):
            raise OpenIdError("The issuer sent no ID token.")
        token = None
        for refresh in (False, True):  # A key that we do not know may be a new one.
            try:
                keys = await self._key_set(client.issuer, refresh=refresh)
                token = jwt.decode(text, keys, algorithms=_ALGORITHMS)
                break
            except (JoseError, ValueError, KeyError):
                continue
        if token is None:
            raise OpenIdError("The signature of the ID token is not the issuer's.")
        params = {"nonce": departure.nonce, "client_id": client.client_id, "access_token": tokens.get("access_token")}
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": client.issuer},
            "aud": {"essential": True, "value": client.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }
        claims = CodeIDToken(token.claims, token.header, options, params)
        try:
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise OpenIdError(f"The ID token is not for us, or not valid now: {error}") from None
        return dict(claims)

    async def _key_set(self, issuer: str, *, refresh: bool) -> KeySet:
        kept = self._keys.get(issuer)
        if kept and not refresh and time.monotonic() - kept[0] < _FRESH_SECONDS:
            return kept[1]
        metadata = await self.discover(issuer)
        keys = KeySet.import_key_set(await self._get(metadata["jwks_uri"]))  # type: ignore[arg-type]
        self._keys[issuer] = (time.monotonic(), keys)
        return keys

    async def _user_info(self, client: Client, tokens: Mapping[str, Any]) -> Mapping[str, Any]:
        metadata = await self.discover(client.issuer)
        endpoint, access_token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not endpoint or not access_token:
            return {}
        self._check_address(str(endpoint))
        return await self._ask("GET", str(endpoint), headers={"Authorization": f"Bearer {access_token}"})

    async def _get(self, url: str) -> Mapping[str, Any]:
        return await self._ask("GET", url)

    async def _ask(self, method: str, url: str, **options: Any) -> Mapping[str, Any]:
        host = urlsplit(url).hostname
        try:
            async with self._outgoing.client() as http:
                answer = await http.request(method, url, **options)
            found = answer.json()
        except (AddressRefused, AnswerTooLong) as error:
            raise OpenIdError(str(error)) from None
        except httpx.HTTPError as error:
            raise OpenIdError(f"{host} cannot be reached: {type(error).__name__}") from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise OpenIdError(f"{host} does not answer in JSON.") from None
        if not answer.is_success or not isinstance(found, dict):
            said = found.get("error", "") if isinstance(found, dict) else ""
            raise OpenIdError(f"{host} answers {answer.status_code} {str(said)[:100]}".strip() + ".")
        return found

    def _check_address(self, url: str) -> None:
        """TLS, but inside the networks that the operator allowed."""
        try:
            parts = urlsplit(url)
            address = ip_address(parts.hostname or "") if parts.scheme == "http" else None
        except ValueError:
            address, parts = None, urlsplit("")
        inside = address is not None and any(
            address in network for network in self._allowed if network.version == address.version
        )
        if not inside and not (parts.scheme == "https" and parts.hostname):
            raise OpenIdError(f"{url[:200] or 'An address of the issuer'} is no https address.")


class _Named:
    """What authlib wants to know of a client."""

    def __init__(self, client: Client) -> None:
        self.client_id = client.client_id
        self.client_secret = client.secret


def _identity(claims: Mapping[str, Any]) -> Identity:
    email = claims.get("email")
    verified = claims.get("email_verified") in (True, "true")
    amr = claims.get("amr")
    methods = set(amr) if isinstance(amr, list) and all(isinstance(method, str) for method in amr) else set()
    return Identity(
        subject=str(claims["sub"]),
        email=email.strip().lower() if isinstance(email, str) and verified else None,
        name=str(claims.get("name") or claims.get("preferred_username") or email or "")[:100],
        used_second_factor=bool(methods & {"mfa", "otp", "hwk", "swk", "sms"}),
        claims=claims,
    )
