"""G of the catalogue: a site that does not serve, and how a deploy ends the outage."""

import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline.errors import OutageError
from pipeline.process import CommandResult
from pipeline.rehearsal.workspace import CAUTIOUS_TIMINGS, FAST_TIMINGS
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, docker, migration_layer
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK, STOPPED, USERS_END_IT, WSGI
from tests.acceptance.deploy.test_migrations import COLUMN, MIGRATION, marked
from tests.acceptance.deploy.test_preflight import FAILED, INPUT
from tests.waiting import until

MANY = 100_000  # allowed failed requests of a site that is down
THIRD_PARTY = (
    "from django.db import connection",
    "def dependent(environ, start, answer=application):",
    "    with connection.cursor() as cursor:",
    '        cursor.execute("SELECT to_regclass(%s) IS NULL", ["gone"])',
    '        if cursor.fetchone()[0] or "{}" not in environ["PATH_INFO"]:',
    "            return answer(environ, start)",
    '    start("500 Internal Server Error", []); return [b""]',
    "application = dependent",
)
"""A server that fails for some paths as soon as the database has a table `gone`."""


def dependent(path: str) -> str:
    """Return a layer whose server fails for a path after the table `gone` exists."""
    return append_layer(WSGI, *(line.replace("{}", path) for line in THIRD_PARTY))


@pytest.fixture
def fragile(site: LiveSite) -> Iterator[LiveSite]:
    """A site whose live release fails its health check as soon as the table `gone` exists."""
    assert site.deploy(site.variants.release(dependent("/"))).returncode == 0
    yield site
    site.sql("DROP TABLE IF EXISTS gone;")


def after_outage(site: LiveSite, act: Callable[[], CommandResult]) -> CommandResult:
    """Stop all replicas of the live release under traffic; then act."""
    site.sql("CREATE TABLE gone();")
    until(lambda: not site.containers("backend"), "the replicas are not ended")
    return act()


@pytest.mark.fault("G1", "a live release whose replicas all exited: rollback")
def test_g1_rollback_ends_outage(fragile: LiveSite, case: FaultCase) -> None:
    act = partial(after_outage, fragile, fragile.rollback)
    stderr = case.assert_served(act, "smoke done", failures=MANY)
    assert "this deploy ends an outage" in stderr


@pytest.mark.fault("G2", "a live release whose replicas all exited: deploy of a fix")
def test_g2_deploy_ends_outage(fragile: LiveSite, case: FaultCase) -> None:
    commit = fragile.variants.release("LABEL fix=1")
    act = partial(after_outage, fragile, partial(fragile.deploy, commit))
    case.assert_served(act, "smoke done", failures=MANY)
    assert fragile.rollback(f"--to=sha-{fragile.first[:12]}").returncode == 0


@pytest.mark.fault(
    "G3", "a live release whose replicas all exited, and a fix that exits under traffic"
)
def test_g3_failed_fix_starts_last_good_release(fragile: LiveSite, case: FaultCase) -> None:
    with fragile.with_config(FAST_TIMINGS, CAUTIOUS_TIMINGS):
        commit = fragile.variants.release(USERS_END_IT)
        act = partial(after_outage, fragile, partial(fragile.deploy, commit))
        stderr = case.assert_served(act, "did not serve before", codes={ROLLED_BACK}, failures=MANY)
    assert f"sha-{fragile.first[:12]} serves instead" in stderr


@pytest.mark.fault("G4", "a live release that runs and is not ready any more")
def test_g4_unready_release_is_replaced(site: LiveSite, case: FaultCase) -> None:
    layer = dependent("/api/v1/health/ready")
    assert site.deploy(site.variants.release(layer)).returncode == 0
    site.sql("CREATE TABLE gone();")
    try:
        case.assert_served(lambda: site.deploy(site.first), "smoke done", failures=MANY)
    finally:
        site.sql("DROP TABLE gone;")


@pytest.mark.fault("G5", "a missing Redis")
def test_g5_missing_redis_is_an_outage(site: LiveSite, case: FaultCase) -> None:
    redis = site.service("redis")

    def act() -> CommandResult:
        docker("service", "scale", "--detach", f"{redis}=0")
        until(lambda: site.ask("/api/v1/health/ready/") == 503, "the site is ready still")
        found = site.sandbox.invoke("status", "--env=staging")
        assert found.returncode == OutageError.exit_code, found.stdout
        assert "redis has 0 of 1 replicas" in found.stdout
        assert "users cannot open the site" in found.stdout
        assert site.sandbox.invoke("doctor", "--env=staging").returncode == 1
        return site.deploy(site.first)  # the live release: the deploy starts Redis again

    case.assert_served(act, "smoke done", failures=MANY)


BROKEN_PART = (
    "def partly(environ, start, answer=application):",
    '    if "/rare/" not in environ["PATH_INFO"]: return answer(environ, start)',
    '    start("500 Internal Server Error", []); return [b""]',
    "application = partly",
)


@pytest.mark.fault("G6", "an endpoint that fails for all users, with few requests")
def test_g6_rare_endpoint_errors_roll_back(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, *BROKEN_PART))
    with requests_for(site, "/api/v1/rare/"):
        at = "requests for /api/v1/rare failed since the roll began"
        case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at=at)


