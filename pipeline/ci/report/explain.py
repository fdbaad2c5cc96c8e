"""What a session's result hangs on, and what has changed of that since it was last green."""

from collections.abc import Iterator, Mapping

from pipeline.ci.cache.fingerprint import Inputs, Manifest, digest
from pipeline.ci.cache.store import Store
from pipeline.ci.sessions import Entry
from pipeline.ci.terminal import Terminal, ago, since
from pipeline.escaping import printable

SHOWN = 10  # files of an area


def explain(entry: Entry, inputs: Inputs, store: Store, terminal: Terminal) -> None:
    """Print whether a session would run, and why.

    Args:
        entry: The session.
        inputs: What it would run on.
        store: What is remembered.
        terminal: Where to.
    """
    manifest, memory = inputs.manifest(entry), store.read(entry.session)
    key, latest = digest(manifest), memory.latest()
    terminal.print(f"{entry.session}: key {key[:12]}")
    if reason := inputs.settings.ci.never_cached.get(entry.job):
        terminal.print(f"it always runs: {reason}")
    elif key in memory.greens:
        terminal.print(f"green {ago(since(memory.greens[key].finished))} ago on all of this:")
        for name, value in manifest.items():
            terminal.print(f"  {name}: {value[:60]}")
    elif latest is None:
        terminal.print("it was never green here")
    else:
        terminal.print(f"it was last green {ago(since(latest.finished))} ago; since then:")
        for line in differences(latest.manifest, manifest, inputs, store):
            terminal.print(f"  {line}")


def differences(before: Manifest, now: Manifest, inputs: Inputs, store: Store) -> Iterator[str]:
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
            held = store.contents(before[name])
            yield from _files(held, inputs.contents[name.removeprefix("area ")])


def _files(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> Iterator[str]:
    if not before:
        yield "  what its files held before is no longer known"
        return
    differing = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    for path in differing[:SHOWN]:
        yield f"  {printable(path)}: {_word(before, now, path)}"
    if len(differing) > SHOWN:
        yield f"  and {len(differing) - SHOWN} more"


def _word(before: Mapping[str, object], now: Mapping[str, object], name: str) -> str:
    if name not in before:
        return "added"
    return "changed" if name in now else "gone"
