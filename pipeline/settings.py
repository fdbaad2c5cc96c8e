"""The tables of pipeline.toml: the meaning, the type and the default of each key."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pipeline import session_variables
from pipeline.environments import NOTIFY_URL, SSH_KEY, Environment, Variable
from pipeline.toml import Fault, Place
from pipeline.toml_checker import unknown_name_faults
from pipeline.toml_schema import Constraint, Table, Text, matches_pattern, whole_number

COMMON = "common"
"""The area that every session reads; it also has each file that is in no other area."""
_MOST_REVIEWERS = 6
_DEPLOY_JOBS = ("deploy", "rollback")
"""The jobs that deploy; they read the secrets of the environments."""
BUILTIN_SECRETS = {"GITHUB_TOKEN"}
"""Secrets that GitHub sets itself; the jobs that deploy log in to the registry with it."""
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"


def _is_inside(path: str) -> bool:
    """Return whether a path or glob is inside the repository, and not the whole of it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and path.isprintable()


def _is_glob_inside(glob: str) -> bool:
    """Return whether `Path.glob` accepts a glob, and it matches only inside the repository."""
    parts = PurePosixPath(glob).parts
    return _is_inside(glob) and all(part == "**" or "**" not in part for part in parts)


def _few(reviewers: Collection[str]) -> bool:
    """Return whether GitHub accepts this number of reviewers."""
    return len(reviewers) <= _MOST_REVIEWERS


_Name = Annotated[
    str, matches_pattern(NAME, "lower-case letters, digits and single hyphens, like acme-shop")
]
_Word = Annotated[
    str, matches_pattern(r"[A-Za-z][\w-]*", "letters, digits and hyphens, like staging")
]
_Branch = Annotated[
    str, matches_pattern(r"[^\s~^:?*[\\-][^\s~^:?*[\\]*", "the name of a branch, like main")
]
_Inside = Annotated[str, Constraint("a path in the repository", _is_inside)]
_GlobInside = Annotated[str, Constraint("a glob in the repository, like .env*", _is_glob_inside)]
_Job = Text
"""The id of a job in the workflows; `pipeline.ci.plan` and parity check that it exists."""
_Jobs = tuple[_Job, ...]
_Image = Annotated[
    str, matches_pattern(r"[a-z0-9]+([._-][a-z0-9]+)*", "the name of an image, like backend")
]
_Platform = Annotated[str, matches_pattern(r"\w+/\w+(/\w+)?", "a platform, like linux/amd64")]
_Reviewer = Annotated[
    str, matches_pattern(r"[\w.-]+(/[\w.-]+)?", "a user, or a team like acme/operators")
]
_Glob = Annotated[
    str,
    matches_pattern(r"[^][?!\\{}]+", "a glob with no special characters but `*`, `**` and `**/`"),
]
_Positive = Annotated[float, Constraint("a number above 0", lambda given: given > 0)]
_Minor = Annotated[str, matches_pattern(r"\d+\.\d+", "a version, like 3.12")]
_Major = Annotated[str, matches_pattern(r"\d+", "a major version, like 24")]
_UrlPath = Annotated[str, matches_pattern(r"/[!-~]*", "the path of a URL, like /api/health/")]
_ClassOfFile = Annotated[
    str, matches_pattern(r"[\w./-]+\.py:\w+", "a class in a file, like config/settings.py:Settings")
]
_FunctionsOfFile = Annotated[str, matches_pattern(r"[\w./-]+\.py", "a Python file")]


class _Template(Table):
    """The template that the product was copied from."""

    version: Text = "0.0.0"
    """Its version."""
    commit: Annotated[str, matches_pattern(r"([0-9a-f]{7,64})?", "a commit")] = ""
    """The commit of the template that was copied; `invoke init` sets it."""
    domain: Annotated[str, matches_pattern(r"[a-z0-9.-]*", "a domain, like acme.com")] = ""
    """The domain of the environments; `invoke init` sets it."""
    removed: Mapping[str, bool] = {}
    """The features that are removed; `invoke init` sets it."""
    removable: Mapping[str, tuple[_Inside, ...]] = {}
    """The features that can be removed, with the paths of their own files."""


