"""Static files of plugins, under an address that holds a hash of their content and may be cached for ever."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from chatnation.core.web.problems import not_found

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "public, no-cache"
_COMPRESSED = {".css", ".js", ".mjs", ".json", ".svg", ".txt", ".map", ".html"}
_HASH_LENGTH = 12

# The table of the machine may lack these or say something else.
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


class StaticFolder:
    """The `static/` folder of one plugin as it was when the app was composed.

    `manifest.json`, where the build wrote one, tells the hashed name of an entry file: `app.js` → `app-5XK2QW7E.js`.
    """

    def __init__(self, plugin: str, folder: Path) -> None:
        self.plugin = plugin
        self.folder = folder
        self.names = _manifest(folder)
        self.hash = _content_hash(folder)
        self._compressed: dict[str, bytes] = {}

    def address(self, name: str) -> str:
        """The path under which a browser gets the file `name`."""
        return f"/static/{self.plugin}/{self.hash}/{self.names.get(name, name)}"

    def response(self, version: str, path: str, request: Request) -> Response:
        """The file at `path`; raises 404. An old version is answered with today's file, not to be cached."""
        file = self._file(path)
        caching = IMMUTABLE if version == self.hash else REVALIDATE
        headers = {"Cache-Control": caching, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        media_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if file.suffix not in _COMPRESSED or "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(file, media_type=media_type, headers=headers)
        headers |= {"Content-Encoding": "gzip", "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True)}
        return Response(self._gzip(path, file), media_type=media_type, headers=headers)

    def _file(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        if not parts or any(part in {"..", "/"} or part.startswith(".") or "\x00" in part for part in parts):
            raise not_found()
        file = self.folder.joinpath(*parts)
        if not file.is_file() or not file.resolve().is_relative_to(self.folder.resolve()):
            raise not_found()
        return file

    def _gzip(self, path: str, file: Path) -> bytes:
        """Compressed once and kept; source maps are large and rarely asked for, so they are not kept."""
        packed = self._compressed.get(path)
        if packed is None:
            packed = gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)
            if file.suffix != ".map":
                self._compressed[path] = packed
        return packed


class Assets:
    """Every plugin's static folder."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {plugin: StaticFolder(plugin, folder) for plugin, folder in folders.items() if folder.is_dir()}

    def address(self, plugin: str, name: str) -> str:
        """The path of a plugin's static file, for templates: `{{ asset("dashboard", "app.js") }}`."""
        folder = self._folders.get(plugin)
        return folder.address(name) if folder else f"/static/{plugin}/-/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer `GET /static/{plugin}/{version}/{path}`."""
        folder = self._folders.get(request.path_params["plugin"])
        if folder is None:
            raise not_found()
        return folder.response(request.path_params["version"], request.path_params["path"], request)


def _manifest(folder: Path) -> dict[str, str]:
    file = folder / "manifest.json"
    return {str(name): str(hashed) for name, hashed in json.loads(file.read_text()).items()} if file.is_file() else {}


def _content_hash(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\x00" + file.read_bytes())
    return digest.hexdigest()[:_HASH_LENGTH]
