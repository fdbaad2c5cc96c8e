"""The whole chain with the real Docker, registry, Syft and Cosign: once, and never twice."""

import hashlib
import io
import json
import shutil
import tarfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import Signer
from pipeline.images.statements import decode_statement
from tests.acceptance.signing.conftest import Make, manifest, sh, tags
from tests.acceptance.signing.project import AMD, ARM, Project, completed, effectful_commands

CHAIN = ["build", "sbom", "scan", "push", "sign", "verify", "--env=local"]
BOTH = [f"--platform={platform}" for platform in (AMD, ARM)]


@pytest.fixture
def project(make: Make, tools: Path) -> Project:
    """A project without scans."""
    return make(tools)


@pytest.fixture
def scanned(make: Make, scanner: Path) -> Project:
    """A project that is released for two platforms, and scanned."""
    project = make(scanner)
    project.configure([AMD, ARM])
    project.commit()
    return project


def prepare(project: Project) -> None:
    for platform in BOTH:
        completed(project.invoke("build", platform, "sbom", platform, "scan", platform))


def test_the_chain_passes_and_the_second_time_runs_no_command(
    project: Project, record_property: Callable[[str, object], None]
) -> None:
    first = completed(project.invoke(*CHAIN))
    assert project.released()["reference"] in first.stdout
    assert len(effectful_commands(first)) > 10
    start = time.monotonic()
    second = completed(project.invoke(*CHAIN))
    seconds = round(time.monotonic() - start, 1)
    record_property("seconds of the chain that has nothing to do", seconds)
    print(f"\nnothing to do: {seconds} s")
    assert effectful_commands(second) == []
    assert project.released()["reference"] in second.stdout


def test_exceptions_are_attested_as_openvex_and_verified(project: Project, keys: Path) -> None:
    entry = {"id": "CVE-2026-0001", "package": "libssl3", "found_in": [project.image],
             "reason": "no fixed version", "owner": "ada@example.com"}  # fmt: skip
    lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)  # the date may change during the test
    text = "\n".join(["[[exceptions]]", *lines, f"expiry = {tomorrow}", ""])
    (project.folder / "security").mkdir()
    (project.folder / "security" / "exceptions.toml").write_text(text)
    project.commit()
    completed(project.invoke(*CHAIN))
    name = f"{project.registry}/{project.image}"
    image = f"{name}@{project.released()['platforms'][AMD]}"
    signer = Signer(key=keys / "ours.key")
    envelope = sh(*cosign.verify_attestation(signer, image, "openvex"))
    (output,) = decode_statement(envelope)["predicate"]["statements"]
    assert output["vulnerability"]["name"] == "CVE-2026-0001"


def test_what_nobody_scanned_stays_on_this_machine(project: Project) -> None:
    completed(project.invoke(*CHAIN))
    result = project.invoke("verify")
    assert result.returncode == 5
    assert "scan of linux/amd64: no scanner ran" in result.stderr
    assert result.stdout == ""


def test_the_bills_of_materials_are_syft_s_and_name_the_image(project: Project) -> None:
    completed(project.invoke("build", "sbom"))
    spdx = json.loads((project.documents() / "sbom.spdx.json").read_text())
    cyclonedx = json.loads((project.documents() / "sbom.cdx.json").read_text())
    assert spdx["spdxVersion"] == "SPDX-2.3"
    assert cyclonedx["bomFormat"] == "CycloneDX"
    name = f"{project.registry}/{project.image}"
    assert spdx["name"] == cyclonedx["metadata"]["component"]["name"] == name


def test_two_archives_become_one_index_of_two_platforms(scanned: Project) -> None:
    prepare(scanned)
    completed(scanned.invoke("push", "sign", "verify"))
    released = scanned.released()
    index = manifest(released["reference"])
    found = {
        f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"]
        for entry in index["manifests"]
    }
    assert found == released["platforms"]
    assert set(found) == {AMD, ARM}


def test_a_version_is_one_more_name_of_the_digest_and_nothing_is_built(scanned: Project) -> None:
    prepare(scanned)
    completed(scanned.invoke("push", "sign"))
    result = completed(scanned.invoke("promote", "v1.0.0"))
    (create,) = effectful_commands(result)
    assert "imagetools create" in create
    name = f"{scanned.registry}/{scanned.image}"
    assert manifest(f"{name}:v1.0.0") == manifest(scanned.released()["reference"])


