# Remove the files of pages that are not kept, but for those that a kept page has as well.
# $@: what the lists of the kept pages are called
rm -rf /published/new-* # of publishing that was ended
cd /published/pages
kept=$(mktemp)
for page in "$@"; do
  # Without its list its files are unknown: then all files stay.
  cat "$page" >> "$kept"
done
sort -u -o "$kept" "$kept"
for page in *; do
  case " $* " in
    *" $page "*) continue ;;
  esac
  sort "$page" | comm -23 - "$kept" | while read -r file; do
    rm -f "/published/assets/$file"
  done
  rm "$page"
done
