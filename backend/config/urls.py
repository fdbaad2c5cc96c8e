from django.contrib import admin
from django.urls import path

from apps.telemetry.views import metrics
from config.api import api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("metrics", metrics),
]
