# Runs the calls after the candidate and writes what each prints to descriptor 8, after the token that stdin gave; it holds no expected value.
bash -n /job/candidate.sh || exit 2
read -r dataflow_token
source /job/candidate.sh > /dev/null < /dev/null 8>&-
set +eu
for dataflow_call in $(ls /job/calls | sort -n); do
  if ! bash -n "/job/calls/$dataflow_call"; then
    builtin printf '%s{"i":%d,"error":"syntax error"}\n' "$dataflow_token" "$dataflow_call" >&8
    continue
  fi
  dataflow_value=$(eval "$(< "/job/calls/$dataflow_call")" < /dev/null 8>&-)
  dataflow_status=$?
  if [ "$dataflow_status" -ne 0 ]; then
    builtin printf '%s{"i":%d,"error":"exit status %d"}\n' "$dataflow_token" "$dataflow_call" "$dataflow_status" >&8
  else
    builtin printf '%s{"i":%d,"value":{"base64":"%s"}}\n' "$dataflow_token" "$dataflow_call" "$(builtin printf %s "$dataflow_value" | base64 -w 0)" >&8
  fi
done
exit 0
