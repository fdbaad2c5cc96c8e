# nginx:stable-trixie: its user is number 101, it stops on QUIT.
FROM debian:trixie-slim
RUN --mount=type=cache,target=/var/cache/apt groupadd --system --gid 101 nginx \
  && useradd --system --gid nginx --uid 101 --no-create-home --shell /bin/false nginx \
  && apt-get update && apt-get install --yes --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-* \
  && mkdir --parents /usr/share/nginx/html
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