class Variables(Table):
    """Further environment variables of a session; `invoke ci` removes all others."""

    cache_key: tuple[_Glob, ...] = ()
    """Variables that may change a result; they are part of its cache key."""
    passthrough: tuple[_Glob, ...] = ()
    """Variables that are passed and do not change a result."""
    dropped: tuple[_Glob, ...] = ()
    """Variables that configure tools; nox removes them, except those above."""

    @property
    def in_key(self) -> tuple[str, ...]:
        """All variables that may change a result."""
        return (*session_variables.CACHE_KEY, *self.cache_key)

    @property
    def passed(self) -> tuple[str, ...]:
        """All variables that a session gets."""
        return (*self.in_key, *session_variables.PASSTHROUGH, *self.passthrough)

    @property
    def removed(self) -> tuple[str, ...]:
        """All variables that nox removes, unless they are passed."""
        return (*session_variables.DROPPED, *self.dropped)


class _Ci(Table):
    """How `invoke ci` runs the jobs."""

    main_branch: _Branch = "main"
    """The branch that changes are compared with, and releases are made from."""
    exclusive: _Jobs = ()
    """Jobs that must run alone, as they measure time."""
    extra_inputs: tuple[_GlobInside, ...] = (".env*", "*/.env*")
    """Ignored files that sessions read, as globs of `Path.glob`."""
    tools: tuple[Text, ...] = ("git", "node", "npm", "redis-server")
    """Programs of the machine that may change a result."""
    needs: Mapping[_Job, _Jobs] = {}
    """Jobs that use files made by other jobs."""
    main_only: Mapping[_Job, tuple[Text, ...]] = {}
    """Jobs that a change waits for only if it touches one of these areas."""
    never_cached: Mapping[_Job, Text] = {}
    """Jobs whose result must not be reused, and why."""
    mutex: Mapping[Text, _Jobs] = {}
    """Jobs that must not run at the same time, by what they share."""
    variables: Variables = Variables()

    def unknown_jobs(self, known: Collection[str]) -> Iterator[Fault]:
        """Yield an error for each name that is not a job.

        Args:
            known: The ids of the jobs.
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


class Layout(Table):
    """The folders and files of the product."""

    backend: _Inside = "backend"
    """The folder of the Django project; its locks are in `requirements` there."""
    frontend: _Inside = "frontend"
    """The folder of the page, with package.json and its lock."""
    variables: _ClassOfFile = "config/environment.py:Environment"
    """The class that declares the environment variables of the app, in that folder."""
    server_variables: _ClassOfFile = "server.py:Settings"
    """The class that declares the environment variables of its server, in the same folder."""
    wsgi: _Inside = "config/wsgi.py"
    """The WSGI module, in the same folder."""
    api_version: _Inside = "config/api.py"
    """The file with the version of the API, in the same folder."""

    @property
    def product_name(self) -> Path:
        """The file of the page with the name of the product."""
        return Path(self.frontend, "src", "lib", "product.ts")

    @property
    def env_example(self) -> Path:
        """The file that lists the environment variables of the app."""
        return Path(self.backend, ".env.example")

    @property
    def api_schema(self) -> Path:
        """The OpenAPI schema that the page was generated from."""
        return Path(self.frontend, "openapi.json")

    @property
    def shipped_packages(self) -> tuple[Path, Path]:
        """The locks of the packages in images: Python's and npm's."""
        production = Path(self.backend, "requirements", "production.txt")
        return production, Path(self.frontend, "package-lock.json")


class _Commands(Table):
    """Management commands of the API's image, in shell syntax."""

    migrate: Text = "migrate_safely"
    """Migrates; it takes the option `--statement-seconds`."""
    create_smoke_user: Text = "ensure_user"
    """Creates the user of the smoke test."""
    self_check: Text = "self_check"
    """Checks the settings, and prints which migrations are pending."""
    leftovers: Text = "leftovers"
    """Prints what a failed migration left in the database."""
    clear_sessions: Text = "clearsessions"
    """Deletes expired sessions."""
    clear_cache: Text = "shell -c 'from django.core.cache import cache; cache.clear()'"
    """Clears the cache, which does not match restored data."""
    contract_migrations: Text = "contract_migrations --json --applied"
    """Prints the applied migrations that remove schema."""
    schema_uses: Text = "schema_uses"
    """Prints the models and fields that the code reads or writes."""


