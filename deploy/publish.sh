# Copy the files of this image's page next to those of other releases, and list its own.
# $1: what the list is called
new="/published/new-$1" # a file comes whole or not at all, whenever this is ended
rm -rf "$new"
mkdir -p /published/pages
cp --recursive /srv/www/assets "$new"
cd "$new"
find . -type f > "/published/pages/$1.part"
while read -r file; do
  mkdir -p "/published/assets/${file%/*}"
  mv --no-clobber "$file" "/published/assets/$file"
done < "/published/pages/$1.part"
mv "/published/pages/$1.part" "/published/pages/$1"
rm -r "$new"
