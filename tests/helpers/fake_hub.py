"""A model hub on this machine that misbehaves on request, and remembers every byte it gave away.

It answers the calls of `app.models.hub` only: a repository's listing, and files with ranges.
"""

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer.

    Attributes:
        cut_after: bytes of the body after which the connection breaks off.
        claims: what Content-Length says instead of the truth.
        total: what Content-Range says the whole file is.
        starts_at: which byte comes first instead of the one that was asked for.
        flips: flip one bit of the body.
        page: a web page comes instead.
        ignores_range: everything comes with status 200.
        status: instead of the file.
        headers: more of them.
        redirects_to: where the answer leads.
        pause_s: before each piece of the body.
        piece: how many bytes are sent at once.
        hangs: send the headers and then nothing until the hub is closed.
    """

    cut_after: int | None = None
    claims: int | None = None
    total: int | None = None
    starts_at: int | None = None
    flips: bool = False
    page: bool = False
    ignores_range: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    redirects_to: str = ""
    pause_s: float = 0.0
    piece: int = 1 << 16
    hangs: bool = False


OK = Fault()


@dataclass(frozen=True, slots=True)
class Served:
    """One answer: which bytes of which file left the hub."""

    name: str
    start: int
    end: int
    wanted: str
    epoch: int = 0  # of the hub, when it was asked


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are killed break their connections off."""


class FakeHub:
    """A hub of repositories; `faults[name]` are used up one an answer, `always[name]` never."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.faults: dict[str, deque[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.lies: dict[str, dict[str, Any]] = {}  # what the listing says of a file instead
        self.served: list[Served] = []
        self.asked: list[str] = []
        self.epoch = 0
        self.on_bytes: Callable[[str, int], None] = lambda _name, _count: None
        self.closing = threading.Event()
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-hub"
        )

    def __enter__(self) -> "FakeHub":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add_folder(self, repository: str, folder: Path) -> None:
        """Offer the files of a folder."""
        files = {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if one.is_file()}
        self.repositories[repository] = files

    def fail(self, name: str, *faults: Fault) -> None:
        """Let the next answers for a file go wrong, one fault each."""
        self.faults.setdefault(name, deque()).extend(faults)

    def listing(self, repository: str) -> dict[str, Any]:
        rows = []
        for name, content in self.repositories[repository].items():
            row: dict[str, Any] = {"rfilename": name, "size": len(content)}
            if len(content) > 2_000 or name.endswith((".safetensors", ".npz")):
                sha256 = hashlib.sha256(content).hexdigest()
                row["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            else:
                blob = b"blob %d\0" % len(content) + content
                row["blobId"] = hashlib.sha1(blob).hexdigest()  # git's own
            lie = self.lies.get(name, {})
            if "lfs" in row and lie:
                row["lfs"] |= lie
            row |= {key: value for key, value in lie.items() if key == "size"}
            rows.append(row)
        rows.append({"rfilename": ".gitattributes", "size": 3, "blobId": "0" * 40})
        return {"id": repository, "sha": COMMIT, "siblings": rows}

    def sent_bytes(self, name: str) -> int:
        """Return how many bytes of a file left the hub, over all answers."""
        return sum(one.end - one.start for one in self.served if one.name == name)


class _Handler(BaseHTTPRequestHandler):
    owner: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        pass

    def do_GET(self) -> None:
        self.owner.asked.append(self.path)
        try:
            if self.path.startswith("/api/models/"):
                self._list()
            else:
                self._file()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _list(self) -> None:
        repository = self.path.removeprefix("/api/models/").partition("/revision/")[0]
        fault = self._fault("listing")
        if self._refused(fault):
            return
        if repository not in self.owner.repositories:
            self._send(404, b"{}", {})
            return
        self._send(200, json.dumps(self.owner.listing(repository)).encode(), {})

    def _file(self) -> None:
        repository, _, rest = self.path[1:].partition("/resolve/")
        name = rest.rpartition("/")[2]
        content = self.owner.repositories.get(repository, {}).get(name)
        fault = self._fault(name)
        if self._refused(fault):
            return
        if content is None:
            self._send(404, b"", {})
            return
        wanted = self.headers.get("Range", "")
        start, end, status = 0, len(content), 200
        headers = {"Content-Type": "application/octet-stream", **fault.headers}
        if wanted and not fault.ignores_range:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end, status = int(first), int(last) + 1 if last else len(content), 206
            start = start if fault.starts_at is None else fault.starts_at
            total = len(content) if fault.total is None else fault.total
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        body = content[start:end]
        if fault.flips and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        self._send_body(
            status, body, headers, fault, Served(name, start, end, wanted, self.owner.epoch)
        )

    def _fault(self, name: str) -> Fault:
        waiting = self.owner.faults.get(name)
        return waiting.popleft() if waiting else self.owner.always.get(name, OK)

    def _refused(self, fault: Fault) -> bool:
        if fault.page:
            self._send(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"})
        elif fault.redirects_to:
            self._send(302, b"", {"Location": fault.redirects_to})
        elif fault.status is not None:
            self._send(fault.status, b"", dict(fault.headers))
        else:
            return False
        return True

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_body(
        self, status: int, body: bytes, headers: dict[str, str], fault: Fault, served: Served
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        claimed = len(body) if fault.claims is None else fault.claims
        self.send_header("Content-Length", str(claimed))
        self.end_headers()
        if fault.hangs:
            self.owner.closing.wait(30)
        most = len(body) if fault.cut_after is None else min(fault.cut_after, len(body))
        sent = 0
        try:
            while sent < most and not self.owner.closing.is_set():
                piece = body[sent : min(sent + fault.piece, most)]
                if fault.pause_s:
                    time.sleep(fault.pause_s)
                self.wfile.write(piece)
                sent += len(piece)
                self.owner.on_bytes(served.name, sent)
        finally:
            done = replace(served, end=served.start + sent)
            self.owner.served.append(done)
        if sent < claimed:
            self.close_connection = True