class _Paths(Table):
    """What the API answers, as paths of URLs."""

    ready: _UrlPath = "/api/v1/health/ready/"
    """Whether the API, its database and its cache work."""
    workers: _UrlPath = "/api/v1/health/workers/"
    """How many workers of a replica exited; only the deployer requests it."""
    version: _UrlPath = "/api/v1/version/"
    """The release that answers."""
    session: _UrlPath = "/api/v1/auth/me/"
    """The user who is logged in; 401 without one."""
    login: _UrlPath = "/api/v1/auth/login/"
    """Logs in with `email` and `password`."""
    logout: _UrlPath = "/api/v1/auth/logout/"
    """Logs out."""


class _Secrets(Table):
    """The secrets of the app, which every environment has."""

    required: tuple[Variable, ...] = ()
    """Secrets that every environment must set, in addition to those of each deployment."""
    optional: tuple[Variable, ...] = ()
    """Secrets that the app gets where they are set."""
    generate: Mapping[Variable, Text] = {}
    """What `invoke generate-secrets` writes: `{token}` is random text, `{key}` a random key."""
    canaries: Mapping[Variable, Text] = {}
    """The form of a value that the app accepts, for the check that no secret is printed."""

    def _in_one_list(self) -> Iterator[Fault]:
        for index, name in enumerate(self.optional):
            if name in self.required:
                yield Fault(("optional", index), f"`{name}` is required already")

    RULES = (_in_one_list,)


class _App(Table):
    """The app in a release: its services, its commands, and what it answers."""

    api: _Image = "backend"
    """The service and the image of the API."""
    page: Annotated[
        str, matches_pattern(r"([a-z0-9]+([._-][a-z0-9]+)*)?", "the name of an image, or empty")
    ] = "frontend"
    """The service and the image of the page; empty, if the API serves it."""
    edge: _Image = "frontend"
    """The image whose nginx is the edge."""
    database: _Image = "postgres"
    """The image with PostgreSQL's programs, for dumps."""
    manage: Text = "python manage.py"
    """The program of management commands, in the API's image."""
    user: Annotated[int, whole_number(1, 65535)] = 10001
    """The user id that the API runs as; it owns the files of secrets."""
    port: Annotated[int, whole_number(1, 65535)] = 8000
    """The port of the API in its container."""
    upstream: Variable = "BACKEND_UPSTREAM"
    """The variable with the address of the API, for the page."""
    public_variables: tuple[Variable, ...] = ("SENTRY_DSN",)
    """Variables of an environment that the page gets too, so every user may read them."""
    preview_header: Text = "X-Preview"
    """The header that selects the preview, in deploy/edge.conf."""
    bypass_header: Text = "X-Insider"
    """The header that passes a closed site, in deploy/edge.conf."""
    commands: _Commands = _Commands()
    paths: _Paths = _Paths()
    smoke: _FunctionsOfFile = "deploy/smoke.py"
    """The product's own steps of the smoke test."""

    @property
    def rollout_order(self) -> tuple[str, ...]:
        """The API first, because a new page may need it; a rollback uses the reverse order."""
        return (self.api, self.page) if self.page else (self.api,)


class _Defaults(Table):
    """The shipped version, which sessions without a matrix use."""

    django: _Minor
    """The version of Django in the shipped image; it is one of the table `django`."""
    node: _Major
    """The major version of Node that builds the page; it is one of the table `node`."""


