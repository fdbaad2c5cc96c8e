"""Turn a copy of this repository into a product: `invoke init --name acme-shop`."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline import git, streams
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.escaping import quote_name
from pipeline.scaffold import branding, features
from pipeline.scaffold.patch import Patch
from pipeline.settings import NAME, Settings

KIT_FEATURE = "kit"
"""The part that is of the template itself, and goes first."""
REGENERATE_COMMANDS = ("nox -s lock", "nox -s env-example", "nox -s api-client docs -- --write")
"""What writes anew the files that are made from others."""
DOMAINS = "small letters of ASCII, as in acme.com or xn--e1afmkfd.xn--p1ai"


def init(name: str, *, part: str = "", domain: str = "", dry_run: bool = False) -> None:
    """Give the copy its name, and take away what it goes without.

    Args:
        name: Of the product, such as `acme-shop`.
        part: What to leave out, of those that pipeline.toml names; nothing, if empty.
        domain: Where its environments are; examples stay, if empty.
        dry_run: Whether to only print the diff.

    Raises:
        InputError: An argument will not do, a mark is wrong, or the tree holds uncommitted work.
    """
    settings = load()
    validate_arguments(settings, name, part, domain)
    change = plan_changes(tracked_text_files(), settings, name, part, domain)
    if change.is_empty:
        print(f"nothing to do: this is {name}", file=sys.stderr)
    elif dry_run:
        streams.write_raw("".join(change.diff()), sys.stdout)
    else:
        apply_patch(change, part)


def validate_arguments(settings: Settings, name: str, part: str, domain: str) -> None:
    """Refuse arguments that will not do.

    Raises:
        InputError: Names what is wrong with each of them.
    """
    parts = removable_features(settings)
    rule = (
        f"small letters, digits and single hyphens, {branding.MAX_NAME_LENGTH} characters at most"
    )
    is_name = len(name) <= branding.MAX_NAME_LENGTH and re.fullmatch(NAME, name)
    faults = {
        f"`{name}` is no name: {rule}": is_name,
        f"there is no part `{part}`": part in {"", *parts, *removed_features(settings)},
        f"`{domain}` is no domain: {DOMAINS}": not domain or branding.DOMAIN.fullmatch(domain),
    }
    if wrong := [fault for fault, is_right in faults.items() if not is_right]:
        known = f"; parts: {', '.join(parts) or 'none are left'}"
        raise InputError("; ".join(wrong), hint=f"invoke init --name=acme-shop{known}")


def removable_features(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the parts that can be left out, with the paths that are theirs alone."""
    parts = settings.template.removable
    return {name: paths for name, paths in parts.items() if name != KIT_FEATURE}


def removed_features(settings: Settings) -> set[str]:
    """Return the parts that are gone already."""
    return {*settings.template.removed}


def plan_changes(
    old: Mapping[Path, str], settings: Settings, name: str, part: str, domain: str
) -> Patch:
    """Return what is to become of the files.

    Raises:
        InputError: A mark or a place is wrong; all faults at once.
    """
    parts = [KIT_FEATURE, *filter(None, [part])]
    if faults := [*find_marker_errors(old, parts), *branding.missing_names(old)]:
        raise InputError("; ".join(faults), hint="correct them: nothing was changed")
    new = {**old, **(first_run_changes(old, name) if not settings.template.commit else {})}
    new |= dict(branding.with_name(new, name))
    new[branding.LICENSE] = branding.with_copyright(new[branding.LICENSE], name)
    new[branding.SETTINGS] = configure(new[branding.SETTINGS], settings, part, domain)
    for each in parts:
        new = {path: features.strip_feature(text, each) for path, text in new.items()}
    theirs = settings.template.removable
    paths = [Path(path) for each in parts for path in theirs.get(each, ())]
    return Patch(old, new, [path for path in paths if path.exists()])


def first_run_changes(old: Mapping[Path, str], name: str) -> dict[Path, str]:
    """Return what only the first run does: a history of its own, and whence it comes."""
    return {
        branding.CHANGELOG: branding.NEW_CHANGELOG.format(title=branding.display_name(name)),
        branding.SETTINGS: branding.with_template_fact(
            old[branding.SETTINGS], f'commit = "{git.head().sha}"'
        ),
    }


def configure(text: str, settings: Settings, part: str, domain: str) -> str:
    """Return pipeline.toml with where the product lives, and what it goes without."""
    if part and part not in removed_features(settings):
        text = branding.with_template_fact(text, f"removed.{part} = true")
    if not domain:
        return text
    known = settings.template.domain
    text = branding.with_new_domain(text, known or branding.PLACEHOLDER, domain)
    return text if known else branding.with_template_fact(text, f'domain = "{domain}"')


def find_marker_errors(old: Mapping[Path, str], parts: list[str]) -> Iterator[str]:
    """Yield each mark that does not fit, with where it stands."""
    for path, text in old.items():
        for part in parts:
            yield from (
                f"{quote_name(str(path))}:{fault}" for fault in features.marker_errors(text, part)
            )


def apply_patch(change: Patch, part: str) -> None:
    """Write what was planned, and say what comes next.

    Raises:
        InputError: There is uncommitted work, which nobody could tell from this afterwards.
    """
    if not git.head().clean:
        raise InputError("there is uncommitted work", hint="git commit, or git stash")
    try:
        change.write()
    except OSError:
        git.run_git("restore", ".")  # the tree was clean: nothing stays half done
        raise
    changed = [*change.changed, *change.removed]
    print(*(f"changed: {quote_name(str(path))}" for path in changed), sep="\n", file=sys.stderr)
    steps = [*(REGENERATE_COMMANDS if part else ()), "nox -s parity docs lint"]
    print(f"\nnext: {' && '.join(steps)}", file=sys.stderr)


def tracked_text_files() -> dict[Path, str]:
    """Return the files that git knows and that are text, without links: git has what they lead to.

    Raises:
        InputError: This is no git checkout, or nothing was added to it yet.
    """
    listed = git.split_names("ls-files", "-z")
    if not listed:
        raise InputError("git knows no file here", hint="git add --all && git commit")
    found = {}
    for path in map(Path, listed):
        if path.is_file() and not path.is_symlink():  # it may be gone, or a submodule
            with suppress(UnicodeDecodeError):
                found[path] = path.read_bytes().decode()
    return found