def test_a_version_that_another_commit_has_is_not_taken_from_it(scanned: Project) -> None:
    prepare(scanned)
    completed(scanned.invoke("push", "sign"))
    name = f"{scanned.registry}/{scanned.image}"
    other = scanned.released()["platforms"][AMD]
    sh("docker", "buildx", "imagetools", "create", f"--tag={name}:v1.0.0", f"{name}@{other}")
    before = manifest(f"{name}:v1.0.0")
    result = scanned.invoke("promote", "v1.0.0")
    assert result.returncode == 5
    assert f"tags of another commit's images: {name}:v1.0.0" in result.stderr
    assert manifest(f"{name}:v1.0.0") == before


def test_a_tag_that_was_moved_is_neither_verified_nor_promoted(scanned: Project) -> None:
    prepare(scanned)
    completed(scanned.invoke("push", "sign"))
    name = f"{scanned.registry}/{scanned.image}"
    amd_only = scanned.released()["platforms"][AMD]
    sh("docker", "buildx", "imagetools", "create", f"--tag={name}:{scanned.tag}",
       f"{name}@{amd_only}")  # fmt: skip
    by_tag = scanned.invoke("verify", f"--reference={name}:{scanned.tag}")
    assert by_tag.returncode == 2
    assert "does not name an image by its digest" in by_tag.stderr
    promoted = scanned.invoke("promote", "v1.0.0")
    assert promoted.returncode == 5
    assert "signature: no signatures found" in promoted.stderr
    assert effectful_commands(promoted) == []
    assert "v1.0.0" not in tags(name)


def test_a_dirty_tree_is_not_pushed(project: Project) -> None:
    (project.folder / "new").touch()
    completed(project.invoke("build", "sbom", "scan"))
    result = project.invoke("push")
    assert result.returncode == 2
    assert f"was not built from commit {project.sha[:12]} without other changes" in result.stderr
    assert effectful_commands(result) == []


def test_another_image_in_place_of_the_archive_is_not_pushed(project: Project, make: Make) -> None:
    other = make(Path(project.environment["PATH"]))
    completed(project.invoke("build"))
    completed(other.invoke("build"))
    shutil.copy(other.archive(), project.archive())
    result = project.invoke("push")
    assert result.returncode == 1
    assert "does not contain the image of its build record" in result.stderr
    assert effectful_commands(result) == []


@pytest.mark.parametrize(("given", "code"), [(b"as promised", 0), (b"otherwise", 1)])
def test_an_archive_with_other_bytes_than_its_image_promises_is_not_pushed(
    given: bytes, code: int, project: Project
) -> None:
    """The first case shows that nothing else is wrong with an archive that is made by hand."""
    forge(project, promised=b"as promised", given=given)
    result = project.invoke("push")
    assert result.returncode == code
    assert ("error: `docker load --quiet …` failed: " in result.stderr) == bool(code)
    assert bool(effectful_commands(result)) != bool(code)


def forge(project: Project, promised: bytes, given: bytes) -> None:
    """Write an archive, and that it was built, where a layer may hold other bytes than promised."""
    name = project.image.encode()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [named(layer(name + promised))]},
    }).encode()  # fmt: skip
    entry = {"Config": "config.json", "RepoTags": [f"local/{project.image}:linux-amd64"],
             "Layers": ["layer.tar"]}  # fmt: skip
    files = {"manifest.json": json.dumps([entry]).encode(), "config.json": config}
    project.documents().mkdir(parents=True)
    project.archive().write_bytes(packed({**files, "layer.tar": layer(name + given)}))
    build = {"image_id": named(config), "commit": project.sha, "clean": True, "bases": {},
             "builder": "", "started": "", "finished": ""}  # fmt: skip
    (project.documents() / "build.json").write_text(json.dumps(build))


def layer(content: bytes) -> bytes:
    return packed({"content": content})


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def named(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_dry_runs_print_the_commands_and_change_nothing(project: Project) -> None:
    dry = [[task, "--dry-run"] for task in ("build", "sbom", "scan", "push")]
    result = completed(project.invoke(*(word for task in dry for word in task)))
    programs = [line.split()[0] for line in result.stdout.splitlines()]
    assert programs == ["docker"] * 2 + ["syft"] + ["trivy"] * 4 + ["docker"] * 4
    assert effectful_commands(result) == []
    assert not (project.folder / "dist").exists()
    assert tags(f"{project.registry}/{project.image}") == []
