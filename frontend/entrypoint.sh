#!/bin/sh
# Configure nginx from environment variables, and stop it without losing requests.
#
# BACKEND_UPSTREAM  the API, as host:port
# ENVIRONMENT       name of the environment in error reports, such as staging
# RELEASE           version of the release
# SENTRY_DSN        where the page reports errors; off if empty
# DRAIN_SECONDS     how long to serve after SIGTERM: load balancers need time to stop routing here
#
# nginx itself reads no variables, and its own SIGTERM handler cuts connections.
set -eu

server=''
drain() {
  trap quit TERM
  [ -n "$server" ] || exit 0
  echo "draining: still serving requests for $DRAIN_SECONDS s" >&2
  { sleep "$DRAIN_SECONDS" && end; } &
}
quit() {
  [ -n "$server" ] || exit 0
  end &
}
# nginx ignores signals until it has installed its handlers, so repeat until it has stopped.
end() { while kill -QUIT "$server" 2> /dev/null; do sleep 0.2; done; }
trap drain TERM
trap quit INT QUIT

refuse() {
  printf 'error: the web server cannot start: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

: "${BACKEND_UPSTREAM:=backend:8000}" "${DRAIN_SECONDS:=5}"
: "${ENVIRONMENT:=unknown}" "${RELEASE:=unknown}" "${SENTRY_DSN:=}"
case $BACKEND_UPSTREAM in
  *[!A-Za-z0-9.:_-]* | :* | *: | *:*[!0-9]* | *:*:*) valid='' ;;
  *:*) valid=yes ;;
  *) valid='' ;;
esac
[ -n "$valid" ] || refuse 'BACKEND_UPSTREAM is malformed' 'set it to host:port, such as backend:8000'
case $DRAIN_SECONDS in
  *[!0-9.]* | *.*.* | .) refuse 'DRAIN_SECONDS is malformed' 'set it to seconds, 0 or more' ;;
esac
# These values go into JSON, the nginx configuration and a header: allow no special characters.
case $ENVIRONMENT$RELEASE in
  *[!A-Za-z0-9._+-]*)
    refuse 'ENVIRONMENT or RELEASE is malformed' 'use only letters, digits and . _ + -' ;;
esac
case $SENTRY_DSN in
  *[!A-Za-z0-9.:/@_-]*) valid='' ;;
  '' | http://*@*/* | https://*@*/*) valid=yes ;;
  *) valid='' ;;
esac
[ -n "$valid" ] || refuse 'SENTRY_DSN is malformed' 'set it to https://key@host/project, or unset it'

# The content security policy allows the page to connect to this origin only.
reports_to=${SENTRY_DSN#*@}
reports_to=${SENTRY_DSN:+ ${SENTRY_DSN%%://*}://${reports_to%%/*}}

# nginx must resolve the backend repeatedly: its containers and their addresses change.
resolvers=''
while read -r keyword address _ || [ -n "$keyword" ]; do
  [ "$keyword" = nameserver ] || continue
  case $address in
    *:*) resolvers="$resolvers [$address]" ;;
    *) resolvers="$resolvers $address" ;;
  esac
done < /etc/resolv.conf
[ -n "$resolvers" ] || refuse '/etc/resolv.conf has no nameserver' 'connect the container to a network with DNS'

cat > /tmp/runtime.conf << END || refuse '/tmp cannot be written' 'mount a tmpfs there'
resolver$resolvers valid=1s ipv6=off;
map '' \$backend { default $BACKEND_UPSTREAM; }
map '' \$reports_to { default '$reports_to'; }
map '' \$configuration {
  default '{"environment": "$ENVIRONMENT", "release": "$RELEASE", "sentryDsn": "$SENTRY_DSN"}';
}
END

nginx -e stderr -g 'daemon off;' &
server=$!
while true; do
  code=0
  wait "$server" || code=$?
  # A signal also ends `wait`, while nginx is still running.
  kill -0 "$server" 2> /dev/null || exit "$code"
done
