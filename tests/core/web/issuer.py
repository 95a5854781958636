"""A real issuer of OpenID Connect, made of authlib's own server classes and served on a port of its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "chatnation", "cl1ent-s3cret-value"


class Client(ClientMixin):  # type: ignore[misc]
    """The one client that the issuer knows."""

    client_id = CLIENT_ID

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, CLIENT_SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code that was given out."""

    code: str
    redirect_uri: str
    scope: str
    user: dict[str, Any]
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        amr: list[str] = self.user.get("amr", ["pwd"])
        return amr


@dataclass
class Issuer:
    """`user` is who is signed in there: the claims about them. `spoil` changes claims of ID tokens."""

    url: str = ""
    redirect_uri: str = "http://testserver/login/sso/callback"
    user: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    signing_key: RSAKey | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    name: str = ""

    def application(self) -> Starlette:
        """The endpoints."""
        server = _Server(self)

        async def discovery(request: Request) -> Response:
            return JSONResponse(
                {
                    "issuer": self.name or self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )

        async def jwks(request: Request) -> Response:
            return JSONResponse(KeySet([self.key]).as_dict(private=False))

        async def authorize(request: Request) -> Response:
            self.asked.append(dict(request.query_params))
            made = _Asked(request, dict(request.query_params))
            grant = server.get_consent_grant(made, end_user=self.user)
            response: Response = server.create_authorization_response(made, grant_user=self.user, grant=grant)
            return response

        async def token(request: Request) -> Response:
            response: Response = server.create_token_response(_Asked(request, dict(await request.form())))
            return response

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", discovery),
                Route("/jwks", jwks),
                Route("/authorize", authorize),
                Route("/token", token, methods=["POST"]),
            ]
        )


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, issuer: Issuer) -> None:
        super().__init__(scopes_supported=["openid", "email", "profile"])
        self.issuer = issuer
        self.register_token_generator("default", _bearer)
        self.register_grant(_grant(issuer), [_id_tokens(issuer), CodeChallenge(required=True)])

    def query_client(self, client_id: str) -> Client | None:
        return Client(self.issuer.redirect_uri) if client_id == CLIENT_ID else None

    def save_token(self, token: object, request: object) -> None:
        return

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        return

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        named = dict(headers)
        if "Location" in named:
            return RedirectResponse(named["Location"], status_code=302)
        return JSONResponse(body, status_code=status)


def _grant(issuer: Issuer) -> type[grants.AuthorizationCodeGrant]:
    class Grant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

        def save_authorization_code(self, code: str, request: OAuth2Request) -> Code:
            data = request.payload.data
            issuer.codes[code] = Code(
                code,
                request.payload.redirect_uri,
                request.payload.scope,
                dict(request.user),
                data.get("nonce"),
                data.get("code_challenge"),
                data.get("code_challenge_method"),
            )
            return issuer.codes[code]

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return issuer.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del issuer.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return authorization_code.user

    return Grant


def _id_tokens(issuer: Issuer) -> OpenIDCode:
    class IdTokens(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            return any(code.nonce == nonce for code in issuer.codes.values())

        def resolve_client_private_key(self, client: Client) -> RSAKey:
            return issuer.signing_key or issuer.key

        def get_encode_header(self, client: Client) -> dict[str, str]:
            return {"alg": "RS256", "kid": issuer.key.kid or ""}

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            return {"iss": issuer.url, "aud": [CLIENT_ID]}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            claims = {name: value for name, value in user.items() if name != "amr"}
            return UserInfo({**claims, **issuer.spoil})

    return IdTokens(require_nonce=True)


def _bearer(**options: Any) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": secrets.token_urlsafe(16),
        "expires_in": 60,
        "scope": options.get("scope") or "openid",
    }


class _Asked(OAuth2Request):  # type: ignore[misc]
    """A request as authlib wants to see it; it knows TLS only."""

    def __init__(self, request: Request, data: dict[str, Any]) -> None:
        headers = {**request.headers, "Authorization": request.headers.get("authorization", "")}
        super().__init__(request.method, str(request.url).replace("http:", "https:"), headers=headers)
        self.payload = BasicOAuth2Payload(data)

    @property
    def args(self) -> dict[str, Any]:
        data: dict[str, Any] = self.payload.data
        return data

    form = args


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """An issuer that answers."""
    issuer = Issuer()
    config = uvicorn.Config(issuer.application(), host="127.0.0.1", port=0, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    issuer.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield issuer
    finally:
        server.should_exit = True
        await serving
