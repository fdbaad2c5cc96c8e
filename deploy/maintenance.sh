# Close the site on this node, or open it: the edge looks for this file.
# $1: on or off
case "$1" in
  on) touch /published/closed ;;
  off) rm -f /published/closed ;;
esac
