# axllent/mailpit: accepts mail on 1025, and has its health check on 8025; it shows none.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt apt-get update \
  && apt-get install --yes --no-install-recommends python3-aiosmtpd && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 mailpit /mailpit
EXPOSE 1025 8025
ENTRYPOINT ["/mailpit"]
