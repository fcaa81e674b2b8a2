"""Fills in commits, sizes and hashes of `resources/models.toml` from the hub, for maintainers.

    uv run --locked python packaging/refresh_models.py            what is missing
    uv run --locked python packaging/refresh_models.py --newest   every model's newest commit
    uv run --locked python packaging/refresh_models.py ID …       only these
    uv run --locked python packaging/refresh_models.py --check    change nothing; 1 if any would

A commit that is pinned stays unless `--newest` is given. Files the hub keeps as large ones come
with their hash; the few small ones (configs) are fetched and hashed here. Comments and the order
of the file stay as they are. Review the difference before you commit: these bytes people run.
"""

import argparse
import asyncio
import hashlib
import re
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

from app.models.catalog import CatalogEntry, CatalogFile, load_catalog
from app.models.hub import (
    PUBLIC_HUB,
    HubFile,
    Listing,
    Route,
    ask_for_files,
    check_status,
    file_address,
    next_address,
    open_client,
)

CATALOG = Path(__file__).resolve().parents[1] / "resources" / "models.toml"
_STALL_S = 60.0
_MOST_REDIRECTS = 5


async def refreshed(
    client: httpx.AsyncClient, route: Route, entry: CatalogEntry, *, newest: bool
) -> CatalogEntry:
    """Return `entry` with everything the hub says of it."""
    asked = replace(entry, files=tuple(CatalogFile(file.name) for file in entry.files))
    if newest:
        asked = replace(asked, revision="")
    listing = await ask_for_files(client, route, asked)
    files = []
    for file in listing.files:
        sha256 = file.sha256 or await _hashed(client, route, listing, file)
        files.append(CatalogFile(file.name, file.size_bytes, sha256))
    return replace(entry, revision=listing.commit, files=tuple(files))


async def _hashed(client: httpx.AsyncClient, route: Route, listing: Listing, file: HubFile) -> str:
    """Return the SHA-256 of a small file, compared with the name git gives its content."""
    address = file_address(route, listing.repository, listing.commit, file.name)
    for _ in range(_MOST_REDIRECTS):
        response = await client.get(address)
        if response.is_redirect:
            address = next_address(response)
            continue
        check_status(response)
        content = response.content
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        if len(content) != file.size_bytes or blob.hexdigest() != file.git_oid:
            raise SystemExit(f"{listing.repository}: {file.name} is not what the hub lists")
        return hashlib.sha256(content).hexdigest()
    raise SystemExit(f"{listing.repository}: {file.name} leads nowhere")


def rewritten(text: str, entry: CatalogEntry) -> str:
    """Return the catalog's text with `entry` as it now is; all other lines stay."""
    pattern = re.compile(r'(?ms)^\[\[model\]\]\nid = "([^"]+)"\n.*?(?=^\[\[model\]\]|\Z)')
    for found in pattern.finditer(text):
        if found[1] == entry.model_id:
            return text[: found.start()] + _block(found[0], entry) + text[found.end() :]
    raise SystemExit(f"{entry.model_id} is not in the catalog")


def _block(block: str, entry: CatalogEntry) -> str:
    head, _, _old = block.partition("\n[model.files]\n")
    head = re.sub(r"(?m)^revision = .*\n", "", head.rstrip("\n") + "\n")
    head = re.sub(r"(?m)^(repository = .*\n)", rf'\1revision = "{entry.revision}"\n', head, count=1)
    lines = [
        f'"{file.name}" = {{ bytes = {file.size_bytes:_}, sha256 = "{file.sha256}" }}'
        for file in entry.files
    ]
    return "\n".join([head, "[model.files]", *lines, "", ""])


async def run(names: list[str], *, newest: bool, hub: str) -> str:
    """Return the catalog's new text."""
    text, route = CATALOG.read_text(encoding="utf-8"), Route(hub)
    async with open_client(route, _STALL_S) as client:
        for entry in load_catalog(CATALOG):
            is_wanted = entry.model_id in names if names else newest or not entry.is_pinned
            if entry.built_in or not is_wanted:
                continue
            print(f"{entry.model_id}: {entry.repository} …", file=sys.stderr, flush=True)
            text = rewritten(text, await refreshed(client, route, entry, newest=newest))
    return text


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("names", nargs="*", metavar="ID")
    words.add_argument("--newest", action="store_true", help="move pins to the newest commits")
    words.add_argument("--check", action="store_true", help="change nothing, say whether it would")
    words.add_argument("--hub", default=PUBLIC_HUB, help="the hub's address, or a mirror's")
    given = words.parse_args()
    text = asyncio.run(run(given.names, newest=given.newest, hub=given.hub))
    is_changed = text != CATALOG.read_text(encoding="utf-8")
    if given.check:
        return int(is_changed)
    CATALOG.write_text(text, encoding="utf-8")
    print("changed" if is_changed else "nothing new", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
