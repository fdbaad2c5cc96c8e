# The frontend's image as in the first plan of this project, for comparison. Corrected where it
# could not build or start: all packages are installed, since the build tools are among those for
# development; the health check uses the port of our configuration, without wget;
# nginx.conf of this repository needs its entrypoint; it runs as
# nginx's user, since Compose starts it without rights.
ARG NODE_IMAGE=node:24-alpine
ARG NGINX_IMAGE=nginx:alpine
FROM ${NODE_IMAGE} AS builder

WORKDIR /app

COPY package*.json .npmrc ./
RUN npm ci

COPY . .
RUN npm run build

FROM ${NGINX_IMAGE}

COPY --from=builder /app/dist /srv/www
COPY nginx.conf /etc/nginx/nginx.conf
COPY entrypoint.sh /usr/local/bin/entrypoint.sh

HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD bash -c "exec 3<> /dev/tcp/127.0.0.1/8080" || exit 1

USER 101

EXPOSE 8080

CMD ["sh", "/usr/local/bin/entrypoint.sh"]
