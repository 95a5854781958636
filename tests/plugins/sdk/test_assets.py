"""The tracker's built files, and how they are answered over HTTP."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from chatnation.core.identity.evidence import HANDSHAKE_TOKEN as TOKEN_IN_MESSAGES
from chatnation.core.web.dispatch import ExactPaths
from chatnation.plugins.sdk.api import HANDSHAKE_TOKEN, integrity, loader_snippet, script_tag
from chatnation.plugins.sdk.assets import CONTENT_TYPES, STATIC, AssetMissing, assets
from chatnation.plugins.sdk.plugin import SdkPlugin

needs_build = pytest.mark.skipif(
    not (STATIC / "sdk.js").exists(), reason="the tracker is not built: run `npm ci && npm run build` in web/"
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = ExactPaths(SdkPlugin().register_ingest_routes(), PlainTextResponse("not the collector's", 404))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.example") as client:
        yield client


@needs_build
class TestServing:
    async def test_the_script_is_compressed_cached_and_usable_from_every_site(self, client: httpx.AsyncClient):
        response = await client.get("/sdk.js")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"] == "Accept-Encoding"
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "max-age=3600" in response.headers["cache-control"]
        assert response.text.startswith('"use strict"')

    @pytest.mark.parametrize("accepted", ["identity", "", "br, gzip;q=0"])
    async def test_who_cannot_unzip_gets_it_plain(self, client: httpx.AsyncClient, accepted: str):
        plain = await client.get("/sdk.js", headers={"Accept-Encoding": accepted})
        zipped = await client.get("/sdk.js", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert plain.content == zipped.content
        assert plain.headers["etag"] != zipped.headers["etag"], "strong tags differ by encoding"

    async def test_a_copy_that_is_current_is_not_sent_again(self, client: httpx.AsyncClient):
        tag = (await client.get("/sdk.js")).headers["etag"]
        for condition in (tag, f'"other", W/{tag}', "*"):
            response = await client.get("/sdk.js", headers={"If-None-Match": condition})
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["etag"] == tag
        assert (await client.get("/sdk.js", headers={"If-None-Match": '"older"'})).status_code == 200

    async def test_head_and_options_and_nothing_else(self, client: httpx.AsyncClient):
        head = await client.head("/sdk.js")
        assert head.content == b""
        assert int(head.headers["content-length"]) == len(assets()["sdk.js"].gzipped)
        assert (await client.options("/sdk.js")).status_code == 204
        assert (await client.post("/sdk.js")).status_code == 405

    @pytest.mark.parametrize("name", CONTENT_TYPES)
    async def test_every_file_is_there(self, client: httpx.AsyncClient, name: str):
        response = await client.get(f"/{name}")
        assert response.status_code == 200
        assert response.text

    async def test_the_types_name_every_method(self, client: httpx.AsyncClient):
        types = (await client.get("/sdk.d.ts")).text
        for method in ("init", "page", "track", "identify", "alias", "reset", "flush", "whatsappLink", "setConsent"):
            assert re.search(rf"^  {method}\(", types, re.MULTILINE), method


@needs_build
class TestTheBuild:
    def test_it_is_at_most_five_kilobytes_zipped(self):
        assert len(gzip.compress((STATIC / "sdk.js").read_bytes(), 9)) <= 5_000

    def test_it_makes_no_code_from_text(self):
        source = (STATIC / "sdk.js").read_text()
        assert not re.search(r"\beval\b|\bFunction\(|setTimeout\([\"'`]|\.innerHTML|document\.write", source)

    def test_its_integrity_is_what_browsers_compute(self):
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        digest = f"{openssl} dgst -sha384 -binary '{STATIC / 'sdk.js'}' | {openssl} base64 -A"
        assert integrity() == "sha384-" + subprocess.check_output(digest, shell=True, text=True)

    def test_it_can_be_imported_where_there_is_no_browser(self):
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not installed")
        script = (
            f"const {{ default: chatnation }} = await import('{(STATIC / 'sdk.mjs').as_uri()}');"
            "chatnation.init('k'); chatnation.page(); chatnation.track('a'); chatnation.identify('u');"
            "await chatnation.flush(); console.log(chatnation.whatsappLink('254700000000', 'Hi'), chatnation.ids())"
        )
        run = [node, "--input-type=module", "--eval", script]
        said = subprocess.run(run, check=True, capture_output=True, text=True)
        assert said.stdout == "https://wa.me/254700000000?text=Hi undefined\n"
        assert said.stderr == ""


def test_a_tracker_that_was_not_built_says_how_to_build_it(tmp_path):
    with pytest.raises(AssetMissing, match="npm run build"):
        assets(tmp_path)


class TestSnippets:
    def test_a_write_key_cannot_end_the_script(self):
        snippet = loader_snippet("</script><script>alert(1)", "https://a.example/")
        assert snippet.count("</script>") == 1
        assert '"https://a.example/sdk.js"' in snippet

    def test_options_go_to_init(self):
        assert 'chatnation.init("k", {"spa": true});' in loader_snippet("k", "https://a.example", {"spa": True})
        assert 'chatnation.init("k");' in loader_snippet("k", "https://a.example")

    def test_the_guide_shows_the_one_that_the_setup_page_shows(self):
        guide = (Path(__file__).parents[3] / "docs" / "guides" / "browser-sdk.md").read_text()
        assert loader_snippet("YOUR_WRITE_KEY", "https://events.example.org") in guide
        assert HANDSHAKE_TOKEN.pattern in guide

    def test_attributes_are_quoted(self):
        tag = script_tag('k"><b>', "https://a.example", {"spa": True})
        assert 'data-write-key="k&quot;&gt;&lt;b&gt;"' in tag
        assert 'data-options="{&quot;spa&quot;: true}"' in tag


def test_tokens_are_what_identity_looks_for_in_messages():
    tokens = [f"cn-{'0123456789abcdefghjkmnpqrstvwxyz'[i : i + 12]}" for i in range(21)]
    for token in tokens:
        assert HANDSHAKE_TOKEN.search(f"Hello [{token}]")
        assert TOKEN_IN_MESSAGES.search(f"Hello [{token}]".encode())
    for other in ("cn-abc", "cn-0123456789abi", "cn-0123456789abc", "xcn-0123456789ab"):
        assert bool(HANDSHAKE_TOKEN.search(other)) == bool(TOKEN_IN_MESSAGES.search(other.encode())) is False
