import traceback

import pytest

from config.addresses import TIMEOUTS
from config.environment import CACHE_FORMAT, InvalidEnvironmentError, read_environment
from config.tests.conftest import PRODUCTION


@pytest.mark.usefixtures("production")
def test_read_all_variables() -> None:
    environment = read_environment()

    assert environment.django_secret_key.get_secret_value() == PRODUCTION["DJANGO_SECRET_KEY"]
    assert environment.django_allowed_hosts == ["www.example.com", ".example.org"]
    assert environment.django_csrf_trusted_origins == ["https://www.example.com"]
    assert environment.database["ENGINE"] == "django.db.backends.postgresql"
    assert environment.database["NAME"] == "ledger"
    assert environment.cache["LOCATION"] == PRODUCTION["REDIS_URL"]
    assert environment.model_dump(include={"environment", "release", "commit", "deploy_id"}) == {
        "environment": "production",
        "release": "v1.2.3",
        "commit": "0123456789abcdef",
        "deploy_id": "deploy-7",
    }


def test_missing_variables() -> None:
    with pytest.raises(InvalidEnvironmentError) as caught:
        read_environment()

    message = str(caught.value)
    assert "DJANGO_SECRET_KEY is missing" in message
    assert "DJANGO_ALLOWED_HOSTS is missing" in message
    assert "DATABASE_URL is missing" in message
    assert "REDIS_URL is missing" in message
    assert "ENVIRONMENT is missing" in message
    assert "RELEASE is missing" in message
    assert "COMMIT is missing" in message
    assert "DJANGO_CSRF_TRUSTED_ORIGINS" not in message
    assert "SENTRY_DSN" not in message
    assert "\nhint: " in message


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "sword fish"),
        ("RELEASE", "sword/fish"),
        ("RELEASE", "-swordfish"),
        ("COMMIT", "swordfish"),
        ("DEPLOY_ID", "swordfish\n"),
        ("DJANGO_SECRET_KEY", "swordfish"),
        ("DJANGO_SECRET_KEY_FALLBACKS", "swordfish" * 6 + ",swordfish"),
        ("TRUSTED_PROXIES", "swordfish"),
        ("TRUSTED_PROXIES", "-1"),
        ("REDIS_URL", "swordfish"),
        ("REDIS_URL", "http://:swordfish@cache.example.com"),
        ("REDIS_URL", "redis://:swordfish@cache.example.com:port"),
        ("REDIS_URL", "redis://cache:12/swordfish@cache.example.com"),
        ("REDIS_URL", "redis://cache:12#swordfish@cache.example.com"),
        ("SENTRY_DSN", "swordfish"),
        ("SENTRY_DSN", "https://sentry.example.com/swordfish"),
        ("SENTRY_DSN", "https://swordfish@sentry.example.com/"),
        ("METRICS_TOKEN", "swordfish"),
        ("STRIPE_SECRET_KEY", "swordfish"),  # billing
        ("STRIPE_WEBHOOK_SECRET", "swordfish"),  # billing
        ("STRIPE_PRICE_ID", "swordfish"),  # billing
        ("STRIPE_API_BASE", "swordfish"),  # billing
        ("SENTRY_DSN", "https://key@sentry:12/swordfish@sentry.example.com/1"),
        ("PUBLIC_URL", "swordfish.example.com"),
        ("PUBLIC_URL", "https://swordfish.example.com:99999"),
        ("PUBLIC_URL", "https://*.swordfish.example.com"),
        ("PUBLIC_URL", "https://swördfish.example.com"),
        ("PUBLIC_URL", "https://-swordfish"),
        ("EMAIL_URL", "swordfish"),
        ("EMAIL_URL", "smtp://owner:swordfish@"),
        ("EMAIL_URL", "smtp://owner:swordfish@mail:port"),
        ("EMAIL_URL", "smtp://owner:12?swordfish@mail"),
        ("EMAIL_URL", "smtp://owner:swordfish@mail?tls=maybe"),
        ("EMAIL_FROM", "swordfish"),
        ("EMAIL_FROM", "swordfish\n@example.com"),
        ("FIELD_ENCRYPTION_KEY", "swordfish"),
        ("FIELD_ENCRYPTION_KEY", ","),
        ("PROMETHEUS_MULTIPROC_DIR", "/swordfish"),
        ("LOG_LEVEL", "swordfish"),
        ("DJANGO_ALLOWED_HOSTS", ","),
        ("DJANGO_ALLOWED_HOSTS", "https://swordfish.example.com"),
        ("DJANGO_ALLOWED_HOSTS", "swordfish:8000"),
        ("DJANGO_ALLOWED_HOSTS", "*."),
        ("DJANGO_CSRF_TRUSTED_ORIGINS", "swordfish.example.com"),
        ("DJANGO_CSRF_TRUSTED_ORIGINS", "https://swordfish.example.com/path"),
        ("DJANGO_CSRF_TRUSTED_ORIGINS", "https://swordfish.example.com:0"),
        ("DATABASE_URL", "swordfish"),
        ("DATABASE_URL", "mysql://owner:swordfish@localhost/ledger"),
        ("DATABASE_URL", "postgres://owner:swordfish@localhost:port/ledger"),
        ("DATABASE_URL", "postgres://owner:swordfish@localhost"),
        ("DATABASE_URL", "postgres://owner:12/swordfish@localhost/ledger"),
        ("DATABASE_URL", "postgres://owner:swordfish@localhost/ledger?pool=true"),
        ("DATABASE_URL", "postgres://owner@localhost/ledger?password=swordfish"),
    ],
)
def test_malformed_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidEnvironmentError, match=f"{name} is malformed") as caught:
        read_environment()

    assert "swordfish" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("production")
