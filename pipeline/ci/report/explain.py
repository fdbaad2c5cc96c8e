"""What a session's result hangs on, and what has changed of that since it was last green."""

from collections.abc import Iterator, Mapping

from pipeline.ci.cache.fingerprint import InputSnapshot, KeyParts, sha256_json
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.sessions import CISession
from pipeline.ci.terminal import Terminal, format_duration, seconds_since
from pipeline.escaping import quote_name

MAX_FILES_SHOWN = 10  # files of an area


def explain(
    entry: CISession, inputs: InputSnapshot, store: ResultStore, terminal: Terminal
) -> None:
    """Print whether a session would run, and why.

    Args:
        entry: The session.
        inputs: What it would run on.
        store: What is remembered.
        terminal: Where to.
    """
    manifest, memory = inputs.key_parts(entry), store.read(entry.session)
    key, latest = sha256_json(manifest), memory.latest_pass()
    terminal.print(f"{entry.session}: key {key[:12]}")
    if reason := inputs.settings.ci.never_cached.get(entry.job):
        terminal.print(f"it always runs: {reason}")
    elif key in memory.greens:
        age = format_duration(seconds_since(memory.greens[key].finished))
        terminal.print(f"green {age} ago on all of this:")
        for name, value in manifest.items():
            terminal.print(f"  {name}: {value[:60]}")
    elif latest is None:
        terminal.print("it was never green here")
    else:
        terminal.print(
            f"it was last green {format_duration(seconds_since(latest.finished))} ago; since then:"
        )
        for line in diff_key_parts(latest.manifest, manifest, inputs, store):
            terminal.print(f"  {line}")


def diff_key_parts(
    before: KeyParts, now: KeyParts, inputs: InputSnapshot, store: ResultStore
) -> Iterator[str]:
    """Yield a line for everything in which two manifests differ.

    Args:
        before: The earlier one.
        now: The one of today.
        inputs: What it was made of.
        store: What the files held before.
    """
    for name in sorted({*before, *now}):
        if before.get(name) == now.get(name):
            continue
        yield f"{name}: {_word(before, now, name)}"
        if name.startswith("area ") and name in before and name in now:
            held = store.area_contents(before[name])
            yield from _files(held, inputs.hashes_by_area[name.removeprefix("area ")])


def _files(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> Iterator[str]:
    if not before:
        yield "  what its files held before is no longer known"
        return
    differing = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    for path in differing[:MAX_FILES_SHOWN]:
        yield f"  {quote_name(path)}: {_word(before, now, path)}"
    if len(differing) > MAX_FILES_SHOWN:
        yield f"  and {len(differing) - MAX_FILES_SHOWN} more"


def _word(before: Mapping[str, object], now: Mapping[str, object], name: str) -> str:
    if name not in before:
        return "added"
    return "changed" if name in now else "gone"
