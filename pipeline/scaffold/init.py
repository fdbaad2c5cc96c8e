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

_KIT_FEATURE = "kit"
"""The feature that only the template itself needs; it is always removed."""
REGENERATE_COMMANDS = ("nox -s lock", "nox -s env-example", "nox -s api-client docs -- --write")
"""Commands that generate files again from the changed ones."""
_DOMAINS = "lower-case ASCII letters, as in acme.com or xn--e1afmkfd.xn--p1ai"


def init(name: str, *, part: str = "", domain: str = "", dry_run: bool = False) -> None:
    """Set the name of the product, and remove features.

    Args:
        name: The name, such as `acme-shop`.
        part: A feature to remove, one of `template.removable` in pipeline.toml; none, if empty.
        domain: The domain of the environments; the examples stay, if empty.
        dry_run: Whether to only print the diff.

    Raises:
        InputError: An argument or a marker is invalid, or there are uncommitted changes.
    """
    settings = load()
    _validate_arguments(settings, name, part, domain)
    change = plan_changes(tracked_text_files(), settings, name, part, domain)
    if change.is_empty:
        print(f"nothing to do: the product is already named {name}", file=sys.stderr)
    elif dry_run:
        streams.write_raw("".join(change.diff()), sys.stdout)
    else:
        _apply_patch(change, part)


def _validate_arguments(settings: Settings, name: str, part: str, domain: str) -> None:
    """Check the arguments.

    Raises:
        InputError: Names every invalid argument.
    """
    parts = removable_features(settings)
    rule = (
        f"lower-case letters, digits, single hyphens, at most {branding.MAX_NAME_LENGTH} characters"
    )
    is_name = len(name) <= branding.MAX_NAME_LENGTH and re.fullmatch(NAME, name)
    faults = {
        f"`--name={name}`: {rule}": is_name,
        f"there is no feature `{part}`": part in {"", *parts, *_removed_features(settings)},
        f"`--domain={domain}`: {_DOMAINS}": not domain or branding.DOMAIN.fullmatch(domain),
    }
    if wrong := [fault for fault, is_right in faults.items() if not is_right]:
        known = f"; features: {', '.join(parts) or 'none'}"
        raise InputError("; ".join(wrong), hint=f"invoke init --name=acme-shop{known}")


def removable_features(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the features that can be removed, with the paths of their own files."""
    parts = settings.template.removable
    return {name: paths for name, paths in parts.items() if name != _KIT_FEATURE}


def _removed_features(settings: Settings) -> set[str]:
    """Return the features that are removed already."""
    return {*settings.template.removed}


def plan_changes(
    old: Mapping[Path, str], settings: Settings, name: str, part: str, domain: str
) -> Patch:
    """Return the new texts of all files.

    Raises:
        InputError: A marker or the line of a name is invalid; names all of them.
    """
    parts = [_KIT_FEATURE, *filter(None, [part])]
    if faults := [*_find_marker_errors(old, parts), *branding.missing_names(old)]:
        raise InputError("; ".join(faults), hint="correct these lines; no file was changed")
    new = {**old, **(_first_run_changes(old, name) if not settings.template.commit else {})}
    new |= dict(branding.with_name(new, name))
    new[branding.LICENSE] = branding.with_copyright(new[branding.LICENSE], name)
    new[branding.SETTINGS] = _configure(new[branding.SETTINGS], settings, part, domain)
    for each in parts:
        new = {path: features.strip_feature(text, each) for path, text in new.items()}
    removable = settings.template.removable
    paths = [Path(path) for each in parts for path in removable.get(each, ())]
    return Patch(old, new, [path for path in paths if path.exists()])


def _first_run_changes(old: Mapping[Path, str], name: str) -> dict[Path, str]:
    """Return the changes of the first run only: a new changelog, and the commit of the template."""
    return {
        branding.CHANGELOG: branding.NEW_CHANGELOG.format(title=branding.display_name(name)),
        branding.SETTINGS: branding.with_template_fact(
            old[branding.SETTINGS], f'commit = "{git.head().sha}"'
        ),
    }


def _configure(text: str, settings: Settings, part: str, domain: str) -> str:
    """Return pipeline.toml with the domain and the removed feature."""
    if part and part not in _removed_features(settings):
        text = branding.with_template_fact(text, f"removed.{part} = true")
    if not domain:
        return text
    known = settings.template.domain
    text = branding.with_new_domain(text, known or branding.PLACEHOLDER, domain)
    return text if known else branding.with_template_fact(text, f'domain = "{domain}"')


def _find_marker_errors(old: Mapping[Path, str], parts: list[str]) -> Iterator[str]:
    """Yield each invalid marker, with its file and line."""
    for path, text in old.items():
        for part in parts:
            yield from (
                f"{quote_name(str(path))}:{fault}" for fault in features.marker_errors(text, part)
            )


def _apply_patch(change: Patch, part: str) -> None:
    """Write the files, and print the next commands.

    Raises:
        InputError: There are uncommitted changes, which would be mixed with these.
    """
    if not git.head().clean:
        raise InputError("there are uncommitted changes", hint="git commit, or git stash")
    try:
        change.write()
    except OSError:
        git.run_git("restore", ".")  # the tree was clean, so this undoes a partial write
        raise
    changed = [*change.changed, *change.removed]
    print(*(f"changed: {quote_name(str(path))}" for path in changed), sep="\n", file=sys.stderr)
    steps = [*(REGENERATE_COMMANDS if part else ()), "nox -s parity docs lint"]
    print(f"\nnext: {' && '.join(steps)}", file=sys.stderr)


def tracked_text_files() -> dict[Path, str]:
    """Return the text files that git tracks, without symbolic links.

    Raises:
        InputError: This is not a git checkout, or git tracks no file.
    """
    listed = git.split_names("ls-files", "-z")
    if not listed:
        raise InputError("git tracks no file here", hint="git add --all && git commit")
    found = {}
    for path in map(Path, listed):
        if path.is_file() and not path.is_symlink():  # it may be deleted, or a submodule
            with suppress(UnicodeDecodeError):
                found[path] = path.read_bytes().decode()
    return found
