"""pipeline.toml as tables: what each key means, and what its value may be.

What may be left out has a default; what a check would be weaker without must be there.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any

from pipeline.checker import unknown_name_faults
from pipeline.environments import Environment, Variable
from pipeline.schema import Constraint, Table, Text, matches_pattern, whole_number
from pipeline.toml import Fault, Place

COMMON = "common"
"""The area that every session reads; it also has each file that is in no other."""
MOST_REVIEWERS = 6
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"


def is_inside(path: str) -> bool:
    """Say whether a path, or a glob, leads to something in the repository, and not to all of it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and path.isprintable()


def is_glob_inside(glob: str) -> bool:
    """Say whether `Path.glob` takes it, and finds nothing outside of the repository."""
    parts = PurePosixPath(glob).parts
    return is_inside(glob) and all(part == "**" or "**" not in part for part in parts)


def few(reviewers: Collection[str]) -> bool:
    """Say whether GitHub takes so many."""
    return len(reviewers) <= MOST_REVIEWERS


Name = Annotated[
    str, matches_pattern(NAME, "small letters, digits and single hyphens, like acme-shop")
]
Word = Annotated[
    str, matches_pattern(r"[A-Za-z][\w-]*", "letters, digits and hyphens, like staging")
]
Branch = Annotated[
    str, matches_pattern(r"[^\s~^:?*[\\-][^\s~^:?*[\\]*", "the name of a branch, like main")
]
Inside = Annotated[str, Constraint("a path in the repository", is_inside)]
GlobInside = Annotated[str, Constraint("a glob in the repository, like .env*", is_glob_inside)]
Job = Text
"""The id of a job in the workflows: `pipeline.ci.plan` and parity look whether it exists."""
Jobs = tuple[Job, ...]
Image = Annotated[
    str, matches_pattern(r"[a-z0-9]+([._-][a-z0-9]+)*", "the name of an image, like backend")
]
Platform = Annotated[str, matches_pattern(r"\w+/\w+(/\w+)?", "a platform, like linux/amd64")]
Reviewer = Annotated[
    str, matches_pattern(r"[\w.-]+(/[\w.-]+)?", "a user, or a team like acme/operators")
]
Glob = Annotated[
    str, matches_pattern(r"[^][?!\\{}]+", "a glob that has no signs but `*`, `**` and `**/`")
]
Positive = Annotated[float, Constraint("a number above 0", lambda given: given > 0)]
Minor = Annotated[str, matches_pattern(r"\d+\.\d+", "a version, like 3.12")]
Major = Annotated[str, matches_pattern(r"\d+", "a major version, like 24")]


class Template(Table):
    """What the product was copied from."""

    version: Text = "0.0.0"
    """Its version."""
    commit: Annotated[str, matches_pattern(r"([0-9a-f]{7,64})?", "a commit")] = ""
    """The commit that holds the template as it was copied; `invoke init` writes it."""
    domain: Annotated[str, matches_pattern(r"[a-z0-9.-]*", "a domain, like acme.com")] = ""
    """Where its environments are; `invoke init` writes it."""
    removed: Mapping[str, bool] = {}
    """The parts that are gone; `invoke init` writes it."""
    removable: Mapping[str, tuple[Inside, ...]] = {}
    """Parts to go without, and the paths that are theirs alone."""


class Variables(Table):
    """What a session sees of the environment; nothing else gets through `invoke ci`."""

    cache_key: tuple[Glob, ...]
    """What a result may hang on, so that it is in its key."""
    passthrough: tuple[Glob, ...]
    """What gets through beside that, and changes no result."""
    dropped: tuple[Glob, ...]
    """What configures tools: save for the above, `nox` takes it away too."""


