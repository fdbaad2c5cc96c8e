"""What can be wrong with a release, each found at its step, while users notice nothing."""

import pytest

from pipeline.rehearsal.yard import CAREFUL, SHORT
from tests.deploy.conftest import Site
from tests.deploy.variants import appended

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


LEAVES = (
    "import os, signal, threading",
    "late = threading.Timer(10, os.kill, [os.getpid(), signal.SIGTERM])",
    "os.getppid() == 1 and late.start()",
)


def test_what_dies_when_users_are_on_it_is_undone_as_a_whole(site: Site) -> None:
    """The first new replica is watched alone for longer than the fault needs to show."""
    file = site.yard.folder / "pipeline.toml"
    usual = file.read_text()
    site.yard.commit({"pipeline.toml": usual.replace(SHORT, CAREFUL)})
    commit = site.variants.release(appended(WSGI, *LEAVES))
    with site.users():
        output = site.deploy(commit)
    site.yard.commit({"pipeline.toml": usual})
    assert output.returncode == ROLLED_BACK, output.stderr
    assert "put back done" in output.stderr
    assert site.history()[-1][4].startswith("rolled back")


def test_an_unsigned_image_is_refused(site: Site) -> None:
    before = site.history()
    commit = site.variants.release("LABEL unsigned=1", sign=False)
    output = site.deploy(commit)
    assert output.returncode == UNTRUSTED
    assert "signature" in output.stderr
    assert site.history() == before


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