def test_empty_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    with pytest.raises(InvalidEnvironmentError, match="DATABASE_URL is missing"):
        read_environment()


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(("query", "seconds"), [("", 3), ("?connect_timeout=2", "2")])
def test_database_timeouts(monkeypatch: pytest.MonkeyPatch, query: str, seconds: int | str) -> None:
    monkeypatch.setenv("DATABASE_URL", PRODUCTION["DATABASE_URL"] + query)

    assert read_environment().database["OPTIONS"] == TIMEOUTS | {"connect_timeout": seconds}


@pytest.mark.usefixtures("production")
def test_variable_overrides_default() -> None:
    environment = read_environment(django_allowed_hosts="localhost")

    assert environment.django_allowed_hosts == ["www.example.com", ".example.org"]


@pytest.mark.usefixtures("production")
def test_secret_key_fallbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY_FALLBACKS", f"{'a' * 50}, {'b' * 50}")
    keys = read_environment().django_secret_key_fallbacks

    assert [key.get_secret_value() for key in keys] == ["a" * 50, "b" * 50]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENTRY_DSN", "https://key@sentry.example.com/1"),
        ("REDIS_URL", "rediss://user:password@cache.example.com"),
        ("PROMETHEUS_MULTIPROC_DIR", "/"),
        ("COMMIT", "unknown"),
        ("DJANGO_CSRF_TRUSTED_ORIGINS", "https://*.example.com:8443,http://[::1]"),
        ("PUBLIC_URL", "https://127.0.0.1:8443"),
        ("LOG_LEVEL", "DEBUG"),
    ],
)
def test_valid_values(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    read_environment()


@pytest.mark.usefixtures("production")
def test_session_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = read_environment()
    monkeypatch.delenv("REDIS_URL")
    alone = read_environment(redis_url=None)

    assert shared.session_engine.endswith(".cached_db")
    assert alone.session_engine.endswith(".db")
    assert shared.cache["BACKEND"].endswith(".RedisCache")
    assert alone.cache["BACKEND"].endswith(".LocMemCache")
    assert shared.cache["VERSION"] == alone.cache["VERSION"] == CACHE_FORMAT


@pytest.mark.usefixtures("production")
def test_repr_holds_no_secret() -> None:
    printed = repr(read_environment())

    assert "swordfish" not in printed
    assert PRODUCTION["DJANGO_SECRET_KEY"] not in printed


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("host", ["*", "localhost", "10.0.0.1", "[::1]", ".example.com", "web_1"])
def test_valid_hosts(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", host)

    assert read_environment().django_allowed_hosts == [host]
