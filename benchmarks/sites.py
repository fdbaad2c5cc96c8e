"""Public projects whose own migrations are tried: their packages, and the settings they need."""

from collections.abc import Mapping
from typing import NamedTuple


class Site(NamedTuple):
    """A project from PyPI."""

    packages: tuple[str, ...]
    app: str
    """Whose last migrations are new."""
    apps: tuple[str, ...]
    settings: str = ""
    values: Mapping[str, str] = {}
    """SQL for columns, as in `[migrations.values]` of pipeline.toml."""


DJANGO = (
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
)
SITES = {
    "wagtail": Site(
        packages=("wagtail==8.0.1",),
        app="wagtailcore",
        apps=(
            *(f"wagtail.{name}" for name in (
                "contrib.forms", "contrib.redirects", "contrib.search_promotions", "embeds",
                "sites", "users", "snippets", "documents", "images", "search", "admin",
            )),
            "wagtail", "modelcluster", "taggit", *DJANGO,
        ),
        settings='WAGTAIL_SITE_NAME = "x"; WAGTAILADMIN_BASE_URL = "http://x"',
        values={  # an earlier migration fills it, and the code does
            "wagtailcore_grouppagepermission.permission_id": "(SELECT min(id) FROM auth_permission)"
        },
    ),
    "django-oscar": Site(
        packages=("django-oscar==4.2.1", "sorl-thumbnail"),
        app="catalogue",
        apps=(
            *DJANGO, "django.contrib.flatpages", "oscar.config.Shop",
            *(f"oscar.apps.{path}.apps.{name}Config" for path, name in (
                ("analytics", "Analytics"), ("checkout", "Checkout"), ("address", "Address"),
                ("shipping", "Shipping"), ("catalogue", "Catalogue"),
                ("catalogue.reviews", "CatalogueReviews"), ("communication", "Communication"),
                ("partner", "Partner"), ("basket", "Basket"), ("payment", "Payment"),
                ("offer", "Offer"), ("order", "Order"), ("customer", "Customer"),
                ("search", "Search"), ("voucher", "Voucher"), ("wishlists", "Wishlists"),
                ("dashboard", "Dashboard"),
            )),
            *(f"oscar.apps.dashboard.{name}.apps.{name.title()}DashboardConfig" for name in (
                "reports", "users", "orders", "catalogue", "offers", "partners", "pages", "ranges",
                "reviews", "vouchers", "communications", "shipping",
            )),
            "widget_tweaks", "haystack", "treebeard", "sorl.thumbnail", "django_tables2",
        ),
        settings="""
            from oscar.defaults import *
            HAYSTACK_CONNECTIONS = {
                "default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}
            }
        """,
    ),
    "django-helpdesk": Site(
        packages=("django-helpdesk==2.6.1",),
        app="helpdesk",
        apps=(
            *DJANGO, "django.contrib.humanize", "django.contrib.staticfiles",
            "rest_framework", "helpdesk",
        ),
        settings="HELPDESK_TEAMS_MODE_ENABLED = False",
    ),
}  # fmt: skip
