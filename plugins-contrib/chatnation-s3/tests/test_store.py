"""Files in a bucket, through the media plugin, against a server that speaks S3."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from chatnation_s3.plugin import S3Plugin
from chatnation_s3.settings import S3Settings
from chatnation_s3.store import S3Store

from chatnation.plugins.media.api import FileMissing
from chatnation.testing import MakeApp, RunningApp, compliance

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4096


async def collected(store: S3Store, key: str, *span: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, *span)])


async def signed_in(running: RunningApp) -> httpx.AsyncClient:
    client = await running.client(await running.person((await running.source()).tenant))
    page = await client.get("/settings/media", headers={"Accept": "text/html"})
    client.headers["X-CSRF-Token"] = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    return client


async def test_what_is_put_is_read_whole_and_in_part_and_is_gone_once_deleted(
    bucket: Any, s3_settings: dict[str, Any]
) -> None:
    store = S3Store(S3Settings(**s3_settings))
    content = io.BytesIO(PNG)
    await store.put("7/abc", content, "image/png")
    assert not content.closed
    assert await collected(store, "7/abc") == PNG
    assert await collected(store, "7/abc", 5, 9) == PNG[5:9]
    assert await collected(store, "7/abc", 300_000) == PNG[300_000:]
    (kept,) = bucket.objects.all()
    assert kept.key == "ours/7/abc"
    assert kept.Object().content_type == "image/png"
    for _ in range(2):
        await store.delete("7/abc")
    assert list(bucket.objects.all()) == []
    with pytest.raises(FileMissing):
        await collected(store, "7/abc")
    store.close()


async def test_a_large_file_goes_up_in_parts(bucket: Any, s3_settings: dict[str, Any]) -> None:
    store = S3Store(S3Settings(**s3_settings))
    large = bytes(20_000_000)
    await store.put("7/large", io.BytesIO(large), "video/mp4")
    assert next(iter(bucket.objects.all())).size == len(large)
    assert await collected(store, "7/large", 19_999_990) == large[-10:]
    store.close()


async def test_uploads_go_to_the_bucket_and_leave_it_with_their_row(
    make_app: MakeApp, bucket: Any, s3_settings: dict[str, Any]
) -> None:
    running = await make_app(
        *compliance.with_requirements(S3Plugin), plugin_settings={"media": {"store": "s3"}, "s3": s3_settings}
    )
    client = await signed_in(running)
    answer = await client.post("/api/media/upload", files={"file": ("photo.png", PNG, "image/png")})
    assert answer.status_code == 201, answer.text
    assert [kept.key.startswith("ours/") for kept in bucket.objects.all()] == [True]
    told = answer.json()
    path = told["url"][told["url"].index("/media/") :]
    stranger = await running.client()
    assert (await stranger.get(path)).content == PNG
    part = await stranger.get(path, headers={"Range": "bytes=-5"})
    assert (part.status_code, part.content) == (206, PNG[-5:])
    assert (await client.delete(f"/api/media/{told['id']}")).status_code == 204
    await running.run_jobs()
    assert list(bucket.objects.all()) == []


async def test_a_bucket_that_is_not_there_is_told_by_the_health_check(
    make_app: MakeApp, endpoint: str, s3_settings: dict[str, Any]
) -> None:
    settings = {**s3_settings, "bucket": "nowhere"}
    running = await make_app(*compliance.with_requirements(S3Plugin), plugin_settings={"s3": settings})
    record = running.app.inventory["s3"]
    assert record.plugin is not None
    health = await record.plugin.check_health(running.app)  # type: ignore[attr-defined]
    assert not health.ok
    assert "nowhere" in health.detail
