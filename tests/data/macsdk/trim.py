"""Cut the SDK table down to what the app uses.

    python tests/data/macsdk/trim.py sdk.json

`sdk.json` is what `extract.py` makes. Classes and protocols stay whole, so that a wrong selector on
a known class is still noticed; a name that the app begins to use needs this script once more.
"""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# Classes of objects the app is handed and never names.
HANDED = (
    *("NSDockTile", "NSDraggingInfo", "NSError", "NSRunningApplication", "NSStatusBarButton"),
    *("NSStatusItem", "NSView", "NSWindow"),
    *("UNNotification", "UNNotificationRequest", "UNNotificationResponse"),
)
APP = HERE.parents[2] / "app"
SOURCES = (*sorted((APP / "macos").glob("*.py")), APP / "audio" / "coreaudio.py")


def words_used() -> set[str]:
    """Return every identifier and every word inside a string of the macOS code."""
    words: set[str] = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
                    words.add(name)
                case ast.Constant(value=str(text)):
                    words.update(re.findall(r"\w+", text))
    return words


def joined(selector: str) -> str:
    """Return `setString_forType_` as `setStringForType`."""
    first, *rest = selector.rstrip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def trim(table: dict[str, Any], words: set[str]) -> dict[str, Any]:
    """Return `table` with only what `words` names."""
    classes = {n: c for f in table["sdk"].values() for n, c in f["classes"].items()}
    wanted, open_ends = set(), [*HANDED, *(word for word in words if word in classes)]
    while open_ends:
        name = open_ends.pop()
        if name in classes and name not in wanted:
            wanted.add(name)
            open_ends += classes[name]["parents"]
    for entry in classes.values():
        for side in ("class", "instance"):
            long = [n for n in entry[side] if "ccessibility" in n and not {n, f"{n}_"} & words]
            for name in long:
                del entry[side][name]
    selectors = {joined(word) for word in words if "_" in word}
    out: dict[str, Any] = {"sdk": {}, "pyobjc": {}}
    for framework, found in table["sdk"].items():
        kept = {
            "classes": {n: c for n, c in found["classes"].items() if n in wanted},
            "protocols": {
                n: p
                for n, p in found["protocols"].items()
                if selectors & set(p["instance"]) or n in words or n in HANDED
            },
            "functions": {n: c for n, c in found["functions"].items() if n in words},
        }
        if any(kept.values()):
            out["sdk"][framework] = kept
    for module, found in table["pyobjc"].items():
        out["pyobjc"][module] = {
            "constants": [n for n in found["constants"] if n in words],
            "enums": {n: v for n, v in found["enums"].items() if n in words},
            "strings": {n: v for n, v in found["strings"].items() if n in words},
        }
    return out


def main() -> None:
    full = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    small = trim(full, words_used())
    text = json.dumps(small, indent=0, sort_keys=True, separators=(",", ":"))
    (HERE / "sdk.json").write_text(text + "\n", "utf-8")
    print(f"{len(text):,} characters")


if __name__ == "__main__":
    main()