class _Images(Table):
    """The images of a release."""

    registry: Annotated[
        str, matches_pattern(r"[\w.-]+(:\d+)?(/[\w.-]+)*", "a registry, like ghcr.io")
    ] = "ghcr.io"
    """The registry of images; the owner and name of the git remote and the image are appended."""
    built: tuple[_Image, ...]
    """Images of this repository: each has a folder with a Dockerfile."""
    third_party: tuple[_Image, ...]
    """Images of docker-compose.yml that are not built here."""
    platforms: Annotated[
        tuple[_Platform, ...], Constraint("a list of at least one platform", bool)
    ] = ("linux/amd64", "linux/arm64")
    """The platforms of each image."""
    max_scan_age_days: Annotated[int, whole_number(1, 365)] = 7
    """The maximum age of a scan when its image is deployed."""

    def _built_or_third_party(self) -> Iterator[Fault]:
        for index, image in enumerate(self.third_party):
            if image in self.built:
                yield Fault(("third_party", index), f"`{image}` is built here")

    RULES = (_built_or_third_party,)


class GitHub(Table):
    """What `invoke github-settings` sets in addition to environments and the required check."""

    required_approvals: Annotated[int, whole_number(0, 10)] = 0
    """The number of approvals that a pull request to main needs."""
    reviewers: Mapping[
        Text,
        Annotated[tuple[_Reviewer, ...], Constraint(f"a list of {_MOST_REVIEWERS} at most", _few)],
    ] = {}
    """By environment, the required reviewers: users, or teams as `organisation/team`."""


class _Migrations(Table):
    """How new migrations are tested."""

    rows: Annotated[int, whole_number(1, 100_000_000)] = 100_000
    """The number of rows in each table."""
    max_lock_seconds: _Positive = 2
    """How long a migration may hold a blocking lock."""
    values: Mapping[Text, Text] = {}
    """SQL expressions for columns with special values, as `app_table.column`, for row i."""


class Services(Table):
    """Services that checks start."""

    postgres: Text = ""
    """The folder of PostgreSQL's programs, if the schema needs others than the bundled ones."""


class Actions(Table):
    """Third-party actions that steps may use, in addition to those that install tools."""

    setup: tuple[Text, ...] = (
        "actions/cache",
        "actions/checkout",
        "actions/download-artifact",
        "actions/setup-python",
    )
    """Actions that run before a session."""
    report: tuple[Text, ...] = (
        "actions/github-script",
        "actions/upload-artifact",
        "codecov/codecov-action",
        "github/codeql-action/upload-sarif",
    )
    """Actions that run after it."""


class _Parity(Table):
    """What `nox -s parity` allows in workflows."""

    runners: tuple[Text, ...] = ("ubuntu-24.04", "ubuntu-24.04-arm")
    """The labels of runners."""
    setup_commands: tuple[str, ...] = ('./dev >> "$GITHUB_PATH"',)
    """Commands that a local action may run."""
    max_timeout_minutes: Annotated[int, whole_number(1, 7200)] = 60
    """The maximum of `timeout-minutes`."""
    actions: Actions = Actions()
    """The actions that steps may use."""
    awaited: Mapping[_Glob, Text] = {}
    """Globs of areas that match no file yet, and why they exist."""
    local_sessions: Mapping[Text, Text] = {}
    """Sessions that no job runs, and why."""
    secrets: Mapping[_Job, tuple[Variable, ...]] = {}
    """The secrets that each job reads; those that deploy read the secrets of the environments."""
    action_tool_versions: Mapping[Text, Text] = {}
    """Versions of tools without a lock file, by the action that installs them."""
    write_permissions: Mapping[_Job, tuple[Text, ...]] = {}
    """The write permissions of each job."""


class _Version(Table):
    """A version that is tested."""

    end_of_life: date
    """The last day of upstream support."""


class _Django(_Version):
    """A tested version of Django."""

    python: tuple[_Minor, ...]
    """The versions of Python that it is tested on."""


