"""Check that every fault of the catalogue still applies to the product.

python -m pipeline.fault_injection.catalog_check

No session is run: `nox -s fault-injection` checks that the gates detect the faults.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.errors import CheckFailedError, handle_errors
from pipeline.fault_injection import catalog
from pipeline.fault_injection.edit import Edit, StaleFaultError


def main() -> None:
    """Check the catalogue.

    Raises:
        CheckFailedError: Names every fault that does not apply, and why.
        InputError: The catalogue is invalid.
    """
    table = [catalog.load_catalog(), catalog.load_catalog(catalog.LOCAL_CATALOG_DIR)]
    faults = {
        f"{job}: {name}": fault.change
        for gates in table
        for job, gate in gates.items()
        for name, fault in gate.faults.items()
    }
    if found := [*_find_stale(faults.items(), Path())]:
        hint = "change the fault in faults/*.toml to match the product"
        raise CheckFailedError("; ".join(found), hint=hint)
    print(f"{len(faults)} faults apply")


def _find_stale(faults: Iterable[tuple[str, Sequence[Edit]]], root: Path) -> Iterator[str]:
    """Yield a sentence for each fault that does not apply.

    Args:
        faults: The edits of each fault, by its name.
        root: The repository; no file in it is changed.
    """
    for name, changes in faults:
        try:
            _dry_run(changes, root)
        except StaleFaultError as error:
            yield f"{name}: {error}"


def _dry_run(changes: Sequence[Edit], root: Path) -> None:
    """Apply edits one after the other to texts in memory.

    Raises:
        StaleFaultError: One of them does not apply.
    """
    texts: dict[str, str] = {}
    for change in changes:
        path = root / change.file
        there = path.read_text() if path.exists() else None
        texts[change.file] = change.edited_text(texts.get(change.file, there))


if __name__ == "__main__":
    with handle_errors():
        main()