class Ci(Table):
    """How `invoke ci` runs the jobs that check."""

    main_branch: Branch
    """The branch that changes are compared with, and releases are made from."""
    exclusive: Jobs = ()
    """Jobs beside which nothing runs: they judge what is late."""
    extra_inputs: tuple[GlobInside, ...]
    """What git ignores and sessions read, as globs of `Path.glob`."""
    tools: tuple[Text, ...]
    """Programs of the machine that a result may hang on."""
    needs: Mapping[Job, Jobs] = {}
    """Jobs that take what others make."""
    main_only: Mapping[Job, tuple[Text, ...]] = {}
    """Jobs that a change waits for only if it touches one of these areas."""
    never_cached: Mapping[Job, Text]
    """Jobs whose result must not stand for the next run, and why."""
    mutex: Mapping[Text, Jobs] = {}
    """Jobs that write to the same place, by that place."""
    variables: Variables

    def unknown_jobs(self, known: Collection[str]) -> Iterator[Fault]:
        """Yield each name of a job that there is not.

        Args:
            known: The jobs that check.
        """
        for place, job in self._named():
            yield from unknown_name_faults("job", job, known, ("ci", *place))

    def _named(self) -> Iterator[tuple[Place, str]]:
        yield from ((("exclusive", index), job) for index, job in enumerate(self.exclusive))
        for key in ("needs", "main_only", "never_cached"):
            yield from (((key, job), job) for job in getattr(self, key))
        for key in ("needs", "mutex"):
            for name, jobs in getattr(self, key).items():
                yield from (((key, name, index), job) for index, job in enumerate(jobs))


class Defaults(Table):
    """The version that is shipped, and that sessions without a row run on."""

    django: Minor
    node: Major


class Images(Table):
    """What is shipped."""

    registry: Annotated[
        str, matches_pattern(r"[\w.-]+(:\d+)?(/[\w.-]+)*", "a registry, like ghcr.io")
    ]
    """Where images go; behind it come the owner and the name of the git remote, and the image."""
    built: tuple[Image, ...]
    """Ours: each has a folder with a Dockerfile."""
    third_party: tuple[Image, ...]
    """Those of others, taken as docker-compose.yml names them."""
    platforms: Annotated[tuple[Platform, ...], Constraint("a list of at least one platform", bool)]
    """What each image is made for."""
    max_scan_age_days: Annotated[int, whole_number(1, 365)]
    """How old a scan may be when its image is deployed."""

    def _once(self) -> Iterator[Fault]:
        for index, image in enumerate(self.third_party):
            if image in self.built:
                yield Fault(("third_party", index), f"`{image}` is built here")

    RULES = (_once,)


class GitHub(Table):
    """What `invoke github-settings` sets, beside environments and the check that main requires."""

    required_approvals: Annotated[int, whole_number(0, 10)] = 0
    """How many reviews a change of main needs."""
    reviewers: Mapping[
        Text,
        Annotated[tuple[Reviewer, ...], Constraint(f"a list of {MOST_REVIEWERS} at most", few)],
    ] = {}
    """By environment, who agrees to a deployment: users, or teams as `organisation/team`."""


class Migrations(Table):
    """What new migrations are tried on."""

    rows: Annotated[int, whole_number(1, 100_000_000)]
    """How many rows each table gets."""
    max_lock_seconds: Positive
    """How long a migration may keep a table from others."""
    values: Mapping[Text, Text] = {}
    """SQL for columns that take values of a kind only, as `app_table.column`, in row i."""


class Services(Table):
    """What checks start beside them."""

    postgres: Text = ""
    """The folder of PostgreSQL's programs, where the schema needs more than the kit's own has."""


class Actions(Table):
    """The actions of others that steps may use, besides the tools."""

    setup: tuple[Text, ...] = ()
    """What sets up before a session runs."""
    report: tuple[Text, ...] = ()
    """What reports after it."""


class Parity(Table):
    """What `nox -s parity` allows the workflows."""

    runners: tuple[Text, ...]
    """The labels of runners."""
    setup_commands: tuple[str, ...] = ()
    """The lines that an action of this repository may run."""
    max_timeout_minutes: Annotated[int, whole_number(1, 7200)]
    """The longest limit that a job may have."""
    actions: Actions = Actions()
    """The actions that steps may use."""
    awaited: Mapping[Glob, Text] = {}
    """Globs of areas that no file has yet, and why they are there."""
    local_sessions: Mapping[Text, Text] = {}
    """Sessions that no job runs, and why."""
    secrets: Mapping[Job, tuple[Variable, ...]] = {}
    """What a job reads, of those that exist."""
    action_tool_versions: Mapping[Text, Text] = {}
    """The versions of tools that no lock of ours can hold, by the action that installs them."""
    write_permissions: Mapping[Job, tuple[Text, ...]] = {}
    """What a job may write besides nothing."""


