"""Rules for permissions and secrets."""

import re
from collections.abc import Iterator, Mapping

from pipeline.github.model import Job
from pipeline.github.schema import as_mapping
from pipeline.parity.repository import Repository
from pipeline.parity.rule import Violation, rule
from pipeline.parity.rules.calls import ON_PUSH, reachable_from_pull_request
from pipeline.parity.rules.gates import strip_expression

_LEVELS = {"none": 0, "read": 1, "write": 2}
_SECRET = re.compile(r"\bsecrets\s*(?:\.\s*(\w+)|\[)")
_ONLY_ON_PUSH = re.compile(re.escape(ON_PUSH) + r" && secrets\.\w+ \|\| ''")


@rule(hint="permissions: {} at the top, and what a job needs in the job")
def workflow_has_no_permissions(tree: Repository) -> Iterator[Violation]:
    """A workflow as a whole grants no permissions."""
    for workflow in tree.workflows.values():
        if workflow.content.get("permissions") != {}:
            line = workflow.at("permissions")
            yield Violation(workflow.path, line, "the file as a whole has permissions")


@rule(hint="permissions, scope by scope: read, write or none")
def job_declares_permissions(tree: Repository) -> Iterator[Violation]:
    """Every job, and every call, lists its permissions."""
    for job in tree.jobs:
        granted = job.content.get("permissions")
        if not isinstance(granted, dict) or not {*map(str, granted.values())} <= {*_LEVELS}:
            line = job.line_of_key("permissions")
            yield Violation(job.path, line, f"job `{job.id}` does not name its permissions")


@rule(hint="list it in [parity.write_permissions] of pipeline.toml, or remove it")
def write_permission_is_allowed(tree: Repository) -> Iterator[Violation]:
    """A job has only the write permissions that pipeline.toml lists for it."""
    listed = tree.settings.parity.write_permissions
    for job in tree.jobs_with_steps:
        for scope, level in _rights(job).items():
            if level == _LEVELS["write"] and scope not in listed.get(job.id, []):
                line = job.line_of_key("permissions", scope)
                yield Violation(job.path, line, f"job `{job.id}` may write {scope}")


@rule(hint="grant in the call exactly what the jobs of the workflow need")
def call_grants_exact_permissions(tree: Repository) -> Iterator[Violation]:
    """A call grants exactly the union of the permissions of its jobs."""
    for call in tree.jobs:
        called = tree.workflows.get(call.called_workflow or "")
        if called is None:
            continue
        needed: dict[str, int] = {}
        for job in called.jobs.values():  # GitHub compares before it evaluates any `if`
            for scope, level in _rights(job).items():
                needed[scope] = max(level, needed.get(scope, 0))
        granted = _rights(call)
        for scope in sorted({*needed, *granted}):
            if needed.get(scope, 0) != granted.get(scope, 0):
                line = call.line_of_key("permissions", scope)
                yield Violation(
                    call.path,
                    line,
                    f"call `{call.id}` grants other permissions than needed: {scope}",
                )


@rule(hint="pass each secret by its name")
def no_inherited_secrets(tree: Repository) -> Iterator[Violation]:
    """No call passes all secrets."""
    for job in tree.jobs:
        if isinstance(job.content.get("secrets"), str):
            yield Violation(
                job.path, job.line_of_key("secrets"), f"call `{job.id}` passes all secrets"
            )


@rule(hint="list it in [secrets] or [parity.secrets] of pipeline.toml, or remove it")
def secret_is_allowed(tree: Repository) -> Iterator[Violation]:
    """A job reads only the secrets that pipeline.toml lists for it."""
    listed = tree.settings.job_secrets
    for job in tree.jobs_with_steps:
        for name in referenced_secrets(job.content):
            if name not in listed.get(job.id, []):
                yield Violation(
                    job.path, job.line, f"job `{job.id}` reads the secret {name or '?'}"
                )
    for workflow in tree.workflows.values():
        if referenced_secrets(workflow.content.get("env")):
            yield Violation(workflow.path, workflow.at("env"), "all jobs of the file read a secret")


@rule(hint=f"pass ${{{{ {ON_PUSH} && secrets.NAME || '' }}}}")
def pull_request_gets_no_secrets(tree: Repository) -> Iterator[Violation]:
    """A job that a pull request reaches gets a secret only on a push."""
    called = [workflow.file for workflow in tree.called_workflows]
    for job in tree.jobs:
        if job.workflow in called or not reachable_from_pull_request(tree, job):
            continue
        for text in _texts(job.content):
            if _SECRET.search(text) and not _ONLY_ON_PUSH.fullmatch(strip_expression(text)):
                yield Violation(
                    job.path, job.line_of_key("secrets"), f"a pull request reaches `{text.strip()}`"
                )


@rule(hint=f"call its file by a job with: if: {ON_PUSH}")
def pull_request_gets_no_id_token(tree: Repository) -> Iterator[Violation]:
    """No job that a pull request reaches can request an identity token."""
    for job in tree.jobs:
        if _rights(job).get("id-token") and reachable_from_pull_request(tree, job):
            line = job.line_of_key("permissions", "id-token")
            yield Violation(
                job.path, line, f"a pull request reaches the identity of job `{job.id}`"
            )


def referenced_secrets(content: object) -> list[str | None]:
    """Return the names of the secrets in a part of a document; None for a computed one."""
    return [match[1] for text in _texts(content) for match in _SECRET.finditer(text)]


def _rights(job: Job) -> dict[str, int]:
    granted = as_mapping(job.content.get("permissions"))
    return {scope: _LEVELS.get(str(level), 0) for scope, level in granted.items()}


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, Mapping):
        content = list(content.values())
    if isinstance(content, list):
        for inner in content:
            yield from _texts(inner)
    elif isinstance(content, str) and "${{" in content:
        yield content
