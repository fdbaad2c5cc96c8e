#!/bin/sh
# Start nginx with what this container's environment says, and stop it without losing a request.
#
# BACKEND_UPSTREAM  where the API answers, as host:port
# ENVIRONMENT       what the page is to call the place where it runs, such as staging
# RELEASE           and the version that runs
# SENTRY_DSN        where the page reports its errors; nowhere if empty
# DRAIN_SECONDS     how long SIGTERM lets it serve on: who routes requests has not heard of it yet
#
# nginx itself can do neither: it reads no variables, and its own SIGTERM cuts connections.
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
# nginx misses a signal that comes before it listens to signals: say it until it is gone.
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
# They become text of JSON, of nginx and of a header: nothing may mean more than itself there.
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

# The page may speak with the host of that address, and no other.
reports_to=${SENTRY_DSN#*@}
reports_to=${SENTRY_DSN:+ ${SENTRY_DSN%%://*}://${reports_to%%/*}}

# A name that is looked up once would be the address of a container that was replaced long ago.
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
  # A signal ends the wait as well, while the server is still there.
  kill -0 "$server" 2> /dev/null || exit "$code"
done
