# Runs the calls after the candidate and writes what each prints to descriptor 8, after the token that stdin gave; it holds no expected value.
# After the candidate nothing is called that it may have defined otherwise, and no tool is looked for.
# A script that turns on more patterns does so before they are read.
dataflow_reader=(/usr/bin/bash -n)
grep -q extglob /job/candidate.sh && dataflow_reader=(/usr/bin/bash -O extglob -n)
"${dataflow_reader[@]}" /job/candidate.sh || exit 2
read -r dataflow_token
exec {dataflow_out}>&8
dataflow_calls() {
  builtin trap - EXIT
  builtin set +eu
  for ((dataflow_call = 0; ; dataflow_call++)); do
    [[ -e /job/calls/$dataflow_call ]] || builtin exit 0
    if ! "${dataflow_reader[@]}" "/job/calls/$dataflow_call"; then
      builtin printf '%s{"i":%d,"error":"syntax error"}\n' "$dataflow_token" "$dataflow_call" >&"$dataflow_out"
      continue
    fi
    dataflow_value=$(builtin eval "$(< "/job/calls/$dataflow_call")" < /dev/null 8>&- {dataflow_out}>&-)
    dataflow_status=$?
    if [[ $dataflow_status -ne 0 ]]; then
      builtin printf '%s{"i":%d,"error":"exit status %d"}\n' "$dataflow_token" "$dataflow_call" "$dataflow_status" >&"$dataflow_out"
    else
      builtin printf '%s{"i":%d,"value":{"base64":"%s"}}\n' "$dataflow_token" "$dataflow_call" "$(builtin printf %s "$dataflow_value" | /usr/bin/base64 -w 0)" >&"$dataflow_out"
    fi
  done
}
# A script that ends itself, and well, is loaded all the same.
trap 'dataflow_status=$?; [[ $dataflow_status -eq 0 ]] && dataflow_calls; builtin exit "$dataflow_status"' EXIT
source /job/candidate.sh > /dev/null < /dev/null 8>&-
dataflow_calls
