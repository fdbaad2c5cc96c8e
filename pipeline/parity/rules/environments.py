"""Where releases go: the environments of pipeline.toml, and what the workflows know of them."""

from collections.abc import Iterator, Mapping

from pipeline import config
from pipeline.environments import Environment
from pipeline.github.schema import mapping
from pipeline.parity.repository import Tree
from pipeline.parity.rule import Fault, rule
from pipeline.parity.rules.permissions import secrets_of


@rule(hint="options: every environment of pipeline.toml that has a host, in that order")
def choice_is_every_environment(tree: Tree) -> Iterator[Fault]:
    """Who starts a delivery by hand chooses among all environments that CI can reach."""
    for workflow in tree.workflows.values():
        dispatch = mapping(workflow.triggers.get("workflow_dispatch"))
        choice = mapping(mapping(dispatch.get("inputs")).get("environment"))
        delivers = any("environment" in job.content for job in workflow.jobs.values())
        asked = choice or (delivers and "workflow_dispatch" in workflow.triggers)
        if asked and choice.get("options") != [*reachable(tree)]:
            yield Fault(workflow.path, workflow.at("on"), "the choice of environments is another")


@rule(hint="NAME: ${{ secrets.NAME }} in the job's env; or take it out of pipeline.toml")
def delivery_gets_every_secret(tree: Tree) -> Iterator[Fault]:
    """A job that goes to an environment reads every secret that one of them is told."""
    told = config.told(reachable(tree).values())
    for job in tree.working:
        for name in told if "environment" in job.content else ():
            if name not in secrets_of(job.content):
                yield Fault(job.path, job.at("env"), f"job `{job.id}` does not read {name}")


def reachable(tree: Tree) -> Mapping[str, Environment]:
    """Return the environments that are on another machine: the rest is nothing to CI."""
    places = tree.settings.environments
    return {name: place for name, place in places.items() if place.host}
