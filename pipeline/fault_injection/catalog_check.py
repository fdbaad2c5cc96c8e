"""See that every fault of the table still fits the product that it would be planted in.

python -m pipeline.fault_injection.catalog_check

Nothing is run: that a gate finds its fault is what `nox -s fault-injection` sees.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.errors import CheckFailedError, handle_errors
from pipeline.fault_injection import catalog
from pipeline.fault_injection.edit import Edit, StaleFaultError


def main() -> None:
    """Judge the table.

    Raises:
        CheckFailedError: Names every fault that does not fit, and why.
        InputError: The table is wrong.
    """
    table = [catalog.load_catalog(), catalog.load_catalog(catalog.LOCAL_CATALOG_DIR)]
    planted = {
        f"{job}: {name}": fault.change
        for gates in table
        for job, gate in gates.items()
        for name, fault in gate.faults.items()
    }
    if found := [*find_stale(planted.items(), Path())]:
        hint = "follow the product with the fault, in faults/*.toml"
        raise CheckFailedError("; ".join(found), hint=hint)
    print(f"{len(planted)} faults fit")


def find_stale(planted: Iterable[tuple[str, Sequence[Edit]]], root: Path) -> Iterator[str]:
    """Yield a sentence for every fault that could not be planted.

    Args:
        planted: What would be changed for each fault, by its name.
        root: The repository; nothing in it is touched.
    """
    for name, changes in planted:
        try:
            dry_run(changes, root)
        except StaleFaultError as error:
            yield f"{name}: {error}"


def dry_run(changes: Sequence[Edit], root: Path) -> None:
    """Make some changes, one upon the other, of texts alone.

    Raises:
        UnplantedError: One of them does not fit.
    """
    texts: dict[str, str] = {}
    for change in changes:
        path = root / change.file
        there = path.read_text() if path.exists() else None
        texts[change.file] = change.edited_text(texts.get(change.file, there))


if __name__ == "__main__":
    with handle_errors():
        main()
