"""The built files of the tracker, and how each is answered."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from chatnation import ChatnationError

STATIC = Path(__file__).parent / "static"

CONTENT_TYPES = {
    "sdk.js": "text/javascript; charset=utf-8",
    "sdk.mjs": "text/javascript; charset=utf-8",
    "sdk.d.ts": "text/plain; charset=utf-8",
    "sdk.js.map": "application/json",
    "sdk.mjs.map": "application/json",
}
"""What is served, and as what. `sdk.js.map` is fetched by developer tools only."""

CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=86400"
"""An hour, so that a fix reaches visitors the same day; for a day an old copy serves while a new one is fetched."""

_EVERYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


class AssetMissing(ChatnationError):
    """The tracker was not built. Wheels hold it; in a checkout `npm run build` makes it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not built: run `npm ci && npm run build` in web/")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, compressed once. `etag` is the opaque part; each encoding adds its own ending, so both are strong."""

    content_type: str
    plain: bytes
    gzipped: bytes
    etag: str
    integrity: str

    @classmethod
    def of(cls, content: bytes, content_type: str) -> Asset:
        """The asset for a file's content."""
        return cls(
            content_type=content_type,
            plain=content,
            gzipped=gzip.compress(content, 9, mtime=0),
            etag=hashlib.sha256(content).hexdigest()[:32],
            integrity="sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode(),
        )

    def answer(self, method: str, headers: Mapping[str, str]) -> Response:
        """The response to a request with lower-case `headers`: 200, 304, or 204 to a preflight."""
        if method == "OPTIONS":
            return Response(
                status_code=204,
                headers=_EVERYWHERE | {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Max-Age": "86400"},
            )
        zipped = _accepts_gzip(headers.get("accept-encoding", ""))
        etag = f'"{self.etag}-{"gzip" if zipped else "plain"}"'
        sent = _EVERYWHERE | {"ETag": etag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
        if _names(headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=sent)
        body = self.gzipped if zipped else self.plain
        sent |= {"Content-Type": self.content_type, "Content-Length": str(len(body))}
        if zipped:
            sent["Content-Encoding"] = "gzip"
        return Response(b"" if method == "HEAD" else body, headers=sent)


def _accepts_gzip(accept_encoding: str) -> bool:
    for choice in accept_encoding.lower().split(","):
        coding, _, quality = choice.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _names(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110 §13.1.2): proxies that compress again mark our tag as weak."""
    given = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in given or "*" in given


@functools.cache
def assets(folder: Path = STATIC) -> dict[str, Asset]:
    """Every built file by its name; raises `AssetMissing` when the tracker was not built."""
    try:
        return {name: Asset.of((folder / name).read_bytes(), kind) for name, kind in CONTENT_TYPES.items()}
    except FileNotFoundError as missing:
        raise AssetMissing(Path(missing.filename).name) from None


class AssetApp:
    """ASGI application that answers one file."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = assets()[self._name].answer(scope["method"], Headers(scope=scope))
        except AssetMissing as error:
            response = PlainTextResponse(f"{error}\n", 503, headers=_EVERYWHERE | {"Cache-Control": "no-store"})
        await response(scope, receive, send)
