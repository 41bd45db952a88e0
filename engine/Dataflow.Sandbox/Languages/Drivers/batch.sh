# usage: batch.sh COUNT SECONDS MOST PROGRAM...
# Runs the program once for each of /job/inputs/0 …, and tells of each on descriptor 8: a line 'index status centiseconds
# out err', where out and err are sizes, and then that much of what it wrote to stdout and stderr, up to MOST bytes of each.
# It ends with the first that does not end well. It holds no expected output: nothing in here can decide a verdict.
count=$1 seconds=$2 most=$3
shift 3
index=0
while [ "$index" -lt "$count" ]; do
  read -r up _ < /proc/uptime
  started=${up%.*}${up#*.}
  # In a shell of its own: what this one says of a signal must not stand in the program's stderr.
  (exec timeout -s KILL "$seconds" "$@" < "/job/inputs/$index" > /tmp/.out 2> /tmp/.err 8>&-)
  status=$?
  read -r up _ < /proc/uptime
  # What it left running must not meet the next.
  kill -9 -1 2> /dev/null
  set -- "$(stat -c %s /tmp/.out)" "$(stat -c %s /tmp/.err)" "$@"
  echo "$index $status $((${up%.*}${up#*.} - started)) $1 $2" >&8
  [ "$1" -eq 0 ] || head -c "$most" /tmp/.out >&8
  [ "$2" -eq 0 ] || head -c "$most" /tmp/.err >&8
  [ "$status" -eq 0 ] && [ "$1" -le "$most" ] && [ "$2" -le "$most" ] || exit 0
  shift 2
  # Nor may the files that it left.
  rm -rf /tmp/* /tmp/.[!.]* /tmp/..?* /dev/shm/* /dev/shm/.[!.]*
  index=$((index + 1))
done
