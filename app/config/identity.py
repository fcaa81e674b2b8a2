"""What Undertone is called by systems and servers, each name in one place.

The bundle's property list, the build environment, the static checks and the app itself read these;
a changed identifier makes every permission a person granted void.
"""

from app import __version__

NAME = "Undertone"
VERSION = __version__
BUNDLE_ID = "org.undertone.Undertone"
URL_SCHEME = "undertone"
MACOS_FLOOR = "14.0"  # the oldest macOS the bundle starts on
HOMEPAGE = "https://github.com/undertone-app/undertone"
RELEASES_PAGE = f"{HOMEPAGE}/releases/latest"
# One JSON document: {"version": "1.2.3", "page": "https://…"}.
UPDATE_FEED = f"{HOMEPAGE}/releases/latest/download/latest.json"
UPDATE_FEED_VARIABLE = "UNDERTONE_UPDATE_FEED"  # tests and mirrors name another one here
