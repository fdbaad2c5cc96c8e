"""What can be wrong with a release, each found at its step, while users notice nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.rehearsal.yard import CAREFUL, SHORT
from tests.deploy.conftest import Site
from tests.deploy.variants import appended, docker

WSGI, SETTINGS = "config/wsgi.py", "config/settings/production.py"
STOPPED, MIGRATION, ROLLED_BACK, UNTRUSTED, INPUT = 6, 7, 8, 5, 2

BROKEN = (
    "def broken(environ, start, answer=application):",
    '    if "/health/" in environ["PATH_INFO"]: return answer(environ, start)',
    '    start("500 Internal Server Error", []); return [b""]',
    "application = broken",
)
MIGRATION_FILE = (
    "RUN printf '%s\\n' 'from django.db import migrations' 'def fail(*_): raise RuntimeError(1)' "
    "'class Migration(migrations.Migration):' "
    '\'    dependencies = [("projects", "0001_initial")]\' '
    "'    operations = [migrations.RunPython(fail)]' > apps/projects/migrations/9999_fails.py"
)
FAULTS = {
    "insecure settings": (appended(SETTINGS, "DEBUG = True"), STOPPED, "self-check"),
    "a failing migration": (MIGRATION_FILE, MIGRATION, "migrate"),
    "a crash on boot": ('CMD ["python", "-c", "raise SystemExit(3)"]', STOPPED, "preview"),
    "never healthy": (
        'HEALTHCHECK --interval=1s --start-period=1s --retries=2 CMD ["false"]',
        STOPPED,
        "preview",
    ),
    "healthy, but the api answers 500": (appended(WSGI, *BROKEN), STOPPED, "preview"),
    "the wrong port": ("ENV PORT=9999", STOPPED, "preview"),
}


@pytest.mark.parametrize(("layer", "code", "step"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_before_users_see_it(site: Site, layer: str, code: int, step: str) -> None:
    commit = site.variants.release(layer)
    with site.users() as samples:
        output = site.deploy(commit)
    assert output.returncode == code, output.stderr
    assert f"{step} failed" in output.stderr
    assert {sample.release for sample in samples if sample.release} == {f"sha-{site.first[:12]}"}
    assert site.history()[-1][3] == f"sha-{commit[:12]}"
    assert site.history()[-1][4].startswith(("stopped", "migration failed"))


def leaves(seconds: int) -> str:
    """Return the layer whose server ends by itself after a while."""
    return appended(
        WSGI,
        "import os, signal, threading",
        f"late = threading.Timer({seconds}, os.kill, [os.getpid(), signal.SIGTERM])",
        "os.getppid() == 1 and late.start()",
    )


@contextmanager
def timings(site: Site, given: str) -> Iterator[None]:
    """Have other timings for a while."""
    file = site.yard.folder / "pipeline.toml"
    usual = file.read_text()
    site.yard.commit({"pipeline.toml": usual.replace(SHORT, given)})
    yield
    site.yard.commit({"pipeline.toml": usual})


def test_what_dies_after_twenty_seconds_does_not_outlive_the_preview(site: Site) -> None:
    with timings(site, SHORT.replace("soak = 3", "soak = 30")), site.users():
        commit = site.variants.release(leaves(20))
        output = site.deploy(commit)
    assert output.returncode == STOPPED, output.stderr
    assert "preview failed" in output.stderr
    assert site.history()[-1][4].startswith("stopped")


def test_what_dies_when_users_are_on_it_is_undone_as_a_whole(site: Site) -> None:
    """The first new replica is watched alone for longer than the fault needs to show."""
    with timings(site, CAREFUL), site.users():
        commit = site.variants.release(leaves(10))
        output = site.deploy(commit)
    assert output.returncode == ROLLED_BACK, output.stderr
    assert "put back done" in output.stderr
    assert site.history()[-1][4].startswith("rolled back")


USERS_ONLY = (
    "def partly(environ, start, answer=application, seen=[]):",
    '    if "HTTP_X_PREVIEW" in environ or "/version/" not in environ["PATH_INFO"]:',
    "        return answer(environ, start)",
    "    seen.append(1)",
    "    if len(seen) % 2: return answer(environ, start)",
    '    start("500 Internal Server Error", []); return [b""]',
    "application = partly",
)


def test_errors_that_nobody_but_users_can_see_are_undone(site: Site) -> None:
    commit = site.variants.release(appended(WSGI, *USERS_ONLY))
    with site.watched() as samples:
        output = site.deploy(commit)
        restored = time.time()
        time.sleep(5)
    assert output.returncode == ROLLED_BACK, output.stderr
    assert "requests of users failed since the roll began" in output.stderr
    assert {sample.kind for sample in samples if sample.failed} <= {"get", "slow"}
    assert [sample for sample in samples if sample.failed and sample.began > restored] == []


def test_an_unsigned_image_is_refused(site: Site) -> None:
    before = site.history()
    commit = site.variants.release("LABEL unsigned=1", sign=False)
    output = site.deploy(commit)
    assert output.returncode == UNTRUSTED
    assert "signature" in output.stderr
    assert site.history() == before


def test_a_commit_s_tag_that_was_moved_is_refused(site: Site) -> None:
    before = site.history()
    commit = site.variants.release("LABEL moved=1", sign=False)
    registry = site.yard.variables["IMAGES_REGISTRY"]
    for image in ("backend", "frontend"):
        name = f"{registry}/{image}"
        moved, signed = f"{name}:sha-{commit[:12]}", f"{name}:sha-{site.first[:12]}"
        docker("buildx", "imagetools", "create", f"--tag={moved}", signed)
    output = site.deploy(commit)
    assert output.returncode == UNTRUSTED
    assert "signature" in output.stderr  # it is signed, but as another commit
    assert site.history() == before


def test_a_version_that_was_moved_is_refused(site: Site) -> None:
    before = site.history()
    commit = site.variants.release("LABEL version=1")
    site.yard.git("tag", "v9.9.9", commit)
    name = f"{site.yard.variables['IMAGES_REGISTRY']}/backend"
    docker(
        "buildx", "imagetools", "create", f"--tag={name}:v9.9.9", f"{name}:sha-{site.first[:12]}"
    )
    output = site.deploy("v9.9.9")
    assert output.returncode == UNTRUSTED
    assert f"taken by another commit's images: {name}:v9.9.9" in output.stderr
    assert site.history() == before


def test_what_has_not_served_in_staging_does_not_reach_production(site: Site) -> None:
    commit = site.variants.release("LABEL unproved=1")
    output = site.yard.invoke("deploy", "--env=production", "--yes", f"--release={commit}")
    assert output.returncode == UNTRUSTED
    assert "has not served in staging" in output.stderr
    services = docker("service", "ls", "--format={{.Name}}").split()
    assert not [name for name in services if name.startswith(site.yard.stack("production"))]


def test_a_missing_secret_is_named_and_its_value_never_printed(site: Site) -> None:
    before = site.history()
    output = site.deploy(site.first, DJANGO_SECRET_KEY="", PREVIEW_TOKEN="")
    assert output.returncode == INPUT
    assert "DJANGO_SECRET_KEY, PREVIEW_TOKEN" in output.stderr
    assert site.yard.variables["POSTGRES_PASSWORD"] not in output.stderr + output.stdout
    assert site.history() == before


def test_what_is_live_already_is_left_alone(site: Site) -> None:
    before = site.history()
    output = site.deploy(site.first)
    assert output.returncode == 0
    assert "is live already" in output.stderr
    assert site.history() == before
