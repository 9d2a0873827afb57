#!/usr/bin/env bash
# How long a short question waits for its first token, from the start of the process, and how much of that the JIT takes.
# usage: bench/startup.sh [ROUNDS]     builds Release first; one more round warms the file cache and is not counted
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-7}
dotnet build -c Release src/OpenHearth.Cli -v:q -nologo >&2
hearth=src/OpenHearth.Cli/bin/Release/net10.0/hearth

measure() { # label, then the environment
  local label=$1 lines=""
  shift
  for ((i = 0; i <= rounds; i++)); do
    line=$(env "$@" "$hearth" run smollm2 "Why is the sky blue?" --temperature 0 --max-tokens 1 --verbose 2>&1 >/dev/null | grep 'first token')
    [ "$i" -gt 0 ] && lines+=$(sed -E 's/.*first token ([0-9]+) ms.*JIT ([0-9]+) ms, ([0-9]+) methods.*/\1 \2 \3/' <<<"$line")$'\n'
  done
  sort -n <<<"${lines%$'\n'}" | awk -v label="$label" '{ first[NR] = $1; jit[NR] = $2; methods[NR] = $3 }
    END { m = int((NR + 1) / 2); printf "%-24s first token %5d ms (lowest %d, highest %d), JIT %4d ms = %2d %%, %d methods\n", label, first[m], first[1], first[NR], jit[m], 100 * jit[m] / first[m], methods[m] }'
}

measure "as built" DOTNET_NOLOGO=1
measure "without ReadyToRun" DOTNET_ReadyToRun=0
