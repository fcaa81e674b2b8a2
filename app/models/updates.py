"""Asks whether there is a newer Undertone: one small JSON document, nothing sent along.

Whether to ask at all is the caller's business; here is only how. The answer is read as hostile:
bounded in size, and its page must be an encrypted one.
"""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.config.identity import NAME, VERSION
from app.core.errors import AppError, DownloadFailed, mark

if TYPE_CHECKING:
    import httpx

_LARGEST_BYTES = 100_000
_PATIENCE_S = 10.0
_MOST_REDIRECTS = 5
_VERSION = re.compile(r"^\d{1,5}(\.\d{1,5}){0,3}$")


@dataclass(frozen=True, slots=True)
class Release:
    """The newest version there is and the page that tells of it."""

    version: str
    page: str


def version_key(version: str) -> tuple[int, ...]:
    """Return a version in a form that compares; `1.2` and `1.2.0` are equal."""
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def is_newer(release: Release, than: str = VERSION) -> bool:
    """Return whether `release` is newer than the version that runs."""
    return version_key(release.version) > version_key(than)


def ask_for_release(feed: str) -> Release:
    """Return the newest release.

    Thread: io.

    Raises:
        DownloadFailed: there was no answer, or none that can be used.
    """
    import httpx  # costs a tenth of a second, which the app's start does not have

    from app.models.hub import check_address

    check_address(feed)
    address = feed
    try:
        with httpx.Client(
            timeout=_PATIENCE_S,
            follow_redirects=False,
            headers={"User-Agent": f"{NAME}/{VERSION}"},
        ) as client:
            for _step in range(_MOST_REDIRECTS):
                with client.stream("GET", address) as response:
                    if response.is_redirect:
                        address = str(response.url.join(response.headers.get("Location", "")))
                        check_address(address)
                        continue
                    response.raise_for_status()
                    return _read(_bounded(response))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _no_answer() from error
    raise _no_answer()


def _bounded(response: "httpx.Response") -> bytes:
    content = b""
    for part in response.iter_bytes():
        content += part
        if len(content) > _LARGEST_BYTES:
            raise _no_answer()
    return content


def _read(content: bytes) -> Release:
    try:
        found = json.loads(content)
        version, page = found["version"], found["page"]
    except (ValueError, KeyError, TypeError) as error:
        raise _no_answer() from error
    is_page = isinstance(page, str) and urlsplit(page).scheme == "https"
    if not isinstance(version, str) or not _VERSION.match(version) or not is_page:
        raise _no_answer()
    return Release(version, page)


def _no_answer() -> AppError:
    return DownloadFailed(
        mark("Undertone could not find out whether there is a newer version."),
        mark("Check your connection, or look at the project's page."),
    )
