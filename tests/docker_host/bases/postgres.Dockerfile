# postgres:18-trixie: makes its cluster in the volume at the first start, with POSTGRES_PASSWORD.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt groupadd --system --gid 999 postgres \
  && useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql postgres \
  && apt-get update && apt-get install --yes --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/* \
  && rm -rf /var/lib/postgresql/* && mkdir --parents /var/run/postgresql && chown postgres: /var/lib/postgresql /var/run/postgresql
COPY --chmod=755 postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/18/docker PATH=/usr/lib/postgresql/17/bin:$PATH
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
