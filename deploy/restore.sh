# Read a dump into a database of its own, and let it change places with the one that is there; or
# let them change back. Until they do, and if anything fails, the app has its database as it was.
# $1: the dump to restore; `--back` puts back what the last restore replaced
trap 'exit 1' TERM # or process 1 would not hear it, and what EXIT puts right would stay wrong
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }
admin() { sql --dbname='service=app dbname=template1' "$@"; }

db=$(sql --command='select current_database()')
case $db in
  *[!A-Za-z0-9_-]*) echo "a database called $db cannot be restored like this" >&2 && exit 1 ;;
esac
restored=${db}_restored replaced=${db}_replaced

# $1: takes the place of the app's database    $2: what that one is called from then on
swap() {
  # Close all connections, and allow no new ones until the database is renamed.
  admin --command="alter database \"$db\" allow_connections false"
  trap 'admin --command="alter database \"$db\" allow_connections true"' EXIT
  admin --command="drop database if exists \"$2\" with (force)"
  admin --output=/dev/null --command="select pg_terminate_backend(pid) from pg_stat_activity
    where datname in ('$db', '$1')"
  admin --command="begin" \
    --command="alter database \"$db\" rename to \"$2\"" \
    --command="alter database \"$1\" rename to \"$db\"" \
    --command="alter database \"$2\" allow_connections true" \
    --command="commit"
  trap - EXIT
}

# $1: the dump
restore() {
  admin --command="drop database if exists \"$restored\" with (force)"
  form=$(admin --command="select format('encoding %L lc_collate %L lc_ctype %L',
    pg_encoding_to_char(encoding), datcollate, datctype) from pg_database where datname = '$db'")
  admin --command="create database \"$restored\" template template0 $form"
  pg_restore --exit-on-error --dbname="service=app dbname=$restored" "/dumps/$1.dump"
  swap "$restored" "$replaced"
}

case "$1" in
  --back) swap "$replaced" "$restored" ;;
  *) restore "$1" ;;
esac
