# python:3.12-slim-trixie: CPython under /usr/local, as the official image has it.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install --yes --no-install-recommends \
  libbz2-1.0 libexpat1 libffi8 liblzma5 libncursesw6 libreadline8t64 libsqlite3-0 libssl3t64 netbase tzdata uuid-runtime zlib1g \
  && rm -rf /var/lib/apt/lists/*
COPY --from=interpreter bin /usr/local/bin
COPY --from=interpreter lib /usr/local/lib
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/test \
  && find /usr/local/bin -type l -o -type f ! -name 'python3*' -print | xargs --no-run-if-empty rm --force \
  && ln --symbolic --force python3.12 /usr/local/bin/python3 && ln --symbolic --force python3 /usr/local/bin/python \
  && find /usr/local -depth -name __pycache__ -exec rm -rf {} + \
  && ldconfig && python -m ensurepip --upgrade && ln --symbolic --force pip3 /usr/local/bin/pip
CMD ["python3"]
