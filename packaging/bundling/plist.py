"""The bundle's `Info.plist` as a Python dictionary: what the Mac knows of the app before it runs.

Every file suffix the app reads has a type here, or the Finder would not offer to open it.
"""

from typing import Any

from app.config.identity import BUNDLE_ID, MACOS_FLOOR, NAME, URL_SCHEME, VERSION

AUDIO, MOVIE = "public.audio", "public.movie"
# Types the system declares itself, by suffix.
SYSTEM_TYPES = {
    ".3g2": "public.3gpp2",
    ".3gp": "public.3gpp",
    ".aac": "public.aac-audio",
    ".ac3": "public.ac3-audio",
    ".aif": "public.aiff-audio",
    ".aiff": "public.aiff-audio",
    ".amr": "org.3gpp.adaptive-multi-rate-audio",
    ".au": "public.au-audio",
    ".avi": "public.avi",
    ".caf": "com.apple.coreaudio-format",
    ".flac": "org.xiph.flac",
    ".m4a": "com.apple.m4a-audio",
    ".m4b": "com.apple.protected-mpeg-4-audio-b",
    ".m4v": "com.apple.m4v-video",
    ".mov": "com.apple.quicktime-movie",
    ".mp3": "public.mp3",
    ".mp4": "public.mpeg-4",
    ".mpeg": "public.mpeg",
    ".mpg": "public.mpeg",
    ".mts": "public.avchd-mpeg-2-transport-stream",
    ".ts": "public.mpeg-2-transport-stream",
    ".wav": "com.microsoft.waveform-audio",
}
# Types the system may not know: (identifier, what it is, what it conforms to, suffixes, MIME).
IMPORTED_TYPES = (
    ("org.matroska.mka", "Matroska audio", AUDIO, (".mka",), "audio/x-matroska"),
    ("org.matroska.mkv", "Matroska video", MOVIE, (".mkv",), "video/x-matroska"),
    ("org.webmproject.webm", "WebM video", MOVIE, (".webm",), "video/webm"),
    ("org.xiph.ogg-audio", "Ogg audio", AUDIO, (".oga", ".ogg"), "audio/ogg"),
    ("org.xiph.opus", "Opus audio", AUDIO, (".opus",), "audio/opus"),
    ("com.sony.wave64", "Wave64 audio", AUDIO, (".w64",), "audio/x-w64"),
    (
        "com.microsoft.windows-media-wma",
        "Windows Media audio",
        AUDIO,
        (".wma",),
        "audio/x-ms-wma",
    ),
    (
        "com.microsoft.windows-media-wmv",
        "Windows Media video",
        MOVIE,
        (".wmv",),
        "video/x-ms-wmv",
    ),
)
DOCUMENT_ICON = "Document.icns"
SERVICE_MESSAGE = "transcribeFiles"
COPYRIGHT = "The packaged app is free software under the GPL, version 3; its source code is MIT."


def info_plist() -> dict[str, Any]:
    """Return the property list."""
    return {
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleExecutable": NAME,
        "CFBundleIdentifier": BUNDLE_ID,
        "CFBundlePackageType": "APPL",
        "CFBundleVersion": VERSION,
        "CFBundleShortVersionString": VERSION,
        "CFBundleDevelopmentRegion": "en",
        "CFBundleLocalizations": ["en"],
        "LSMinimumSystemVersion": MACOS_FLOOR,
        "LSArchitecturePriority": ["arm64"],
        "LSApplicationCategoryType": "public.app-category.productivity",
        "LSMultipleInstancesProhibited": True,
        "LSUIElement": False,  # the activation policy is switched while it runs
        "NSPrincipalClass": "NSApplication",
        "NSHighResolutionCapable": True,
        "NSSupportsAutomaticTermination": False,  # a recording must not be ended silently
        "NSSupportsSuddenTermination": False,
        "NSMicrophoneUsageDescription": (
            "Undertone listens while you dictate or record. The sound stays on this Mac."
        ),
        "NSHumanReadableCopyright": COPYRIGHT,
        "CFBundleDocumentTypes": _document_types(),
        "UTImportedTypeDeclarations": _imported_types(),
        "CFBundleURLTypes": [
            {
                "CFBundleURLName": BUNDLE_ID,
                "CFBundleTypeRole": "Viewer",
                "CFBundleURLSchemes": [URL_SCHEME],
            }
        ],
        "NSServices": [
            {
                "NSMenuItem": {"default": f"Transcribe with {NAME}"},
                "NSMessage": SERVICE_MESSAGE,
                "NSPortName": NAME,
                "NSSendFileTypes": [AUDIO, MOVIE],
                "NSRequiredContext": {},
            }
        ],
    }


def _document_types() -> list[dict[str, Any]]:
    own = [entry[0] for entry in IMPORTED_TYPES]
    return [
        {
            "CFBundleTypeName": "Audio or video recording",
            "CFBundleTypeRole": "Viewer",
            "LSHandlerRank": "Alternate",  # open with us on request, never instead of the player
            "CFBundleTypeIconFile": DOCUMENT_ICON,
            "LSItemContentTypes": [AUDIO, MOVIE, *sorted({*SYSTEM_TYPES.values(), *own})],
        },
        {
            "CFBundleTypeName": "Folder of recordings",
            "CFBundleTypeRole": "Viewer",
            "LSHandlerRank": "None",  # a folder can be dropped on the Dock icon
            "LSItemContentTypes": ["public.folder"],
        },
    ]


def _imported_types() -> list[dict[str, Any]]:
    return [
        {
            "UTTypeIdentifier": identifier,
            "UTTypeDescription": what,
            "UTTypeConformsTo": [conforms],
            "UTTypeTagSpecification": {
                "public.filename-extension": [suffix[1:] for suffix in suffixes],
                "public.mime-type": [mime],
            },
        }
        for identifier, what, conforms, suffixes, mime in IMPORTED_TYPES
    ]
