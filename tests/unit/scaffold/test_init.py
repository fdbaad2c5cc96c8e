"""`invoke init` makes a copy a product: all of it or nothing, and only once."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.errors import InputError
from pipeline.process import capture
from pipeline.scaffold.branding import MAX_NAME_LENGTH
from pipeline.scaffold.init import init
from tests import settings
from tests.conftest import ROOT

STAGING = {
    "url": "https://staging.example.com",
    "allowed_refs": ["main"],
    "backup_before_migrate": False,
}
SETTINGS = (
    settings.text({"name": "old-name", "environments": {"staging": STAGING}})
    + """
[template]  # what this was copied from
version = "0.1.0"

[template.removable]
kit = []  {mark} kit
shop = ["apps/shop", "parcels.ts"]  {mark} shop
""".format(mark="#")
)  # or this file would lose a line to `invoke init`
FILES = {
    "pipeline.toml": SETTINGS,
    "README.md": "# Old Name\n\n<!-- kit: -->\nCopy this.\n<!-- :kit -->\n## Two commands\n",
    "LICENSE": "MIT License\n\nCopyright (c) 2026 The pipeline kit authors\n\nPermission …\n",
    "CHANGELOG.md": "# Changelog\n\n- a long story\n",
    "frontend/src/lib/product.ts": "export const productName = 'Old Name'\n",
    "apps/shop/models.py": "class Parcel: ...\n",
    "parcels.ts": "export {}\n",
    "settings.py": 'APPS = [\n    "shop",  # shop\n]\n',
}


@pytest.fixture(autouse=True)
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with all that is looked for."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\x00")
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    commit("Copy the template")
    return tmp_path


def git(*arguments: str) -> str:
    person = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgSign=false")
    answer = capture(["git", *person, *arguments])
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", f"--message={message}")


def test_every_place_gets_the_name() -> None:
    init("acme-shop")
    assert load().name == "acme-shop"
    assert Path("README.md").read_text() == "# Acme Shop\n\n## Two commands\n"
    assert "productName = 'Acme Shop'" in Path("frontend/src/lib/product.ts").read_text()
    assert "a long story" not in Path("CHANGELOG.md").read_text()
    assert "Acme Shop" in Path("CHANGELOG.md").read_text()


def test_the_licence_names_both_owners() -> None:
    init("acme-shop")
    mine = "Copyright (c) 2026 The Acme Shop authors\nCopyright (c) 2026 The pipeline kit authors\n"
    assert mine in Path("LICENSE").read_text()


def test_the_template_is_stamped_with_the_commit_that_holds_it() -> None:
    head = git("rev-parse", "HEAD").strip()
    init("acme-shop")
    assert load().template.version == "0.1.0"
    assert load().template.commit == head
    assert "kit" not in load().template.removable


def test_a_domain_takes_the_place_of_the_examples() -> None:
    init("acme-shop", domain="acme.com")
    assert load().environments["staging"].url == "https://staging.acme.com"


DOMAINS = [
    "acme.com",
    "shop.example.com",
    "example.com.au",
    "my-example.com",
    "xn--e1afmkfd.xn--p1ai",
]


@pytest.mark.parametrize("domain", ["example.com", *DOMAINS])
def test_the_same_domain_again_is_nothing_to_do(
    domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    init("acme-shop", domain=domain)
    commit("Take the domain")
    init("acme-shop", domain=domain)
    assert git("status", "--porcelain") == ""
    assert load().environments["staging"].url == f"https://staging.{domain}"
    assert "nothing to do: the product is already named acme-shop" in capsys.readouterr().err


@pytest.mark.parametrize("domain", DOMAINS)
def test_another_domain_afterwards_takes_the_place_of_the_whole_one(domain: str) -> None:
    for each in (domain, "store.org", domain, "store.org"):
        init("acme-shop", domain=each)
        commit("Take the domain")
    assert load().environments["staging"].url == "https://staging.store.org"
    assert domain not in Path("pipeline.toml").read_text()


def test_a_domain_that_has_no_place_is_refused() -> None:
    Path("pipeline.toml").write_text(SETTINGS.replace("example.com", "acme.com"))
    commit("Write it by hand")
    with pytest.raises(InputError, match=r"pipeline\.toml does not contain example\.com"):
        init("acme-shop", domain="store.org")
    init("acme-shop", domain="acme.com")
    commit("Initial commit")
    init("acme-shop", domain="store.org")
    assert load().environments["staging"].url == "https://staging.store.org"


@pytest.mark.parametrize(
    "domain",
    ["acme", "acme.c", "acme.c0m", "-acme.com", "acme-.com", "Acme.com", "пример.рф", "a..com"],
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(InputError, match=f"`--domain={domain}`: lower-case ASCII letters"):
        init("acme-shop", domain=domain)


def test_a_link_is_not_followed() -> None:
    Path("loop").symlink_to("loop")
    Path("missing").symlink_to("gone")
    Path("link.md").symlink_to("README.md")
    commit("Add links")
    init("acme-shop")
    assert Path("link.md").is_symlink()
    assert Path("link.md").read_text() == "# Acme Shop\n\n## Two commands\n"


def test_what_cannot_be_written_leaves_the_copy_as_it_was() -> None:
    """A limit on the size of files is to a program like a full disk."""
    Path("settings.py").write_text(f"# kit  {'#'} kit\n{'x = 1' * 1000}\n")
    commit("Add a large file")
    code = "from pipeline.errors import handle_errors; from pipeline.scaffold.init import init\n"
    code += "with handle_errors(): init('acme-shop', part='shop')"
    command = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", sys.executable, "-c", code]
    answer = capture(command, env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: `")
    assert "cannot be used: File too large" in answer.stderr
    assert git("status", "--porcelain", "--ignored") == ""


def test_a_folder_that_git_does_not_know_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    shutil.rmtree(".git")
    with pytest.raises(InputError, match="fatal: not a git repository"):
        init("acme-shop", dry_run=True)
    git("init", "--quiet")
    with pytest.raises(InputError, match="git tracks no file here") as caught:
        init("acme-shop", dry_run=True)
    assert caught.value.hint == "git add --all && git commit"


def test_a_file_whose_name_is_no_utf_8_is_no_obstacle() -> None:
    Path(os.fsdecode(b"Sin-t\xedtulo.md")).write_text("words\n")
    commit("Add it")
    init("acme-shop")
    assert load().name == "acme-shop"


@pytest.mark.parametrize("dry", [False, True])
def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str], *, dry: bool) -> None:
    init("acme-shop", part="shop", domain="acme.com")
    before = git("diff")
    init("acme-shop", part="shop", domain="acme.com", dry_run=dry)
    assert git("diff") == before
    assert "nothing to do: the product is already named acme-shop" in capsys.readouterr().err


def test_a_product_can_be_renamed_later_and_keeps_its_history() -> None:
    init("acme-shop")
    commit("Initial commit")
    Path("CHANGELOG.md").write_text("# Changelog\n\n- ours\n")
    commit("Change")
    stamp = load().template.commit
    init("acme-store")
    assert load().name == "acme-store"
    assert "- ours" in Path("CHANGELOG.md").read_text()
    assert load().template.commit == stamp
    assert "Acme Shop" not in Path("LICENSE").read_text()


def test_a_part_goes_with_its_folders_its_files_and_its_lines() -> None:
    init("acme-shop", part="shop")
    assert not Path("apps/shop").exists()
    assert not Path("parcels.ts").exists()
    assert Path("settings.py").read_text() == "APPS = [\n]\n"
    assert "shop" not in load().template.removable
    assert Path("picture.png").exists()


def test_a_part_can_go_later() -> None:
    init("acme-shop")
    commit("Initial commit")
    init("acme-shop", part="shop")
    assert not Path("apps/shop").exists()


def test_a_dry_run_prints_a_diff_that_git_can_apply_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    init("acme-shop", part="shop", dry_run=True)
    out = capsys.readouterr().out
    assert git("status", "--porcelain") == ""
    assert capture(["git", "apply", "-"], stdin=out).returncode == 0
    applied = git("add", "--all") + git("diff", "--cached")
    git("reset", "--quiet", "--hard")
    init("acme-shop", part="shop")
    assert git("add", "--all") + git("diff", "--cached") == applied


@pytest.mark.parametrize(
    "name", ["", "Acme", "acme_shop", "1acme", "acme-", "acme--shop", "a" * 21, "acme shop", "é"]
)
def test_a_name_that_will_not_do_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"`--name={name}`: lower-case letters"):
        init(name)
    assert git("status", "--porcelain") == ""


def test_all_that_is_wrong_with_the_arguments_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        init("Acme", part="post", domain="acme")
    for fault in ("`--name=Acme`", "there is no feature `post`", "`--domain=acme`"):
        assert fault in str(caught.value)
    assert caught.value.hint == "invoke init --name=acme-shop; features: shop"


def test_uncommitted_work_is_not_mixed_with_it() -> None:
    Path("settings.py").write_text("APPS = []\n")
    with pytest.raises(InputError, match="there are uncommitted changes"):
        init("acme-shop")
    assert load().name == "old-name"


def test_marks_and_places_that_do_not_fit_are_named_before_anything_is_changed() -> None:
    Path("settings.py").write_text("# shop:\nAPPS = []\n")
    Path("README.md").write_text("Old Name\n")
    commit("Break it")
    with pytest.raises(InputError, match=r"settings\.py:1: `shop:` has no end") as caught:
        init("acme-shop", part="shop")
    assert "README.md has no line like" in str(caught.value)
    assert git("status", "--porcelain") == ""


def test_the_longest_name_fits_every_environment() -> None:
    text = (ROOT / "pipeline.toml").read_text()
    Path("pipeline.toml").write_text(
        re.sub('^name = ".*"', f'name = "{"a" * MAX_NAME_LENGTH}"', text)
    )
    assert load().environments