def _listed_secrets(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the common secrets of all environments; the table `secrets` is checked itself."""
    table = given.get("secrets")
    return {
        key: [name for name in _listed(table, source) if isinstance(name, str)]
        for key, source in (("common_secrets", "required"), ("optional_secrets", "optional"))
    }


def _listed(table: object, key: str) -> list[object]:
    found = table.get(key) if isinstance(table, dict) else None
    return [*dict.fromkeys(found)] if isinstance(found, list) else []


class Settings(Table):
    """The product, and the sets of files that sessions read."""

    name: _Name
    """The name of the product; stacks and the cache folder of `invoke ci` are named after it."""
    ci: _Ci = _Ci()
    defaults: _Defaults
    areas: Mapping[Text, tuple[_Glob, ...]]
    """Sets of files; a session is tagged with the areas that it reads."""
    images: _Images
    migrations: _Migrations = _Migrations()
    parity: _Parity = _Parity()
    python: Mapping[_Minor, _Version]
    django: Mapping[_Minor, _Django]
    node: Mapping[_Major, _Version]
    budgets: Mapping[_Job, _Positive] = {}
    """The time budget of a job with warm caches, in minutes."""
    environments: Mapping[_Word, Environment] = {}
    """The environments that releases are deployed to."""
    github: GitHub = GitHub()
    services: Services = Services()
    layout: Layout = Layout()
    app: _App = _App()
    secrets: _Secrets = _Secrets()
    template: _Template = _Template()

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set the name and the common secrets of each environment, and its stack if missing."""
        environments = given.get("environments")
        if not isinstance(environments, dict):
            return given
        name = given["name"] if re.fullmatch(NAME, str(given.get("name"))) else "product"
        secrets = _listed_secrets(given)
        named = {
            key: {"name": key, "stack": f"{name}-{key}", **secrets, **each}
            if isinstance(each, dict)
            else each
            for key, each in environments.items()
        }
        return {**given, "environments": named}

    @property
    def deploy_secrets(self) -> Collection[str]:
        """The secrets that a deployment may read, in any environment."""
        names = {name for each in self.environments.values() for name in each.secrets}
        return names | {*self.secrets.optional, SSH_KEY, NOTIFY_URL}

    @property
    def job_secrets(self) -> Mapping[str, Collection[str]]:
        """The secrets that each job may read."""
        own, all_deploy = self.parity.secrets, BUILTIN_SECRETS.union(self.deploy_secrets)
        deploy = {job: all_deploy.union(own.get(job, ())) for job in _DEPLOY_JOBS}
        return {**own, **deploy}

    def _has_a_common_area(self) -> Iterator[Fault]:
        if COMMON not in self.areas:
            yield Fault(("areas",), f"the area `{COMMON}` is missing, which every session reads")

    def _areas_exist(self) -> Iterator[Fault]:
        for job, areas in self.ci.main_only.items():
            for index, area in enumerate(areas):
                place = ("ci", "main_only", job, index)
                yield from unknown_name_faults("area", area, self.areas, place)

    def _defaults_are_tested(self) -> Iterator[Fault]:
        for tool in _Defaults.KEYS:
            version, tested = getattr(self.defaults, tool, None), getattr(self, tool, None)
            if version and tested:
                yield from unknown_name_faults(
                    f"version in [{tool}]", version, tested, ("defaults", tool)
                )

    def _django_pythons_are_tested(self) -> Iterator[Fault]:
        for django, each in self.django.items():
            for index, python in enumerate(getattr(each, "python", ())):
                place = ("django", django, "python", index)
                yield from unknown_name_faults("version in [python]", python, self.python, place)

    def _reviewed_environments_exist(self) -> Iterator[Fault]:
        for name in self.github.reviewers:
            place = ("github", "reviewers", name)
            yield from unknown_name_faults("environment", name, self.environments, place)

    def _environments_have_no_derived_keys(self) -> Iterator[Fault]:
        derived = {
            "common_secrets": self.secrets.required,
            "optional_secrets": self.secrets.optional,
        }
        for name, each in self.environments.items():
            if getattr(each, "name", name) != name:
                place = ("environments", name, "name")
                yield Fault(place, "there is no such key: the name of the table is used")
            for key, value in derived.items():
                if getattr(each, key, value) != value:
                    place = ("environments", name, key)
                    yield Fault(place, "there is no such key: the table `secrets` lists them")

    def _promotion_has_no_cycle(self) -> Iterator[Fault]:
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
                yield Fault(place, f"promote_from has a cycle: {' after '.join(walk)}")

    RULES = (
        _has_a_common_area,
        _areas_exist,
        _defaults_are_tested,
        _django_pythons_are_tested,
        _reviewed_environments_exist,
        _environments_have_no_derived_keys,
        _promotion_has_no_cycle,
    )
