"""Images of removed releases are deleted; images in use stay, of any age."""

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.rollout import cleanup
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.cleanup import clean_up, prune_releases
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import KEPT_RELEASES, SUCCEEDED
from tests.conftest import ROOT, Result
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
LABEL = "--label=pipeline.stack={}"


def deployed(engine: FakeSwarm, numbers: range, stack: str = "shop") -> None:
    for number in numbers:
        known = journal.entries(engine, stack)
        entry = new_record(
            make_release(number), render_services(STAGING, make_release(number)), known, "deploy"
        )
        journal.record_start(engine, stack, entry)
        journal.record_end(engine, stack, entry, SUCCEEDED)


def removed(engine: FakeSwarm) -> list[str]:
    return [words.removeprefix("image rm ") for words in engine.requested if "image rm" in words]


def pulled(engine: FakeSwarm, *images: str) -> None:
    """Have images on the engine that are older than those of all kept releases."""
    engine.facts["image"] = "\n".join([*images, "ghcr.io/octo/shop/backend@<none>"])


def image(number: int, name: str = "backend") -> str:
    return make_release(number).images[name]


def test_nothing_is_removed_while_there_are_few(engine: FakeSwarm) -> None:
    deployed(engine, range(1, KEPT_RELEASES + 1))
    engine.requested.clear()
    prune_releases(DeployTarget(STAGING, engine))
    removed = [words for words in engine.requested if "rm" in words]
    assert removed == ["service rm shop-sessions"] * 2, "before the job, and after it"
    assert [*engine.options] == ["shop-sessions"]


def test_sessions_that_have_expired_are_removed_by_what_serves(engine: FakeSwarm) -> None:
    deployed(engine, range(1, 3))
    prune_releases(DeployTarget(STAGING, engine))
    assert engine.options["shop-sessions"][-3:] == (image(2), "manage.py", "clearsessions")


def test_old_images_go_and_those_of_kept_releases_stay(engine: FakeSwarm) -> None:
    deployed(engine, range(1, KEPT_RELEASES + 3))
    pulled(engine, image(1), image(2), image(3), image(KEPT_RELEASES + 2))
    prune_releases(DeployTarget(STAGING, engine))
    assert {*removed(engine)} == {image(1), image(2)}


def test_what_another_environment_may_go_back_to_stays(engine: FakeSwarm) -> None:
    deployed(engine, range(1, 3), "other-stack")
    deployed(engine, range(1, KEPT_RELEASES + 3))
    pulled(engine, image(1), image(2))
    prune_releases(DeployTarget(STAGING, engine))
    assert removed(engine) == []
    assert len(journal.entries(engine, "other-stack")) == 2


def test_what_runs_stays_though_no_journal_knows_it(engine: FakeSwarm) -> None:
    engine.start_service("shop_edge", image(1, "frontend"), [], 1, "running")
    deployed(engine, range(1, KEPT_RELEASES + 2))
    pulled(engine, image(1, "frontend"), image(1))
    prune_releases(DeployTarget(STAGING, engine))
    assert {*removed(engine)} == {image(1)}


