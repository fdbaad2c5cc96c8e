"""Rules for the security of jobs and steps."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from pipeline.errors import InputError
from pipeline.github.matrix import Row
from pipeline.github.model import Job, substitute_matrix
from pipeline.github.schema import as_mapping, line_of
from pipeline.parity.repository import Repository
from pipeline.parity.rule import Violation, rule

_PINNED = re.compile(r"(?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40})")
_VERSION = re.compile(r"# v\d+(\.\d+)*$")
_CHECKOUT = "actions/checkout"
_UPLOAD = "actions/upload-artifact"
_DAYS = range(1, 91)  # https://docs.github.com/actions/reference/limits
_CHECKOUT_OPTIONS = ("fetch-depth", "persist-credentials")  # others say what to take, or where to


@rule(hint="timeout-minutes, from 1 to the bound in pipeline.toml")
def timeout_is_set(tree: Repository) -> Iterator[Violation]:
    """Every job has a `timeout-minutes` within the limit of pipeline.toml."""
    bound = tree.settings.parity.max_timeout_minutes
    for job in tree.jobs_with_steps:
        minutes = job.content.get("timeout-minutes")
        if not isinstance(minutes, int) or not 0 < minutes <= bound:
            line = job.line_of_key("timeout-minutes")
            yield Violation(job.path, line, f"job `{job.id}` has no limit within {bound} minutes")


@rule(hint="one of parity.runners in pipeline.toml; labels such as ubuntu-latest move")
def runner_is_pinned(tree: Repository) -> Iterator[Violation]:
    """Every job runs on a runner that pipeline.toml lists."""
    for job in tree.jobs_with_steps:
        for runner in sorted(
            {substitute_matrix(job.content.get("runs-on"), row) for row in _rows(job)}
        ):
            if runner not in tree.settings.parity.runners:
                yield Violation(
                    job.path, job.line_of_key("runs-on"), f"job `{job.id}` runs on `{runner}`"
                )


@rule(hint="remove it: a check that may fail is not a check")
def no_continue_on_error(tree: Repository) -> Iterator[Violation]:
    """No job or step has `continue-on-error`: such a gate cannot fail."""
    for job in tree.jobs:
        if "continue-on-error" in job.content:
            yield Violation(
                job.path,
                job.line_of_key("continue-on-error"),
                f"job `{job.id}` has continue-on-error",
            )
    for step in tree.steps:
        if "continue-on-error" in step.content:
            yield Violation(step.path, step.line, "a step has continue-on-error")


@rule(hint="start it in the session: python -m pipeline.services")
def no_services(tree: Repository) -> Iterator[Violation]:
    """No job declares services: a laptop would not have them."""
    for job in tree.jobs:
        if "services" in job.content:
            yield Violation(
                job.path, job.line_of_key("services"), f"job `{job.id}` declares services"
            )


@rule(hint="pass the value by env")
def no_expression_in_run(tree: Repository) -> Iterator[Violation]:
    """No `run` contains an expression, which could inject shell commands."""
    for step in tree.steps:
        if "${{" in str(step.content.get("run", "")):
            yield Violation(step.path, step.line, "`run` contains an expression")


@rule(hint="uses: OWNER/NAME@FULL-COMMIT # vX.Y.Z")
def action_is_pinned(tree: Repository) -> Iterator[Violation]:
    """Every action is pinned to a full commit, with its version in a comment."""
    for step in tree.steps:
        uses = str(step.content.get("uses", ""))
        if not uses or step.folder:
            continue
        if not _PINNED.fullmatch(uses):
            yield Violation(step.path, step.line, f"`{uses}` is not pinned to a commit")
        elif not all(_VERSION.search(line) for line in step.text.splitlines() if uses in line):
            yield Violation(step.path, step.line, f"`{uses}` has no version in a comment")


@rule(hint="pin all of them to one commit")
def action_has_one_pin(tree: Repository) -> Iterator[Violation]:
    """One action has one pin in all files."""
    pins = defaultdict(set)
    found = [(step, _PINNED.fullmatch(str(step.content.get("uses", "")))) for step in tree.steps]
    for _, match in found:
        if match:
            pins[_repository(match)].add(match["commit"])
    for step, match in found:
        if match and len(pins[_repository(match)]) > 1:
            yield Violation(step.path, step.line, f"`{match['action']}` has several pins")


@rule(hint="write the version of the commit in a comment at each pin")
def pin_has_one_version(tree: Repository) -> Iterator[Violation]:
    """One pin has one version comment in all files: a second one is wrong."""
    found = [pin for text in tree.texts.items() for pin in _pins(*text)]
    versions = defaultdict(set)
    for _, _, pin, version in found:
        versions[pin].add(version)
    for path, line, pin, version in found:
        if len(versions[pin]) > 1:
            yield Violation(
                path, line, f"`{pin}` has the version {version} here, and another one elsewhere"
            )


@rule(hint="with: persist-credentials: false")
def checkout_drops_credentials(tree: Repository) -> Iterator[Violation]:
    """A checkout leaves no token for later steps."""
    for step in tree.steps:
        if step.action == _CHECKOUT:
            keeps = as_mapping(step.content.get("with")).get("persist-credentials")
            if keeps is not False:
                yield Violation(step.path, step.line, "the checkout keeps its token")


@rule(hint=f"remove it: a checkout may set {' and '.join(_CHECKOUT_OPTIONS)} only")
def checkout_takes_the_change(tree: Repository) -> Iterator[Violation]:
    """A checkout takes the commit of the run, whole, and in the default folder."""
    for step in tree.steps:
        given = as_mapping(step.content.get("with")) if step.action == _CHECKOUT else {}
        for key in sorted({*given} - {*_CHECKOUT_OPTIONS}):
            yield Violation(step.path, line_of(given, key, step.line), f"the checkout sets {key}")


@rule(hint=f"with: retention-days, from 1 to {_DAYS[-1]}")
def artifact_has_its_days(tree: Repository) -> Iterator[Violation]:
    """Every artifact sets `retention-days`: a repository's default may be anything."""
    for step in tree.steps:
        days = as_mapping(step.content.get("with")).get("retention-days")
        if step.action == _UPLOAD and (type(days) is not int or days not in _DAYS):
            yield Violation(step.path, step.line, "an artifact has no retention-days")


