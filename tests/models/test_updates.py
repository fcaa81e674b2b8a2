"""The check for updates asks one server for one small document, and believes little."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from app.core.errors import DownloadFailed
from app.models.updates import Release, ask_for_release, is_newer, version_key

GOOD = {"version": "9.1.0", "page": "https://example.org/undertone"}


class Server(ThreadingHTTPServer):
    """Answers each path with what a test put there: (status, headers, body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    quiet: ClassVar[bool] = True

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers.items())))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_newest_release_is_read_and_nothing_is_sent_along(server: Server) -> None:
    server.answers["/latest.json"] = (200, {}, json.dumps(GOOD).encode())
    assert ask_for_release(f"{server.root}/latest.json") == Release(GOOD["version"], GOOD["page"])
    ((path, headers),) = server.asked
    assert path == "/latest.json"
    assert headers["User-Agent"].startswith("Undertone/")
    assert {"cookie", "authorization"}.isdisjoint(name.lower() for name in headers)


def test_redirects_are_followed_a_few_times(server: Server) -> None:
    server.answers["/a"] = (302, {"Location": "/b"}, b"")
    server.answers["/b"] = (200, {}, json.dumps(GOOD).encode())
    assert ask_for_release(f"{server.root}/a").version == "9.1.0"
    server.answers["/b"] = (302, {"Location": "/a"}, b"")
    with pytest.raises(DownloadFailed):
        ask_for_release(f"{server.root}/a")
    assert len(server.asked) < 12


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        json.dumps({"version": "9"}).encode(),
        json.dumps({**GOOD, "version": "newest"}).encode(),
        json.dumps({**GOOD, "version": 9}).encode(),
        json.dumps({**GOOD, "page": "javascript:alert(1)"}).encode(),
        json.dumps({**GOOD, "page": "http://example.org"}).encode(),
        b" " * 200_000 + json.dumps(GOOD).encode(),
    ],
)
def test_an_answer_that_is_none_is_a_sentence(server: Server, body: bytes) -> None:
    server.answers["/latest.json"] = (200, {}, body)
    with pytest.raises(DownloadFailed, match="newer version"):
        ask_for_release(f"{server.root}/latest.json")


def test_a_way_out_of_encryption_is_not_taken(server: Server) -> None:
    server.answers["/a"] = (302, {"Location": "http://example.org/latest.json"}, b"")
    with pytest.raises(DownloadFailed):
        ask_for_release(f"{server.root}/a")
    with pytest.raises(DownloadFailed):
        ask_for_release("http://example.org/latest.json")


def test_a_server_that_is_not_there_is_a_sentence(server: Server) -> None:
    with pytest.raises(DownloadFailed):
        ask_for_release(f"{server.root}/nothing-here")
    with pytest.raises(DownloadFailed):
        ask_for_release("http://127.0.0.1:9/latest.json")


@pytest.mark.parametrize(
    ("there", "here", "newer"),
    [("1.2.0", "1.1.9", True), ("1.10", "1.9", True), ("1.2", "1.2.0", False), ("0.9", "1", False)],
)
def test_versions_compare(there: str, here: str, newer: bool) -> None:
    assert is_newer(Release(there, "https://x"), here) is newer
    assert version_key("1.2.0") == version_key("1.2")