def test_secrets_that_no_kept_release_names_go_and_only_this_stack_s_own(engine: FakeSwarm) -> None:
    kept = "shop-database_url-01234567"  # of each release
    mounted = "shop-tls_key-89abcdef"
    mine = [kept, mounted, "shop-old-0000000a", "shop-unhashed"]
    for name in mine:
        engine.run("secret", "create", LABEL.format("shop"), name, "-")
    engine.run("secret", "create", LABEL.format("other"), "other-old-0000000a", "-")
    engine.run("config", "create", LABEL.format("shop"), "shop-edge-0000000a", "-")
    engine.start_service("shop_edge", "edge", [], 1, "running")
    container = engine.objects("service")["shop_edge"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Secrets"] = [{"SecretName": mounted}]
    deployed(engine, range(1, KEPT_RELEASES + 2))
    prune_releases(DeployTarget(STAGING, engine))
    assert sorted(engine.objects("secret")) == sorted(
        [kept, mounted, "other-old-0000000a", "shop-unhashed"]
    )
    assert "shop-edge-0000000a" not in engine.objects("config")


def test_the_pages_of_kept_releases_are_named_to_whoever_removes_assets(engine: FakeSwarm) -> None:
    deployed(engine, range(1, KEPT_RELEASES + 2))
    prune_releases(DeployTarget(STAGING, engine))
    pages = [f"{number:064}" for number in range(2, KEPT_RELEASES + 2)]
    assert list(engine.options["shop-prune"][-KEPT_RELEASES:]) == pages


def test_without_a_journal_nothing_is_done(engine: FakeSwarm) -> None:
    prune_releases(DeployTarget(STAGING, engine))
    assert not engine.options


@pytest.mark.parametrize(("name", "job"), [("frontend", "prune"), ("backend", "sessions")])
def test_a_fault_is_said_and_nothing_else(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str], name: str, job: str
) -> None:
    deployed(engine, range(1, KEPT_RELEASES + 2))
    engine.ends[image(KEPT_RELEASES + 1, name)] = "failed"
    clean_up(DeployTarget(STAGING, engine))
    output = "cleanup incomplete, the next deployment continues it: "
    assert f"{output}shop-{job}: " in capsys.readouterr().err
    assert "shop-lock" not in engine.objects("config")


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("shop-tls_key-0123abcd", True),
        ("shop-next-tls_key-0123abcd", True),
        ("shopper-tls_key-0123abcd", False),
        ("shop-tls_key", False),
        ("shop-0123abcd", False),
    ],
)
def test_a_name_is_this_stack_s_if_it_says_so(name: str, *, hashed: bool) -> None:
    assert cleanup.is_content_addressed(name, "shop") is hashed


class Volume:
    """The volume of assets, and what the scripts do in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page = folder / "www" / "assets"
        self.published = folder / "published"
        self.page.mkdir(parents=True)
        self.published.mkdir()

    def run(self, script: str, *given: str, **received: str) -> Result:
        text = (ROOT / "deploy" / script).read_text()
        text = text.replace("/published", f"{self.published}")
        text = text.replace("/srv/www", f"{self.page.parent}")
        command = ["sh", "-euc", text, script, *given]
        env = {**os.environ, **received}
        return subprocess.run(command, check=False, capture_output=True, text=True, env=env)

    def publish(self, name: str, *files: str) -> None:
        for old in self.page.iterdir():
            old.unlink()
        for file in files:
            (self.page / file).write_text(file)
        published = self.run("publish.sh", name)
        assert published.returncode == 0, published.stderr

    @property
    def assets(self) -> list[str]:
        return sorted(path.name for path in (self.published / "assets").iterdir())


def test_files_that_only_old_pages_have_are_removed(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.publish("first", "a-1.js", "logo.svg")
    volume.publish("second", "a-2.js", "logo.svg")
    volume.publish("third", "a 3.js")
    pruned = volume.run("prune.sh", "second", "third")
    assert pruned.returncode == 0, pruned.stderr
    assert volume.assets == ["a 3.js", "a-2.js", "logo.svg"]
    assert volume.run("prune.sh", "third").returncode == 0
    assert volume.assets == ["a 3.js"]


def test_a_file_that_is_published_already_stays_what_it_is(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.publish("first", "a-1.js")
    before = (volume.published / "assets" / "a-1.js").stat().st_mtime_ns
    volume.publish("second", "a-1.js")
    assert (volume.published / "assets" / "a-1.js").stat().st_mtime_ns == before


def test_publishing_that_was_ended_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    (volume.page / "icons").mkdir()
    (volume.page / "icons" / "a.svg").write_text("whole")
    program = tmp_path / "bin" / "cp"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n/bin/cp "$@"\nfor to; do :; done\n'
        'find "$to" -type f -exec truncate -s 1 {} +\nexit 1\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    assert volume.run("publish.sh", "first", PATH=path).returncode != 0
    assert not (volume.published / "assets").exists()
    assert volume.run("publish.sh", "first").returncode == 0
    assert (volume.published / "assets" / "icons" / "a.svg").read_text() == "whole"
    assert {each.name for each in volume.published.iterdir()} == {"assets", "pages"}


def test_what_ended_publishing_left_is_removed(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.publish("first", "a-1.js")
    (volume.published / "new-second").mkdir()
    assert volume.run("prune.sh", "first").returncode == 0
    assert {each.name for each in volume.published.iterdir()} == {"assets", "pages"}


def test_nothing_goes_where_a_kept_page_has_no_list(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.publish("first", "a-1.js")
    assert volume.run("prune.sh", "second").returncode != 0
    assert volume.assets == ["a-1.js"]
