"""Turn a copy of this repository into a product: `invoke init --name acme-shop`."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline import git, streams
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.escaping import printable
from pipeline.scaffold import branding, features
from pipeline.scaffold.patch import Change
from pipeline.settings import NAME, Settings

KIT = "kit"
"""The part that is of the template itself, and goes first."""
RENEW = ("nox -s lock", "nox -s env-example", "nox -s api-client docs -- --write")
"""What writes anew the files that are made from others."""
DOMAINS = "small letters of ASCII, as in acme.com or xn--e1afmkfd.xn--p1ai"


def init(name: str, *, part: str = "", domain: str = "", dry: bool = False) -> None:
    """Give the copy its name, and take away what it goes without.

    Args:
        name: Of the product, such as `acme-shop`.
        part: What to leave out, of those that pipeline.toml names; nothing, if empty.
        domain: Where its environments are; examples stay, if empty.
        dry: Whether to only print the diff.

    Raises:
        InputError: An argument will not do, a mark is wrong, or the tree holds uncommitted work.
    """
    settings = load()
    refuse(settings, name, part, domain)
    change = planned(texts(), settings, name, part, domain)
    if change.is_empty:
        print(f"nothing to do: this is {name}", file=sys.stderr)
    elif dry:
        streams.hand_on("".join(change.diff()), sys.stdout)
    else:
        act(change, part)


def refuse(settings: Settings, name: str, part: str, domain: str) -> None:
    """Refuse arguments that will not do.

    Raises:
        InputError: Names what is wrong with each of them.
    """
    parts = removable(settings)
    rule = f"small letters, digits and single hyphens, {branding.LONGEST} characters at most"
    is_name = len(name) <= branding.LONGEST and re.fullmatch(NAME, name)
    faults = {
        f"`{name}` is no name: {rule}": is_name,
        f"there is no part `{part}`": part in {"", *parts, *left_out(settings)},
        f"`{domain}` is no domain: {DOMAINS}": not domain or branding.DOMAIN.fullmatch(domain),
    }
    if wrong := [fault for fault, is_right in faults.items() if not is_right]:
        known = f"; parts: {', '.join(parts) or 'none are left'}"
        raise InputError("; ".join(wrong), hint=f"invoke init --name=acme-shop{known}")


def removable(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the parts that can be left out, with the paths that are theirs alone."""
    parts = settings.template.removable
    return {name: paths for name, paths in parts.items() if name != KIT}


def left_out(settings: Settings) -> set[str]:
    """Return the parts that are gone already."""
    return {*settings.template.left_out}


def planned(
    old: Mapping[Path, str], settings: Settings, name: str, part: str, domain: str
) -> Change:
    """Return what is to become of the files.

    Raises:
        InputError: A mark or a place is wrong; all faults at once.
    """
    parts = [KIT, *filter(None, [part])]
    if faults := [*wrong_marks(old, parts), *branding.nameless(old)]:
        raise InputError("; ".join(faults), hint="correct them: nothing was changed")
    new = {**old, **(begun(old, name) if not settings.template.commit else {})}
    new |= dict(branding.named(new, name))
    new[branding.LICENSE] = branding.owned(new[branding.LICENSE], name)
    new[branding.SETTINGS] = settled(new[branding.SETTINGS], settings, part, domain)
    for each in parts:
        new = {path: features.without(text, each) for path, text in new.items()}
    theirs = settings.template.removable
    paths = [Path(path) for each in parts for path in theirs.get(each, ())]
    return Change(old, new, [path for path in paths if path.exists()])


def begun(old: Mapping[Path, str], name: str) -> dict[Path, str]:
    """Return what only the first run does: a history of its own, and whence it comes."""
    return {
        branding.CHANGELOG: branding.RESTARTED.format(title=branding.title(name)),
        branding.SETTINGS: branding.stamped(old[branding.SETTINGS], f'commit = "{git.head().sha}"'),
    }


def settled(text: str, settings: Settings, part: str, domain: str) -> str:
    """Return pipeline.toml with where the product lives, and what it goes without."""
    if part and part not in left_out(settings):
        text = branding.stamped(text, f"left_out.{part} = true")
    if not domain:
        return text
    known = settings.template.domain
    text = branding.moved(text, known or branding.PLACEHOLDER, domain)
    return text if known else branding.stamped(text, f'domain = "{domain}"')


def wrong_marks(old: Mapping[Path, str], parts: list[str]) -> Iterator[str]:
    """Yield each mark that does not fit, with where it stands."""
    for path, text in old.items():
        for part in parts:
            yield from (f"{printable(str(path))}:{fault}" for fault in features.faults(text, part))


def act(change: Change, part: str) -> None:
    """Write what was planned, and say what comes next.

    Raises:
        InputError: There is uncommitted work, which nobody could tell from this afterwards.
    """
    if not git.head().clean:
        raise InputError("there is uncommitted work", hint="git commit, or git stash")
    try:
        change.write()
    except OSError:
        git.ask("restore", ".")  # the tree was clean: nothing stays half done
        raise
    changed = [*change.edited, *change.gone]
    print(*(f"changed: {printable(str(path))}" for path in changed), sep="\n", file=sys.stderr)
    steps = [*(RENEW if part else ()), "nox -s parity docs lint"]
    print(f"\nnext: {' && '.join(steps)}", file=sys.stderr)


def texts() -> dict[Path, str]:
    """Return the files that git knows and that are text, without links: git has what they lead to.

    Raises:
        InputError: This is no git checkout, or nothing was added to it yet.
    """
    listed = git.names("ls-files", "-z")
    if not listed:
        raise InputError("git knows no file here", hint="git add --all && git commit")
    found = {}
    for path in map(Path, listed):
        if path.is_file() and not path.is_symlink():  # it may be gone, or a submodule
            with suppress(UnicodeDecodeError):
                found[path] = path.read_bytes().decode()
    return found
