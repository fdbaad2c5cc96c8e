# redis:8-trixie: answers from outside without a password, as the official image does.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt groupadd --system --gid 999 redis \
  && useradd --system --gid redis --uid 999 redis \
  && apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \
  && mkdir --parents /data && chown redis: /data
COPY --chmod=755 redis-entrypoint /usr/local/bin/docker-entrypoint.sh
WORKDIR /data
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
