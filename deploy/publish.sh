# Lay the files of this image's page beside those of others, and write down which are its own.
# $1: what the list is called
cp --recursive --no-clobber /srv/www/assets /published/
mkdir -p /published/pages
(cd /srv/www/assets && find . -type f) > "/published/pages/$1.part"
mv "/published/pages/$1.part" "/published/pages/$1"
