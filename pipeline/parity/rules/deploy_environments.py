"""Rules for environments: what the workflows must know of pipeline.toml."""

from collections.abc import Iterator, Mapping

from pipeline import config
from pipeline.environments import Environment
from pipeline.github.schema import as_mapping
from pipeline.parity.repository import Repository
from pipeline.parity.rule import Violation, rule
from pipeline.parity.rules.permissions import referenced_secrets


@rule(hint="options: every environment of pipeline.toml that has a host, in that order")
def dispatch_lists_all_environments(tree: Repository) -> Iterator[Violation]:
    """The input of a manual delivery lists all environments that CI can reach."""
    for workflow in tree.workflows.values():
        dispatch = as_mapping(workflow.triggers.get("workflow_dispatch"))
        choice = as_mapping(as_mapping(dispatch.get("inputs")).get("environment"))
        delivers = any("environment" in job.content for job in workflow.jobs.values())
        required = choice or (delivers and "workflow_dispatch" in workflow.triggers)
        if required and choice.get("options") != [*remote_environments(tree)]:
            yield Violation(
                workflow.path,
                workflow.at("on"),
                "the options are not the environments of pipeline.toml",
            )


@rule(hint="nox -s parity -- --write")
def deploy_job_gets_all_secrets(tree: Repository) -> Iterator[Violation]:
    """A job with an environment reads every secret that an environment declares."""
    declared = config.declared_secret_names(remote_environments(tree).values())
    for job in tree.jobs_with_steps:
        for name in declared if "environment" in job.content else ():
            if name not in referenced_secrets(job.content):
                yield Violation(
                    job.path, job.line_of_key("env"), f"job `{job.id}` does not read {name}"
                )


def remote_environments(tree: Repository) -> Mapping[str, Environment]:
    """Return the environments on other machines; CI does not deploy to others."""
    places = tree.settings.environments
    return {name: place for name, place in places.items() if place.host}
