"""The property list says what the Mac must know, and a key taken away is noticed."""

import plistlib
import re
from pathlib import Path
from typing import Any

import pytest

from app.config.identity import BUNDLE_ID, MACOS_FLOOR, URL_SCHEME
from app.pipeline.importing import MEDIA_SUFFIXES
from bundling import plist

ROOT = Path(__file__).parents[2]
# What happens on a Mac without the key.
NEEDED = {
    "CFBundleIdentifier": "permissions belong to nobody",
    "CFBundleExecutable": "it does not start",
    "CFBundleShortVersionString": "the Finder shows no version",
    "LSMinimumSystemVersion": "it starts on a macOS it cannot run on",
    "NSMicrophoneUsageDescription": "it is killed at the first recording",
    "CFBundleDocumentTypes": "nothing can be opened with it or dropped on its Dock icon",
    "UTImportedTypeDeclarations": "webm, mkv, ogg, opus and wma are unknown types",
    "CFBundleURLTypes": "undertone:// leads nowhere",
    "NSServices": "the Services menu does not offer it",
    "NSSupportsSuddenTermination": "a recording may be cut off at log-out",
    "NSSupportsAutomaticTermination": "a recording may be cut off when memory is short",
    "NSHighResolutionCapable": "it is blurred",
    "NSPrincipalClass": "Qt finds no application object",
}


def faults(found: dict[str, Any]) -> list[str]:
    """What is wrong with a property list."""
    wrong = [f"{key}: {why}" for key, why in NEEDED.items() if key not in found]
    known = {
        identifier
        for kind in found.get("CFBundleDocumentTypes", [])
        for identifier in kind["LSItemContentTypes"]
    }
    declared = {
        suffix: entry["UTTypeIdentifier"]
        for entry in found.get("UTImportedTypeDeclarations", [])
        for suffix in entry["UTTypeTagSpecification"]["public.filename-extension"]
    }
    for suffix in sorted(MEDIA_SUFFIXES):
        identifier = plist.SYSTEM_TYPES.get(suffix) or declared.get(suffix[1:])
        if identifier is None or identifier not in known:
            wrong.append(f"{suffix}: files of this kind cannot be opened from the Finder")
    return wrong


def test_the_property_list_is_complete() -> None:
    assert faults(plist.info_plist()) == []


@pytest.mark.parametrize("key", NEEDED)
def test_a_key_taken_away_is_noticed(key: str) -> None:
    found = plist.info_plist()
    del found[key]
    assert any(fault.startswith(f"{key}:") for fault in faults(found))


def test_a_type_taken_away_is_noticed() -> None:
    found = plist.info_plist()
    found["UTImportedTypeDeclarations"] = found["UTImportedTypeDeclarations"][1:]
    assert faults(found) == [".mka: files of this kind cannot be opened from the Finder"]


def test_it_can_be_written_as_the_mac_reads_it() -> None:
    found = plist.info_plist()
    assert plistlib.loads(plistlib.dumps(found)) == found


def test_the_values_are_the_apps_own() -> None:
    found = plist.info_plist()
    assert found["CFBundleIdentifier"] == BUNDLE_ID
    assert found["LSMinimumSystemVersion"] == MACOS_FLOOR
    assert found["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == [URL_SCHEME]
    assert found["LSUIElement"] is False
    assert "GPL" in found["NSHumanReadableCopyright"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["CFBundleShortVersionString"])


def test_we_never_take_a_type_from_its_player() -> None:
    assert {kind["LSHandlerRank"] for kind in plist.info_plist()["CFBundleDocumentTypes"]} == {
        "Alternate",
        "None",
    }


def test_types_are_declared_once() -> None:
    identifiers = [entry[0] for entry in plist.IMPORTED_TYPES]
    assert len(identifiers) == len(set(identifiers))
    assert not set(identifiers) & set(plist.SYSTEM_TYPES.values())


def test_the_entitlements_are_few_and_include_the_microphone() -> None:
    found = plistlib.loads((ROOT / "packaging" / "entitlements.plist").read_bytes())
    assert found == {
        "com.apple.security.device.audio-input": True,
        "com.apple.security.cs.allow-jit": True,
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
    }
