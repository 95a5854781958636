"""Small files of many kinds, made here, and clients that send them."""

from __future__ import annotations

import io
import zipfile

import httpx

from chatnation import Plugin
from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.audit.plugin import AuditPlugin
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.media.plugin import MediaPlugin
from chatnation.testing import RunningApp
from chatnation.testing.apps import Source

PLUGINS: tuple[type[Plugin], ...] = (DashboardPlugin, AuditPlugin, MediaPlugin)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def zipped(*names: str, **contents: str) -> bytes:
    """A zip with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


DOCX = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")
MACROS = zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")


async def signed_in(running: RunningApp, source: Source, role: RoleName = RoleName.SUPER_ADMIN) -> httpx.AsyncClient:
    """A program that acts for a new user of the tenant, so that no form token is needed."""
    person = await running.person(source.tenant, role)
    client = await running.client(person)
    page = await client.get("/settings/media", headers={"Accept": "text/html"})
    token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    client.headers["X-CSRF-Token"] = token
    return client


async def upload(
    client: httpx.AsyncClient, content: bytes = PNG, name: str = "photo.png", claimed: str = "image/png", **form: str
) -> httpx.Response:
    """The answer to an upload."""
    return await client.post("/api/media/upload", files={"file": (name, content, claimed)}, data=form)


def path_of(url: str) -> str:
    """A link without the address of the instance."""
    return url[url.index("/media/") :]
