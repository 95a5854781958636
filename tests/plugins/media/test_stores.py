"""Stores that other plugins bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import BinaryIO

from chatnation import Plugin, hookimpl
from chatnation.core.plugin.inventory import State
from chatnation.plugins.media.api import FileMissing, MediaStore, StoreDriver
from chatnation.testing import FakeClock, MakeApp
from tests.plugins.media.samples import PLUGINS, PNG, path_of, signed_in, upload


class DrawerStore:
    """A store in memory; `broken` makes it refuse to delete."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.broken = False

    async def put(self, key: str, content: BinaryIO, content_type: str) -> None:
        self.kept[key] = content.read()

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if key not in self.kept:
            raise FileMissing("it is not in the drawer")
        yield self.kept[key][start:end]

    async def delete(self, key: str) -> None:
        if self.broken:
            raise OSError("the drawer is stuck, for this test")
        self.kept.pop(key, None)


DRAWER = DrawerStore()


def _open() -> MediaStore:
    return DRAWER


class DrawerPlugin(Plugin):
    """Drawer

    Brings a store, for tests.
    """

    name = "drawer"
    requires = ("media",)
    version = "1"

    @hookimpl
    def media_register_stores(self) -> Iterable[StoreDriver]:
        return [StoreDriver("drawer", _open)]


async def test_files_go_to_the_store_that_is_chosen_and_are_found_there_after_another_is(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS, DrawerPlugin, plugin_settings={"media": {"store": "drawer"}})
    client = await signed_in(running, source := await running.source())
    first = (await upload(client)).json()
    assert list(DRAWER.kept.values()) == [PNG]
    on_disk = await make_app(*PLUGINS, DrawerPlugin, like=running)
    client = await signed_in(on_disk, source)
    second = (await upload(client)).json()
    for told in (first, second):
        assert (await client.get(path_of(told["url"]))).content == PNG
    assert (await client.get(path_of(first["url"]), headers={"Range": "bytes=3-5"})).content == PNG[3:6]
    without = await make_app(*PLUGINS, like=running)
    answer = await (await without.client()).get(path_of(first["url"]))
    assert (answer.status_code, answer.json()["code"]) == (503, "store_missing")


async def test_what_a_store_cannot_delete_now_is_deleted_later_and_what_it_lost_is_no_accident_of_ours(
    make_app: MakeApp,
) -> None:
    clock = FakeClock()
    running = await make_app(*PLUGINS, DrawerPlugin, plugin_settings={"media": {"store": "drawer"}}, clock=clock)
    client = await signed_in(running, await running.source())
    DRAWER.kept.clear()
    told = (await upload(client)).json()
    DRAWER.broken = True
    try:
        await client.delete(f"/api/media/{told['id']}")
        await running.run_jobs()
        assert len(DRAWER.kept) == 1
    finally:
        DRAWER.broken = False
    clock.move(timedelta(minutes=16))
    async with running.app.storage.system("the schedule is due") as connection:
        await running.app.jobs.enqueue(connection, "media.remove_doomed", {})
    await running.run_jobs()
    assert DRAWER.kept == {}
    told = (await upload(client)).json()
    DRAWER.kept.clear()
    lost = await client.get(path_of(told["url"]))
    assert (lost.status_code, lost.json()["code"]) == (404, "file_missing")


async def test_a_store_that_nobody_brings_keeps_the_plugin_from_starting_and_is_named(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS, plugin_settings={"media": {"store": "attic"}})
    record = running.app.inventory["media"]
    assert record.state is State.DEGRADED
    assert "CHATNATION_MEDIA_STORE is attic" in record.detail
