# The backend's image as in the first plan of this project, for comparison. Corrected where it
# could not build or start: the dependencies come from the lock (there is no package to install with
# -e), gunicorn with them; the health check does without `requests`, which nothing installs; the
# app requires its release.
ARG PYTHON_IMAGE=python:3.12-slim
FROM ${PYTHON_IMAGE} AS builder

WORKDIR /app

RUN apt-get update && apt-get install -y \
    gcc \
    postgresql-client \
    && rm -rf /var/lib/apt/lists/*

COPY requirements/production.txt ./
RUN pip install --no-cache-dir -r production.txt && pip install --no-cache-dir gunicorn

FROM ${PYTHON_IMAGE}

WORKDIR /app

COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages
COPY --from=builder /usr/local/bin /usr/local/bin

COPY . .

RUN useradd -m -u 1000 appuser && chown -R appuser:appuser /app
USER appuser

HEALTHCHECK --interval=30s --timeout=3s --start-period=40s --retries=3 \
  CMD python -c "import urllib.request; urllib.request.urlopen('http://localhost:8000/api/v1/health/')"

ENV COMMIT=unknown RELEASE=unknown

EXPOSE 8000

CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000"]
