"""Keeps the files of the seals in step with the topic, beside the sealing, which a full disk must not stop."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from pathlib import Path

from hepatrail_events.errors import LogShorter, Unavailable
from hepatrail_services.audit.checkpoint_files import CheckpointFiles
from hepatrail_services.audit.seals_topic import SealRecord, from_the_end, seals_from

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 10.0


class FilesKeeper:
    """Writes each seal that it is given, after those before it that the files lack."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.trouble: str | None = None
        """Why the files are behind; None while they are not."""
        self._bootstrap = bootstrap
        self._files = CheckpointFiles(directory)
        self._waiting = deque[tuple[SealRecord, bytes]]()
        self._more = asyncio.Event()

    async def hold_to(self, number: int) -> None:
        """Before anything is sealed: raises LogShorter when the files hold seals behind the topic's last one.

        Files that cannot be read say nothing; `run` will tell.
        """
        with suppress(OSError):
            last = await asyncio.to_thread(self._files.last)
            if last > number:
                raise LogShorter(
                    f"LOG_SHORTER: the topic ends with seal {number}, {self._files.directory} holds seal {last}. "
                    "If the log was restored from a backup, move that directory away."
                )

    def put(self, record: SealRecord, public: bytes) -> None:
        """The last seal of the topic, and the key that signed it."""
        self._waiting.append((record, public))
        self._more.set()

    async def run(self) -> None:
        """Writes until cancelled; raises LogShorter when the topic is not what the files were taken from."""
        while True:
            self._more.clear()
            try:
                await self._write()
                self.trouble = None
            except (OSError, Unavailable) as error:
                self._files.forget()
                self.trouble = str(error)
                _log.error("the checkpoint files are not written: %s", error)
            try:
                async with asyncio.timeout(_RETRY_SECONDS if self.trouble else None):
                    await self._more.wait()
            except TimeoutError:
                pass

    async def _write(self) -> None:
        while self._waiting:
            record, public = self._waiting[0]
            if not await asyncio.to_thread(self._files.continues, record):
                await self._catch_up(record)
            await asyncio.to_thread(self._files.add, (record,))
            self._files.hold_to(record)
            await asyncio.to_thread(self._files.show, record.seal, public)
            self._waiting.popleft()

    async def _catch_up(self, last: SealRecord) -> None:
        if self._files.last() >= last.seal.seal:
            return
        begin = await from_the_end(
            self._bootstrap,
            lambda records, _: next((record.offset for record in records if self._files.continues(record)), None),
        )
        if begin is not None:
            async for records in seals_from(self._bootstrap, begin):
                before = [record for record in records if record.seal.seal < last.seal.seal]
                await asyncio.to_thread(self._files.add, before)
