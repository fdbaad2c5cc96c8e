"""The resources that an HTML page loads, and their MIME types."""

from html.parser import HTMLParser
from mimetypes import MimeTypes
from urllib.parse import urljoin, urlsplit

_URL_ATTRIBUTES = {"script": "src", "img": "src", "link": "href"}
_ASSET_MANIFEST = "asset-manifest"
_RESOURCE_RELS = {"stylesheet", "modulepreload", "preload", "icon", "apple-touch-icon", "manifest"}
_LEGACY_MIME_TYPES = {
    "application/javascript": "text/javascript",
    "image/x-icon": "image/vnd.microsoft.icon",
}
_MIME_TYPES = MimeTypes()  # without the tables of this machine, which may differ


class PageResources(HTMLParser):
    """The URLs that a page loads, and the number of scripts.

    Resources that load later are in the manifest of the build, if the page names one.
    """

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.manifest = ""
        self.scripts = 0
        self.feed(html.decode(errors="replace"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the URL of an element."""
        attributes = dict(attrs)
        if tag == "meta" and attributes.get("name") == _ASSET_MANIFEST:
            self.manifest = urljoin("/", attributes.get("content") or "")
        address = attributes.get(_URL_ATTRIBUTES.get(tag, "")) or "data:"
        relations = set((attributes.get("rel") or "").lower().split())
        if not address.startswith("data:") and (tag != "link" or relations & _RESOURCE_RELS):
            self.addresses.append(urljoin("/", address))
            self.scripts += tag == "script"

    @property
    def external(self) -> list[str]:
        """URLs of other sites; the smoke test does not request them."""
        return [address for address in self.addresses if urlsplit(address).netloc]


def expected_mime_type(path: str) -> str:
    """Return the MIME type of a file name; empty if it is unknown."""
    return normalize_mime_type(_MIME_TYPES.guess_type(urlsplit(path).path)[0] or "")


def normalize_mime_type(name: str) -> str:
    """Return the current name of a legacy MIME type."""
    return _LEGACY_MIME_TYPES.get(name, name)


def manifest_files(manifest: object) -> set[str]:
    """Return the paths of all files in Vite's manifest.

    Args:
        manifest: Parsed JSON, see https://vite.dev/guide/backend-integration.
    """
    entries = manifest.values() if isinstance(manifest, dict) else ()
    found = [
        path
        for entry in entries
        if isinstance(entry, dict)
        for path in (entry.get("file"), *entry.get("css", ()), *entry.get("assets", ()))
    ]
    return {urljoin("/", path) for path in found if isinstance(path, str)}