class Version(Table):
    """A version that is tested."""

    end_of_life: date
    """Until when its makers support it."""


class Django(Version):
    """A Django that is tested."""

    python: tuple[Minor, ...]
    """The Pythons that it is tested on."""


class Settings(Table):
    """The one file that a team edits."""

    name: Name
    """The product's: its stacks and its folder of what `invoke ci` knows are called so."""
    ci: Ci
    defaults: Defaults
    areas: Mapping[Text, tuple[Glob, ...]]
    """Which files belong to what; a session is tagged with the areas that it reads."""
    images: Images
    migrations: Migrations
    parity: Parity
    python: Mapping[Minor, Version]
    django: Mapping[Minor, Django]
    node: Mapping[Major, Version]
    budgets: Mapping[Job, Positive] = {}
    """Minutes that a job may take, warm, before it is too slow."""
    environments: Mapping[Word, Environment] = {}
    """Where releases go."""
    github: GitHub = GitHub()
    services: Services = Services()
    template: Template = Template()

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Tell each environment its name, and that of its stack where it is not written."""
        environments = given.get("environments")
        if not isinstance(environments, dict):
            return given
        name = given["name"] if re.fullmatch(NAME, str(given.get("name"))) else "product"
        told = {
            key: {"name": key, "stack": f"{name}-{key}", **each} if isinstance(each, dict) else each
            for key, each in environments.items()
        }
        return {**given, "environments": told}

    def _has_a_common_area(self) -> Iterator[Fault]:
        if COMMON not in self.areas:
            yield Fault(("areas",), f"the area `{COMMON}` is missing, which every session reads")

    def _names_areas(self) -> Iterator[Fault]:
        for job, areas in self.ci.main_only.items():
            for index, area in enumerate(areas):
                place = ("ci", "main_only", job, index)
                yield from unknown_name_faults("area", area, self.areas, place)

    def _defaults_are_tested(self) -> Iterator[Fault]:
        for tool in Defaults.KEYS:
            version, tested = getattr(self.defaults, tool, None), getattr(self, tool, None)
            if version and tested:
                yield from unknown_name_faults(
                    f"version in [{tool}]", version, tested, ("defaults", tool)
                )

    def _djangos_have_pythons(self) -> Iterator[Fault]:
        for django, each in self.django.items():
            for index, python in enumerate(getattr(each, "python", ())):
                place = ("django", django, "python", index)
                yield from unknown_name_faults("version in [python]", python, self.python, place)

    def _reviews_environments(self) -> Iterator[Fault]:
        for name in self.github.reviewers:
            place = ("github", "reviewers", name)
            yield from unknown_name_faults("environment", name, self.environments, place)

    def _environments_are_called_as_written(self) -> Iterator[Fault]:
        for name, each in self.environments.items():
            if getattr(each, "name", name) != name:
                place = ("environments", name, "name")
                yield Fault(place, "there is no such key: the table has the name")

    def _comes_after_others(self) -> Iterator[Fault]:
        before = {
            name: getattr(each, "promote_from", "") for name, each in self.environments.items()
        }
        for name, first in before.items():
            place, walk = ("environments", name, "promote_from"), [name]
            while walk[-1] and len({*walk}) == len(walk):
                walk.append(before.get(walk[-1], ""))
            if first:
                yield from unknown_name_faults("environment", first, before, place)
            if walk[-1] == name:
                yield Fault(place, f"a release would never come to it: {' after '.join(walk)}")

    RULES = (
        _has_a_common_area,
        _names_areas,
        _defaults_are_tested,
        _djangos_have_pythons,
        _reviews_environments,
        _environments_are_called_as_written,
        _comes_after_others,
    )
