"""A diagram of a CI run, made from the jobs of ci.yml and their `needs`."""

from collections.abc import Iterator, Mapping

from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW
from pipeline.github.model import Workflow


def workflow_graph(files: Mapping[str, Workflow]) -> str:
    """Return the diagram of a run in Mermaid.

    Args:
        files: The workflows by their names.
    """
    jobs = files[MAIN_WORKFLOW].jobs
    needs = {name: {*job.needs} for name, job in jobs.items()}
    lines = ["```mermaid", "flowchart LR"]
    for name, job in jobs.items():
        called_jobs = files[job.called_workflow].jobs if job.called_workflow else {}
        label = "<br/>".join(
            [f"<b>{name}</b>", *(each for each in called_jobs if each != GATE_JOB)]
        )
        lines.append(f'  {name}["{label}"]')
    lines += [f"  {before} --> {name}" for before, name in sorted(direct_dependencies(needs))]
    return "\n".join([*lines, "```"])


def direct_dependencies(needs: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the edges of the diagram, without those that a longer path implies.

    Args:
        needs: By job, the jobs in its `needs`.
    """
    for name, before in needs.items():
        beyond = {far for near in before for far in _all_before(near, needs)}
        yield from ((near, name) for near in before - beyond)


def _all_before(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    near = needs.get(name, set())
    return near | {far for each in near for far in _all_before(each, needs)}
