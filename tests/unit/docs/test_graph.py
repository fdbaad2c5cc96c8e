from pipeline.docs.graph import direct_dependencies, workflow_graph
from pipeline.github import loader


def test_who_waits_through_somebody_else_is_not_drawn_to_wait_for_him_too() -> None:
    needs = {"a": set[str](), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "c"}}
    assert {*direct_dependencies(needs)} == {("a", "b"), ("b", "c"), ("c", "d")}


def test_the_picture_has_every_job_of_ci_and_what_each_call_runs() -> None:
    picture = workflow_graph(loader.load_workflows())
    assert picture.startswith("```mermaid\nflowchart LR\n")
    assert (
        'migration-check["<b>migration-check</b><br/>migrations<br/>migration-safety"]' in picture
    )
    for edge in ("plan --> pre-commit", "image-release --> ci-ok", "ci-ok --> deploy"):
        assert f"  {edge}\n" in picture
    assert "plan --> ci-ok" not in picture