@contextmanager
def requests_for(site: LiveSite, path: str) -> Iterator[None]:
    """Request a path twice a second inside the block."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.5):
            site.ask(path)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.fault("G7", "another secret key, in one step")
def test_g7_logging_users_out_stops(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL key=1")
    key = {"DJANGO_SECRET_KEY": secrets.token_urlsafe(60)}
    at = "users would be logged out"
    stderr = case.assert_caught(lambda: site.deploy(commit, **key), code=STOPPED, at=at)
    assert "preview failed" in stderr


@pytest.mark.fault("G8", "a page without a file that it loads later")
def test_g8_missing_lazy_asset_stops(site: LiveSite, case: FaultCase) -> None:
    gone = "RUN sed -i s,assets/form-,assets/gone-, /srv/www/asset-manifest.json"
    commit = site.variants.release(frontend=gone)
    stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert "GET /assets/gone-" in stderr


@pytest.mark.fault("G9", "an index that cannot be created and stays invalid")
def test_g9_invalid_index_blocks_deploys(site: LiveSite, case: FaultCase) -> None:
    site.sql("CREATE TABLE twins AS SELECT 1 AS one FROM generate_series(1, 2);")
    index = 'migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY twin ON twins (one)", "SELECT 1")'
    layer = migration_layer("9992_index", index)
    commit = site.variants.release(layer.replace("    oper", "    atomic = False\n    oper"))
    try:
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")
        again = site.deploy(commit)
        assert again.returncode == STOPPED, again.stderr
        assert "is invalid: DROP INDEX CONCURRENTLY twin" in again.stderr
    finally:
        site.sql("DROP TABLE twins;")


LOST = (
    "import pathlib, psycopg",
    'url = pathlib.Path("/run/secrets/DATABASE_URL").read_text().strip()',
    "with psycopg.connect(url) as third:",
    '    if third.execute("SELECT to_regclass($$gone$$)").fetchone()[0]:',
    '        raise SystemExit("what the settings need is gone")',
)
"""Settings that cannot be loaded as soon as the database has a table `gone`."""
SETTINGS = "config/settings/production.py"


def breakable(*layers: str) -> str:
    """Return the layers of a release whose containers and commands fail once `gone` exists."""
    return "\n".join([dependent("/"), append_layer(SETTINGS, *LOST), *layers])


@contextmanager
def broken_later(site: LiveSite, *layers: str) -> Iterator[None]:
    """Deploy such a release inside the block."""
    assert site.deploy(site.variants.release(breakable(*layers))).returncode == 0
    try:
        yield
    finally:
        site.sql("DROP TABLE IF EXISTS gone;")


@pytest.mark.fault("G10", "a live release whose image runs no command: rollback over a migration")
def test_g10_rollback_from_broken_image(site: LiveSite, case: FaultCase) -> None:
    with broken_later(site, migration_layer("9980_adds", COLUMN.format("adds"))):
        act = partial(after_outage, site, site.rollback)
        stderr = case.assert_served(act, "smoke done", failures=MANY)
    assert "cannot report its contract migrations" in stderr
    assert_inconclusive(stderr, "projects.9980_adds")


def assert_inconclusive(stderr: str, migration: str) -> None:
    """Check that a rollback reports a migration as inconclusive."""
    assert re.search(
        rf"inconclusive: whether older code is compatible with .*{re.escape(migration)}", stderr
    )


@pytest.mark.fault(
    "G11", "a broken image, and a good release that knows an earlier contract migration"
)
def test_g11_other_release_reports_contract(site: LiveSite, case: FaultCase) -> None:
    both = f'{COLUMN.format("brief")}, migrations.RemoveField("project", "brief")'
    contract = marked(migration_layer("9979_contract", both))
    between = site.variants.release(contract)
    assert site.deploy(between).returncode == 0

    def back() -> CommandResult:
        refused = site.rollback(f"--to=sha-{site.first[:12]}")
        assert site.rollback(f"--to=sha-{between[:12]}").returncode == 0
        return refused

    with broken_later(site, contract):
        at = "cannot roll back over projects.9979_contract"
        act = partial(after_outage, site, back)
        case.assert_served(act, at, codes={INPUT}, failures=MANY)
    site.sql("DELETE FROM django_migrations WHERE name = '9979_contract';")
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0


@pytest.mark.fault("G12", "a live release whose image was deleted from registry and engine")
def test_g12_rollback_from_deleted_image(site: LiveSite, case: FaultCase) -> None:
    """The engine restores an image from its layers as long as a container uses them."""
    commit = site.variants.release(migration_layer("9978_adds", COLUMN.format("adds_more")))
    assert site.deploy(commit).returncode == 0
    site.delete_local_image(commit)
    site.delete_manifest(site.image(commit))
    assert "inconclusive" not in case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("G13", "a rollback to a release whose image was deleted everywhere")
def test_g13_rollback_to_deleted_image_is_refused(site: LiveSite, case: FaultCase) -> None:
    older, newer = (site.variants.release(f"LABEL step={step}") for step in ("1", "2"))
    for commit in (older, newer):
        assert site.deploy(commit).returncode == 0
    site.delete_local_image(older)
    site.delete_manifest(site.image(older))
    stderr = case.assert_caught(site.rollback, code=FAILED, at="cannot run here")
    assert "the registry has no" in stderr
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0


@pytest.mark.fault("G14", "a live release whose image runs no command: deploy of a fix")
def test_g14_deploy_from_broken_image(site: LiveSite, case: FaultCase) -> None:
    def fix() -> CommandResult:
        return site.deploy(site.variants.release("LABEL fix=2"))

    with broken_later(site, migration_layer("9977_adds", COLUMN.format("adds_last"))):
        case.assert_served(partial(after_outage, site, fix), "smoke done", failures=MANY)
    assert site.rollback(f"--to=sha-{site.first[:12]}").returncode == 0
