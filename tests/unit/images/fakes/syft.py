"""A Syft that finds nothing; it knows only the flags that its own help names."""

from pathlib import Path

from tests.unit.images.fakes.call_log import fail, record_call

FLAGS = ("--config=", "--quiet", "--source-name=", "--source-version=", "--output=")


def main() -> None:
    command, source, *flags = record_call()
    if unknown := [flag for flag in flags if not flag.startswith(FLAGS)]:
        fail(f"unknown flag: {unknown[0]}")
    if command != "scan" or not Path(source.removeprefix("docker-archive:")).exists():
        fail(f"could not determine source: {source}")
    for flag in flags:
        if flag.startswith("--output="):
            Path(flag.rpartition("=")[2]).write_text("{}")


main()