@rule(hint="name it as its job, and each row by the matrix or ${{ strategy.job-index }}")
def artifact_has_its_own_name(tree: Repository) -> Iterator[Violation]:
    """No two artifacts of a run have the same name: the second upload fails."""
    uploads = [
        (job, step, str(as_mapping(step.get("with")).get("name", "artifact")))
        for job in tree.jobs_with_steps
        for step in job.steps
        if str(step.get("uses", "")).startswith(f"{_UPLOAD}@")
    ]
    names = Counter(name for _, _, name in uploads)
    for job, step, name in uploads:
        if names[name] > 1 or ("strategy" in job.content and "${{" not in name):
            yield Violation(
                job.path, line_of(step, "with", job.line), f"`{name}` is uploaded twice"
            )


@rule(hint="first actions/checkout, then ./.github/actions/setup")
def setup_comes_first(tree: Repository) -> Iterator[Violation]:
    """Every job begins with the checkout and the setup action."""
    for job in tree.jobs_with_steps:
        uses = [str(step.get("uses", "")) for step in job.steps]
        starts = [use.partition("@")[0].replace("$/", "./") for use in uses[:2]]
        if starts != [_CHECKOUT, "./.github/actions/setup"]:
            yield Violation(
                job.path,
                job.line_of_key("steps"),
                f"job `{job.id}` does not begin with checkout and setup",
            )


def _pins(path: str, text: str) -> Iterator[tuple[str, int, str, str]]:
    """Yield the line of each pin, its repository with the commit, and its version comment."""
    for line, content in enumerate(text.splitlines(), start=1):
        pin, version = _PINNED.search(content), _VERSION.search(content)
        if pin and version:
            yield path, line, f"{_repository(pin)}@{pin['commit']}", version[0].lstrip("# ")


def _rows(job: Job) -> list[Row]:
    """Return the rows of a job's matrix, if they are literal; another rule checks that."""
    try:
        return job.rows
    except InputError:
        return [{}]


def _repository(match: re.Match[str]) -> str:
    """Return the repository of an action; its sub-actions share it, and its commits."""
    return "/".join(match["action"].split("/")[:2])
