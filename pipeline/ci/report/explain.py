"""`invoke ci --explain`: the inputs of a session, and their changes since its last pass."""

from collections.abc import Iterator, Mapping

from pipeline.ci.cache.fingerprint import InputSnapshot, KeyParts, sha256_json
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.sessions import CISession
from pipeline.ci.terminal import Terminal, format_duration, seconds_since
from pipeline.escaping import quote_name

_MAX_FILES_SHOWN = 10  # files of an area


def explain(
    entry: CISession, inputs: InputSnapshot, store: ResultStore, terminal: Terminal
) -> None:
    """Print the cache key of a session, and either its inputs or what changed since its last pass.

    Args:
        entry: The session.
        inputs: The current inputs.
        store: The store of results.
        terminal: The terminal to print to.
    """
    manifest, history = inputs.key_parts(entry), store.read(entry.session)
    key, latest = sha256_json(manifest), history.latest_pass()
    terminal.print(f"{entry.session}: key {key[:12]}")
    if reason := inputs.settings.ci.never_cached.get(entry.job):
        terminal.print(f"never cached: {reason}")
    elif key in history.greens:
        age = format_duration(seconds_since(history.greens[key].finished))
        terminal.print(f"passed {age} ago with these inputs:")
        for name, value in manifest.items():
            terminal.print(f"  {name}: {value[:60]}")
    elif latest is None:
        terminal.print("no cached pass")
    else:
        terminal.print(
            f"last pass {format_duration(seconds_since(latest.finished))} ago; changes since:"
        )
        for line in _diff_key_parts(latest.manifest, manifest, inputs, store):
            terminal.print(f"  {line}")


def _diff_key_parts(
    before: KeyParts, now: KeyParts, inputs: InputSnapshot, store: ResultStore
) -> Iterator[str]:
    """Yield a line for each difference between two manifests.

    Args:
        before: The manifest of the cached pass.
        now: The current manifest.
        inputs: The current inputs, for the content of the files.
        store: The store with the earlier content ids of the files.
    """
    for name in sorted({*before, *now}):
        if before.get(name) == now.get(name):
            continue
        yield f"{name}: {_word(before, now, name)}"
        if name.startswith("area ") and name in before and name in now:
            contents = store.area_contents(before[name])
            yield from _files(contents, inputs.hashes_by_area[name.removeprefix("area ")])


def _files(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> Iterator[str]:
    if not before:
        yield "  the earlier content of its files is not in the cache"
        return
    differing = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    for path in differing[:_MAX_FILES_SHOWN]:
        yield f"  {quote_name(path)}: {_word(before, now, path)}"
    if len(differing) > _MAX_FILES_SHOWN:
        yield f"  and {len(differing) - _MAX_FILES_SHOWN} more"


def _word(before: Mapping[str, object], now: Mapping[str, object], name: str) -> str:
    if name not in before:
        return "added"
    return "changed" if name in now else "removed"
