"""One file from the hub to the disk: byte by byte, however often the network fails.

It ends with a file whose hash is right, or with an error; what was fetched stays for the next try.
A range that is on disk for sure is never asked for again.
"""

import asyncio
import errno
import hashlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from app.core.errors import DiskFull, DownloadFailed, mark
from app.models.hub import HubFile, Route, check_status, file_address, is_page, next_address
from app.models.part import Part

_MOST_REDIRECTS = 5
_CHUNK_BYTES = 4 << 20
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download waits for what.

    Attributes:
        stall_s: with fewer than `least_bytes` in so many seconds a connection is given up.
        waits_s: before each next try while nothing at all comes; after the last one it has failed.
        jitter: by which part of itself a wait varies.
        sleep: waits.
    """

    stall_s: float = 30.0
    least_bytes: int = 1024
    waits_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    jitter: float = 0.3
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Fetch:
    """One file's way here. Owner: the download thread.

    Attributes:
        on_bytes: told how many bytes of this file are here; `verifying` at its end.
        on_waiting: told that nothing comes and the next try is waited for.
    """

    client: httpx.AsyncClient
    route: Route
    repository: str
    commit: str
    file: HubFile
    target: Path
    patience: Patience
    on_bytes: Callable[[int, bool], None]
    on_waiting: Callable[[], None] = lambda: None
    _part: Part = field(init=False)
    _is_second_try: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._part = Part(self.target, self.file.size_bytes)

    async def run(self) -> str:
        """Bring the file here and return its SHA-256.

        Raises:
            DownloadFailed: it cannot be had, or it is not what it should be.
            DiskFull: there is no room.
        """
        try:
            if self.target.exists():  # came whole in an earlier try: nobody vouches for it now
                self.target.replace(self._part.path)
            for _ in self._part.read_back():
                await asyncio.sleep(0)
            while True:
                await self._fetch_missing()
                digest = await self._verified()
                if digest:
                    self._part.finish().replace(self.target)
                    return digest
        except OSError as error:
            raise _no_room(error, self.target) from error
        finally:
            self._part.stop()

    async def _fetch_missing(self) -> None:
        failures = 0
        while (hole := self._part.missing()) is not None:
            before = self._part.done_bytes
            try:
                await self._stream(hole.start, hole.end)
                continue
            except (httpx.HTTPError, TimeoutError) as error:
                problem: Exception = error
            finally:
                self._part.stop()
            # A connection that brought something is no failure of the server's.
            failures = 0 if self._part.done_bytes > before else failures + 1
            if failures > len(self.patience.waits_s):
                raise _no_answer(problem)
            self.on_waiting()
            await self.patience.sleep(self._wait_s(max(0, failures - 1), problem))

    def _wait_s(self, failures: int, problem: Exception) -> float:
        wait_s = self.patience.waits_s[min(failures, len(self.patience.waits_s) - 1)]
        wait_s *= 1 + self.patience.jitter * random.uniform(-1, 1)
        if isinstance(problem, httpx.HTTPStatusError):
            wait_s = max(wait_s, _retry_after_s(problem.response))
        return min(wait_s, _LONGEST_WAIT_S)

    async def _stream(self, start: int, end: int) -> None:
        """Ask for the bytes from `start` to `end` and write what comes."""
        address = file_address(self.route, self.repository, self.commit, self.file.name)
        wants = {"Range": f"bytes={start}-{end - 1}"} if start or end < self.file.size_bytes else {}
        for _ in range(_MOST_REDIRECTS):
            async with asyncio.timeout(self.patience.stall_s + 1):
                request = self.client.build_request("GET", address, headers=wants)
                response = await self.client.send(request, stream=True)
            try:
                if response.is_redirect:
                    address = next_address(response)
                    continue
                await self._take(response, start, end)
                return
            finally:
                await response.aclose()
        raise DownloadFailed(
            mark("The server leads from one address to another without end."),
            mark("Choose another mirror in Settings, or try again later."),
        )

    async def _take(self, response: httpx.Response, start: int, end: int) -> None:
        check_status(response)
        if is_page(response, self.file.name):
            raise DownloadFailed(
                mark("A web page came instead of the file {file}."),
                mark("This network may want you to sign in first: open any page in a browser."),
                file=self.file.name,
            )
        skip = self._begin(response, start)
        self._part.begin(start)
        clock = _StallClock(self.patience)
        parts = response.aiter_raw().__aiter__()
        left = end - start
        while left > 0:
            async with asyncio.timeout(clock.left_s()):
                try:
                    chunk = await parts.__anext__()
                except StopAsyncIteration:
                    raise httpx.RemoteProtocolError("the answer ended early") from None
            clock.add(len(chunk))
            if skip:
                chunk, skip = chunk[skip:], max(0, skip - len(chunk))
            self._part.write(chunk[:left])
            left -= len(chunk[:left])
            self.on_bytes(self._part.done_bytes, False)
        self._part.stop()

    def _begin(self, response: httpx.Response, start: int) -> int:
        """Compare what the server says with what we know; return how many bytes to pass over."""
        if response.status_code == 206:
            span, _, total = response.headers.get("content-range", "").partition("/")
            first = span.removeprefix("bytes ").partition("-")[0]
            if total.isdigit() and int(total) != self.file.size_bytes:
                raise self._other_size(int(total))
            if first != str(start):
                raise httpx.RemoteProtocolError("another range came")
            return 0
        if response.status_code == 416:
            raise self._other_size(None)
        if response.status_code != 200:
            raise httpx.RemoteProtocolError(f"status {response.status_code}")
        length = response.headers.get("content-length", "")
        if length.isdigit() and int(length) != self.file.size_bytes:
            raise self._other_size(int(length))
        return start  # it knows no ranges and sends everything once more

    async def _verified(self) -> str:
        """Return the file's SHA-256 when it is right; otherwise let go of what may be wrong."""
        sha256 = hashlib.sha256()
        blob = hashlib.sha1(f"blob {self.file.size_bytes}\0".encode(), usedforsecurity=False)
        done = 0
        with self._part.path.open("rb") if self.file.size_bytes else _nothing() as source:
            while chunk := source.read(_CHUNK_BYTES):
                sha256.update(chunk)
                if self.file.git_oid:
                    blob.update(chunk)
                done += len(chunk)
                self.on_bytes(done, True)
                await asyncio.sleep(0)
        is_right = sha256.hexdigest() == self.file.sha256 if self.file.sha256 else True
        if self.file.git_oid:
            is_right = is_right and blob.hexdigest() == self.file.git_oid
        if is_right:
            return sha256.hexdigest()
        if self._part.has_unsure:
            self._part.drop_unsure()
        elif not self._is_second_try:
            self._is_second_try = True
            self._part.drop_all()
        else:
            self._part.drop_all()
            raise DownloadFailed(
                mark("The file {file} came twice, and both times it was not the right one."),
                mark("Try again later or choose another mirror in Settings. It was thrown away."),
                file=self.file.name,
            )
        return ""

    def _other_size(self, size: int | None) -> DownloadFailed:
        self._part.drop_all()
        return DownloadFailed(
            mark("The server has another file under the name {file}."),
            mark("Try again later, or choose another model or mirror."),
            file=self.file.name,
            size=size,
        )


