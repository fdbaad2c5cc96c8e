# registry:3: keeps what is pushed under /var/lib/registry, and may delete it.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt apt-get update \
  && apt-get install --yes --no-install-recommends docker-registry && rm -rf /var/lib/apt/lists/*
RUN mkdir --parents /etc/distribution /var/lib/registry && printf '%s\n' 'version: 0.1' 'storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}' \
  'http: {addr: ":5000"}' > /etc/distribution/config.yml
VOLUME /var/lib/registry
EXPOSE 5000
ENTRYPOINT ["docker-registry", "serve", "/etc/distribution/config.yml"]
