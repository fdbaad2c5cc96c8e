"""E of the catalogue: two releases serve at the same time, with each other's data."""

import re
from functools import partial

import pytest

from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, docker
from tests.acceptance.deploy.test_bad_releases import STOPPED, WSGI

WITHOUT_A_FIELD = (
    "def renamed(environ, start, answer=application):",
    "    body = answer(environ, start)",
    '    if not environ["PATH_INFO"].startswith("/api/v1/auth/"): return body',
    '    return [part.replace(b"\\"email\\"", b"\\"liame\\"") for part in body]',
    "application = renamed",
)
OTHER_FORMAT = append_layer("config/environment.py", "CACHE_FORMAT += 1")
STRANGE = append_layer(
    WSGI,
    "from django.core.cache import cache",
    "class Strange: pass",
    'cache.set("readiness", Strange())',
)
ELSEWHERE = "ENV TZ=Pacific/Kiritimati LANG=C LC_ALL=C"
ENTRY = re.compile(r"/assets/(index-[\w-]+)\.js")
OTHER_NAMES = """RUN cd /srv/www && find . -name '*.gz' -delete -o -name '*.br' -delete \\
 && mv assets/{0}.js assets/another-entry.js \\
 && sed -i 's/{0}/another-entry/g' index.html assets/*.js"""


@pytest.mark.fault("E1", "an API without a field that open pages need")
def test_e1_incompatible_api_stops(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, *WITHOUT_A_FIELD))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("E2", "a page that needs the API of its own release")
def test_e2_backend_rolls_before_frontend(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL order=1", frontend="LABEL order=1")
    before = {name: site.desired_images(name) for name in ("backend", "frontend")}
    between = []

    def note(_: object) -> None:
        between.append({name: site.desired_images(name) for name in before})

    case.assert_served(partial(site.deploy_with_event, commit, "roll frontend", note), "smoke done")
    assert not between[0]["backend"] & before["backend"]
    assert before["frontend"] <= between[0]["frontend"]
    assert site.rollback().returncode == 0


@pytest.mark.fault("E3", "an open page whose files the new release lacks")
def test_e3_open_pages_keep_their_assets(site: LiveSite, case: FaultCase) -> None:
    entry = ENTRY.search(site.page())
    assert entry
    commit = site.variants.release("LABEL page=1", frontend=OTHER_NAMES.format(entry[1]))
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert "another-entry" in site.page()
    assert site.ask(entry[0]) == 200
    assert site.ask("/assets/no-such-file.js") == 404
    assert site.rollback().returncode == 0


@pytest.mark.fault("E4", "cached objects that only the new release can read")
def test_e4_releases_have_separate_caches(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(f"{OTHER_FORMAT}\n{STRANGE}")
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    with site.under_traffic_without_failures():
        assert site.rollback().returncode == 0


@pytest.mark.fault("E8", "a base image with another time zone and locale")
def test_e8_other_time_zone_deploys(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(ELSEWHERE)
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    (some, *_) = site.containers("backend")
    assert docker("exec", some, "date", "+%z") == "+1400", "it is another one indeed"
    newest = "SELECT now() - max(created) < interval '1 minute' FROM projects_project;"
    assert site.sql(newest) == "t"
    assert site.rollback().returncode == 0