class _StallClock:
    """How long may still be waited before a connection counts as stalled."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._until_s = time.monotonic() + patience.stall_s
        self._bytes = 0

    def add(self, count: int) -> None:
        self._bytes += count
        if self._bytes >= self._patience.least_bytes:
            self._bytes = 0
            self._until_s = time.monotonic() + self._patience.stall_s

    def left_s(self) -> float:
        return max(0.0, self._until_s - time.monotonic())


def _nothing() -> "_Empty":
    return _Empty()


class _Empty:
    """An open file of no bytes."""

    def __enter__(self) -> "_Empty":
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, _count: int) -> bytes:
        return b""


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, moment.timestamp() - time.time())


def _no_answer(error: Exception) -> DownloadFailed:
    if isinstance(error, httpx.ConnectError):
        return DownloadFailed(
            mark("The model server cannot be reached."),
            mark("Check the network connection, then resume: what is here stays."),
        )
    if isinstance(error, httpx.HTTPStatusError):
        return DownloadFailed(
            mark("The model server is busy (status {status})."),
            mark("Resume later: what is here stays."),
            status=error.response.status_code,
        )
    return DownloadFailed(
        mark("The connection to the model server breaks off again and again."),
        mark("Check the network connection, then resume: what is here stays."),
    )


def _no_room(error: OSError, target: Path) -> DiskFull:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return DiskFull(
        mark("There is no room left on the disk for the model.")
        if is_full
        else mark("The model cannot be written to “{folder}”: {reason}."),
        mark("Free some disk space, then resume: what is here stays."),
        folder=target.parent,
        reason=error.strerror or str(error),
    )
