"""What a model hub holds: asking it for a repository's files, and where each one is.

Speaks the Hugging Face hub's HTTP interface, which mirrors share. Nothing here opens a connection
unless it is handed a client.
"""

import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import truststore

from app import __version__
from app.core.errors import DownloadFailed, mark
from app.models.catalog import CatalogEntry
from app.models.recognise import INDEX, wanted_files

PUBLIC_HUB = "https://huggingface.co"
CONNECT_S = 10.0
_MOST_REDIRECTS = 5
_LARGEST_ANSWER_BYTES = 20_000_000
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository at one commit; `sha256` or `git_oid` says what it must be."""

    name: str
    size_bytes: int
    sha256: str = ""
    git_oid: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one model at one commit."""

    repository: str
    commit: str
    files: tuple[HubFile, ...]

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the hub.

    Attributes:
        hub: its address; a mirror's, if a person chose one.
        proxy: a proxy's address; empty for the system's own.
    """

    hub: str = PUBLIC_HUB
    proxy: str = ""


def open_client(route: Route, stall_s: float) -> httpx.AsyncClient:
    """Return a client for `route`.

    Raises:
        DownloadFailed: the mirror or the proxy is no address we may use.
    """
    check_address(route.hub)
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    proxy = route.proxy or _system_proxy(route.hub)
    try:
        return httpx.AsyncClient(
            verify=context,
            proxy=proxy or None,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(stall_s, connect=CONNECT_S),
            headers={
                "User-Agent": f"Undertone/{__version__}",
                "Accept-Encoding": "identity",  # ranges count bytes of the file
            },
        )
    except (ValueError, ImportError):
        raise DownloadFailed(
            mark("The proxy “{proxy}” cannot be used."),
            mark("Write it like http://proxy.example:8080 in Settings, or leave it empty."),
            proxy=route.proxy,
        ) from None


def _system_proxy(address: str) -> str:
    """Return the proxy that the system or the environment names for `address`."""
    parts = urlsplit(address)
    if (parts.hostname or "") in _LOOPBACK or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    found = urllib.request.getproxies()
    proxy = found.get(parts.scheme) or found.get("all") or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def check_address(address: str) -> None:
    """Refuse an address that is not encrypted, unless it is this machine's own.

    Raises:
        DownloadFailed: it is refused.
    """
    parts = urlsplit(address)
    is_own = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (is_own or (parts.scheme == "https" and parts.hostname)):
        raise DownloadFailed(
            mark("“{address}” is no address models may be downloaded from."),
            mark("It must begin with https://."),
            address=address,
        )


def file_address(route: Route, repository: str, commit: str, name: str) -> str:
    """Return where a file lies."""
    hub = route.hub.rstrip("/")
    return f"{hub}/{quote(repository)}/resolve/{quote(commit)}/{quote(name)}"


def next_address(response: httpx.Response) -> str:
    """Return where a redirect leads; never from an encrypted address to an open one.

    Raises:
        DownloadFailed: it leads where we do not go.
    """
    target: str = urljoin(str(response.url), response.headers.get("location", ""))
    check_address(target)
    if response.url.scheme == "https" and urlsplit(target).scheme != "https":
        raise DownloadFailed(
            mark("The server leads to an address that is not encrypted."),
            mark("Check the network, or choose another mirror in Settings."),
        )
    return target


async def ask_for_files(client: httpx.AsyncClient, route: Route, entry: CatalogEntry) -> Listing:
    """Return the files of `entry` at its commit, or at the newest one.

    What the catalog knows counts; the hub is asked for the rest only.

    Raises:
        DownloadFailed: the repository has no such files, or they are not what the catalog says.
        httpx.HTTPError: there was no good answer; trying again may help.
    """
    if entry.is_pinned:
        files = tuple(HubFile(f.name, f.size_bytes, f.sha256) for f in entry.files)
        return Listing(entry.repository, entry.revision, files)
    listing = await ask(client, route, entry.repository, entry.revision)
    at_hand = {file.name: file for file in listing.files}
    names = tuple(file.name for file in entry.files)
    if not names:
        index = None
        if INDEX in at_hand:
            address = file_address(route, entry.repository, listing.commit, INDEX)
            index = await _json(client, address)
        names = wanted_files(tuple(at_hand), index)
    if not names or not set(names) <= at_hand.keys():
        raise DownloadFailed(
            mark("“{repository}” holds no model Undertone can run."),
            mark("It needs config.json and safetensors or npz weights, Voxtral tekken.json too."),
            repository=entry.repository,
        )
    known = {file.name: file for file in entry.files}
    picked = tuple(_agreed(at_hand[name], known.get(name), entry) for name in names)
    return Listing(entry.repository, listing.commit, picked)


def _agreed(found: HubFile, known: object, entry: CatalogEntry) -> HubFile:
    size = getattr(known, "size_bytes", 0) or found.size_bytes
    sha256 = getattr(known, "sha256", "") or found.sha256
    is_other = bool(found.sha256) and found.sha256 != sha256
    if size != found.size_bytes or is_other:
        raise DownloadFailed(
            mark("The file {file} of “{repository}” is not the one Undertone knows."),
            mark("Wait for an update of Undertone, or choose another model."),
            file=found.name,
            repository=entry.repository,
        )
    return HubFile(found.name, size, sha256, found.git_oid)


async def ask(
    client: httpx.AsyncClient, route: Route, repository: str, revision: str = ""
) -> Listing:
    """Return all files of a repository at a commit, or at the newest one."""
    place = f"{route.hub.rstrip('/')}/api/models/{quote(repository)}/revision/"
    answer = await _json(client, f"{place}{quote(revision or 'main')}?blobs=true")
    try:
        commit = str(answer["sha"])
        files = tuple(_hub_file(row) for row in answer["siblings"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _no_hub(route.hub) from None
    if not commit or (len(revision) == 40 and commit != revision):
        raise _no_hub(route.hub)
    return Listing(repository, commit, files)


def _hub_file(row: Mapping[str, Any]) -> HubFile:
    large = row.get("lfs") or {}
    size = large.get("size", row.get("size"))
    if not isinstance(size, int) or size < 0:
        raise ValueError("a file without a size")
    oid = "" if large else str(row.get("blobId", ""))
    return HubFile(str(row["rfilename"]), size, str(large.get("sha256", "")), oid)


async def _json(client: httpx.AsyncClient, address: str) -> Mapping[str, Any]:
    for _ in range(_MOST_REDIRECTS):
        async with client.stream("GET", address) as response:
            if response.is_redirect:
                address = next_address(response)
                continue
            check_status(response)
            content = b""
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > _LARGEST_ANSWER_BYTES:
                    raise _no_hub(address)
            try:
                value = httpx.Response(200, content=content).json()
            except ValueError:
                raise _no_hub(address) from None
            if not isinstance(value, dict):
                raise _no_hub(address)
            return value
    raise _no_hub(address)


def check_status(response: httpx.Response) -> None:
    """Refuse an answer that trying again will not mend.

    Raises:
        DownloadFailed: there is no such file, or we may not have it.
        httpx.HTTPStatusError: trying again may help.
    """
    status = response.status_code
    if status in (401, 403):
        raise DownloadFailed(
            mark("The server does not give this model away without an account."),
            mark("Choose a model that needs none, or download its folder yourself and add it."),
        )
    if status in (404, 410):
        raise DownloadFailed(
            mark("The model is not on the server any more."),
            mark("Check its name, or choose another model."),
        )
    if status >= 400 and status not in (408, 416, 425, 429) and status < 500:
        raise _no_hub(str(response.url))
    if status >= 400 and status != 416:
        raise httpx.HTTPStatusError("busy", request=response.request, response=response)


def is_page(response: httpx.Response, name: str) -> bool:
    """Whether a web page came instead of the file: a network that wants one to sign in."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") and not name.endswith(".html")


def _no_hub(address: str) -> DownloadFailed:
    return DownloadFailed(
        mark("What answers at {address} is no model server."),
        mark("Check the network (some ask to sign in first) or the mirror in Settings."),
        address=urlsplit(address).hostname or address,
    )
