"""What an HTML page loads, and of what type each part must be."""

from html.parser import HTMLParser
from mimetypes import MimeTypes
from urllib.parse import urljoin, urlsplit

URL_ATTRIBUTES = {"script": "src", "img": "src", "link": "href"}
ASSET_MANIFEST = "asset-manifest"
RESOURCE_RELS = {"stylesheet", "modulepreload", "preload", "icon", "apple-touch-icon", "manifest"}
LEGACY_MIME_TYPES = {
    "application/javascript": "text/javascript",
    "image/x-icon": "image/vnd.microsoft.icon",
}
MIME_TYPES = MimeTypes()  # not the tables of this machine, which may know other names


class PageResources(HTMLParser):
    """The addresses that a page loads from, and how many of them are scripts.

    What it loads only later is in the list that it names, if its build made one.
    """

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.manifest = ""
        self.scripts = 0
        self.feed(html.decode(errors="replace"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this element loads."""
        attributes = dict(attrs)
        if tag == "meta" and attributes.get("name") == ASSET_MANIFEST:
            self.manifest = urljoin("/", attributes.get("content") or "")
        address = attributes.get(URL_ATTRIBUTES.get(tag, "")) or "data:"
        relations = set((attributes.get("rel") or "").lower().split())
        if not address.startswith("data:") and (tag != "link" or relations & RESOURCE_RELS):
            self.addresses.append(urljoin("/", address))
            self.scripts += tag == "script"

    @property
    def external(self) -> list[str]:
        """Addresses on other sites, which no walk through this one may visit."""
        return [address for address in self.addresses if urlsplit(address).netloc]


def expected_mime_type(path: str) -> str:
    """Return the type that the name of a file promises; nothing, if it promises none."""
    return normalize_mime_type(MIME_TYPES.guess_type(urlsplit(path).path)[0] or "")


def normalize_mime_type(name: str) -> str:
    """Return today's name of a type."""
    return LEGACY_MIME_TYPES.get(name, name)


def manifest_files(manifest: object) -> set[str]:
    """Return the paths of all files that Vite lists: https://vite.dev/guide/backend-integration.

    Args:
        manifest: What its JSON holds.
    """
    entries = manifest.values() if isinstance(manifest, dict) else ()
    found = [
        path
        for entry in entries
        if isinstance(entry, dict)
        for path in (entry.get("file"), *entry.get("css", ()), *entry.get("assets", ()))
    ]
    return {urljoin("/", path) for path in found if isinstance(path, str)}
