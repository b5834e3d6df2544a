"""Which of a machine's components is connected."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from finesse import readiness
from finesse.xmpp import stand_by


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.FINESSE_RUN_DIR = tmp_path / "run"
    monkeypatch.setenv(readiness.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv(readiness.NAME_VARIABLE, "component-1")
    return tmp_path


class Component:
    """It says when its turn has come, and ends when it may."""

    def __init__(self) -> None:
        self.is_connected, self.may_end = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with stand_by.turn():
            self.is_connected.set()
            await self.may_end.wait()

    async def end(self) -> None:
        self.may_end.set()
        await self.task


@pytest.fixture
async def first() -> Component:
    made = Component()
    await made.is_connected.wait()
    return made


async def stands_by(folder: Path) -> None:
    async with asyncio.timeout(60):
        while not readiness.mark(folder, "component-1").exists():
            await asyncio.sleep(0.01)


async def test_the_next_one_waits_and_says_that_it_works(first: Component, folder: Path) -> None:
    second = Component()
    await stands_by(folder)
    assert not second.is_connected.is_set()
    await first.end()
    async with asyncio.timeout(60):
        await second.is_connected.wait()
    await second.end()


async def test_one_that_is_ended_while_it_waits_keeps_nobody_waiting(
    first: Component, folder: Path
) -> None:
    second = Component()
    await stands_by(folder)
    second.task.cancel()
    await asyncio.gather(second.task, return_exceptions=True)
    await first.end()
    third = Component()
    async with asyncio.timeout(60):
        await third.is_connected.wait()
    await third.end()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("FINESSE_XMPP_DOMAIN", "elsewhere"), ("FINESSE_XMPP_COMPONENT", "127.0.0.1:5348")],
)
async def test_components_of_other_servers_do_not_wait_for_each_other(
    first: Component, settings: Any, setting: str, value: str
) -> None:
    setattr(settings, setting, value)
    other = Component()
    async with asyncio.timeout(60):
        await other.is_connected.wait()
    await other.end()
    await first.end()


async def test_where_files_have_no_locks_it_connects_and_says_that_none_can_stand_by(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(stand_by.fcntl, "flock", refuse)
    alone = Component()
    async with asyncio.timeout(60):
        await alone.is_connected.wait()
    assert "No other component can stand by" in caplog.text
    await alone.end()


async def test_without_a_folder_it_connects_and_says_that_none_can_stand_by(
    folder: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "file").touch()
    settings.FINESSE_RUN_DIR = folder / "file" / "run"
    alone = Component()
    async with asyncio.timeout(60):
        await alone.is_connected.wait()
    assert "No other component can stand by" in caplog.text
    await alone.end()
