# Dump the database of the service file, read the dump as a restore would, keep the newest ones.
# $1: what the dump is called    $2: how many are kept
trap 'exit 1' TERM # or process 1 would not hear it
umask 077
cd /dumps
trap 'rm -f "$1.part"' EXIT
pg_dump --format=custom --lock-wait-timeout=10s --file="$1.part"
pg_restore --file=/dev/null "$1.part"
mv "$1.part" "$1.dump"
for dump in *.dump; do echo "$dump"; done | sort --reverse | tail --lines=+"$(($2 + 1))" |
  while read -r old; do rm "$old"; done
