"""Each problem of a digest is one sentence, and all are reported at once."""

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from pipeline.errors import CheckFailedError, VerificationError
from pipeline.images import registry, verification
from pipeline.images.commands.cosign import Signer
from pipeline.images.inspection import NOT_SCANNED
from pipeline.images.registry import platform_digests
from pipeline.images.statements import answer_problems, cosign_error, newest_scan, scan_problems
from pipeline.images.verification import find_problems, verify
from pipeline.process import CommandResult
from tests.unit.images.conftest import AMD, ARM, DIGEST, CopyProject, publish, scan_of

KEY = Signer(key=Path("cosign.key"))
IMAGE = {"os": "linux", "architecture": "amd64"}
ENTRY = {"digest": DIGEST, "platform": IMAGE}
BUILDER_S_OWN = {"digest": DIGEST, "platform": {"os": "unknown", "architecture": "unknown"}}


def finished(days_ago: float) -> dict[str, Any]:
    then = datetime.now(UTC) - timedelta(days=days_ago)
    return scan_of(metadata={"scanFinishedOn": then.isoformat()})


def envelope(predicate: dict[str, Any]) -> str:
    payload = base64.b64encode(json.dumps({"predicate": predicate}).encode()).decode()
    return json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": payload}) + "\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("days_ago", "found"), [(0, []), (6.9, []), (7.1, ["it is older than 7 days"])]
)
def test_a_scan_holds_as_long_as_pipeline_toml_says(days_ago: float, found: list[str]) -> None:
    assert [*scan_problems(finished(days_ago), allow_unscanned=False)] == found


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("allow_unscanned", "found"), [(False, ["no scanner ran"]), (True, [])])
def test_a_statement_that_nobody_scanned_is_for_this_machine_only(
    allow_unscanned: bool,  # noqa: FBT001 - the case
    found: list[str],
) -> None:
    scan = scan_of(scanner={"result": {NOT_SCANNED: "there was no scanner"}})
    assert [*scan_problems(scan, allow_unscanned=allow_unscanned)] == found


@pytest.mark.usefixtures("project")
def test_a_scan_as_trivy_writes_it_is_understood() -> None:
    scan = scan_of(
        scanner={"result": None}, metadata={"scanFinishedOn": "2026-01-01T12:20:30.123456789Z"}
    )
    assert [*scan_problems(scan, allow_unscanned=False)] == ["it is older than 7 days"]


def test_the_newest_scan_counts_in_whatever_order_they_come() -> None:
    lines = [envelope(finished(days)) for days in (3, 1, 9)]
    assert (
        newest_scan("\n".join(lines))
        == json.loads(base64.b64decode(json.loads(lines[1])["payload"]))["predicate"]
    )


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("WARNING: x\nError: no signatures found\nerror during …: no signatures found\n",
         "no signatures found"),
        ("Error: no matching attestations: \nerror during …: no matching attestations: \n",
         "no matching attestations"),
        ("panic: lost\n", "panic: lost"),
        ("", "cosign printed no error"),
    ],
)  # fmt: skip
def test_cosign_s_own_sentence_is_repeated_once(printed: str, sentence: str) -> None:
    assert cosign_error(printed) == sentence
    answer = subprocess.CompletedProcess([], 1, "", printed)
    assert [*answer_problems("", answer, allow_unscanned=False)] == [sentence]


def test_everything_that_is_missing_is_named_at_once(put: CopyProject, tmp_path: Path) -> None:
    put("docker", "cosign")
    index = publish(tmp_path, "shop/app:1", json.dumps({"manifests": [ENTRY, BUILDER_S_OWN]}))
    with pytest.raises(VerificationError) as caught:
        verify([f"shop/app@{index}"], KEY, "abc", platforms=[AMD, ARM])
    assert str(caught.value).splitlines() == [
        f"shop/app@{index} failed verification:",
        "it is not for linux/arm64, only for linux/amd64",
        "signature: no matching signatures",
        "bill of materials (SPDX) of linux/amd64: no matching attestations",
        "bill of materials (CycloneDX) of linux/amd64: no matching attestations",
        "scan of linux/amd64: no matching attestations",
        "provenance of linux/amd64: no matching attestations",
    ]
    assert "release-image" in caught.value.hint


def test_several_digests_are_asked_about_at_once_and_all_faults_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests = [f"shop/app@sha256:{number * 64}" for number in "123"]
    together = Barrier(len(digests))

    def read(command: tuple[str, ...]) -> CommandResult:
        if "--annotations=exceptions=attested" in command:
            together.wait(timeout=10)
        return CommandResult(command, 1, "", f"Error: no signature of {command[-1][-1]}")

    monkeypatch.setattr(verification, "platform_digests", lambda _: {AMD: DIGEST})
    monkeypatch.setattr(verification, "expected_annotations", lambda *_: {})
    monkeypatch.setattr(verification, "capture", read)
    with pytest.raises(VerificationError) as caught:
        verify(digests, KEY, "abc")
    output = str(caught.value).splitlines()
    assert [
        line for line in output if "failed verification" in line or line.startswith("signature")
    ] == [
        line
        for digest in digests
        for line in (
            f"{digest} failed verification:",
            f"signature: no signature of {digest[-1]}",
        )
    ]


def test_an_index_of_nothing_is_no_image(put: CopyProject, tmp_path: Path) -> None:
    put("docker", "cosign")
    index = publish(tmp_path, "shop/app:1", json.dumps({"manifests": [BUILDER_S_OWN]}))
    digest = f"shop/app@{index}"
    assert find_problems([digest], KEY, "abc") == {digest: ["it contains no image"]}


def test_a_manifest_that_is_gone_is_said_to_be(put: CopyProject) -> None:
    put("docker", "cosign")
    ((fault,),) = find_problems([f"shop/app@{DIGEST}"], KEY, "abc").values()
    assert fault.startswith("its manifest cannot be read: the registry has no ")


def test_a_registry_that_is_away_is_said_to_be(
    put: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("docker", "cosign")
    refused = "dial tcp 127.0.0.1:5999: connect: connection refused"
    monkeypatch.setattr(
        registry, "capture", lambda *_, **__: CommandResult((), 1, "", f"ERROR: {refused}")
    )
    ((fault,),) = find_problems([f"shop/app@{DIGEST}"], KEY, "abc").values()
    assert "the registry does not answer for " in fault
    assert fault.endswith(refused)


def test_a_registry_that_gives_another_manifest_is_not_believed(
    put: CopyProject, tmp_path: Path
) -> None:
    put("docker")
    publish(tmp_path, f"shop/app@{DIGEST}", json.dumps({"manifests": [ENTRY]}))
    with pytest.raises(CheckFailedError, match=f"the registry sent .* for shop/app@{DIGEST}"):
        platform_digests(f"shop/app@{DIGEST}")


def test_an_image_without_an_index_is_for_its_own_platform(
    put: CopyProject, tmp_path: Path
) -> None:
    put("docker")
    image = publish(tmp_path, "shop/app:1", json.dumps(IMAGE))
    assert platform_digests(f"shop/app@{image}") == {AMD: image}
