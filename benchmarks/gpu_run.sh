#!/usr/bin/env bash
# Everything that we measure on a machine with a GPU, by one command of at most 8 minutes:
#
#     benchmarks/gpu_run.sh OUT              on the GPU
#     benchmarks/gpu_run.sh --rehearse OUT   without one: the same programs, small and on the CPU
#
# It installs nothing and needs Python 3.11 or newer with torch, Triton and NumPy; pytest and
# transformers are used where they are. Each result is in OUT as soon as it is there: summary.txt has
# a line for each part, run.log what the programs printed, attention.jsonl each row, *.md the sections
# for RESULTS.md. PYTHON names another interpreter, GPU_RUN_SECONDS another limit.
set -u
rehearse=
if [ "${1:-}" = --rehearse ]; then rehearse=1; shift; fi
if [ $# -ne 1 ]; then
  echo "usage: benchmarks/gpu_run.sh [--rehearse] OUT" >&2
  exit 2
fi
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.." || exit 2

python=${PYTHON:-python3}
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
size=()
if [ -n "$rehearse" ]; then size=(--quick --device cpu); fi
end=$((SECONDS + ${GPU_RUN_SECONDS:-470}))
failed=0
rm -f "$out"/{attention.jsonl,attention.md,e2e.md}
: >"$out/summary.txt"
: >"$out/run.log"

say() { echo "$*" | tee -a "$out/summary.txt"; }

# part NAME SECONDS COMMAND...: run a command within its own limit and the whole run's.
part() {
  local name=$1 limit=$2 left=$((end - SECONDS)) start=$SECONDS code
  shift 2
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  if [ "$limit" -lt 5 ]; then
    say "$name: not run: no time is left"
    failed=1
    return
  fi
  echo "== $name: $*" >>"$out/run.log"
  timeout --kill-after=5 "$limit" "$@" >>"$out/run.log" 2>&1
  code=$?
  case $code in
    0) say "$name: done in $((SECONDS - start)) s" ;;
    5) if [ "$name" = tests ] && [ -n "$rehearse" ]; then say "tests: skipped, for want of a GPU"; return; fi
       say "$name: FAILED: no test ran" ;;
    124 | 137) say "$name: stopped at its limit of $limit s; its rows so far are kept" ;;
    *) say "$name: FAILED with exit code $code after $((SECONDS - start)) s; see run.log" ;;
  esac
  if [ "$code" -ne 0 ]; then failed=1; fi
}

part machine 60 "$python" -c '
import platform, sys
import numpy, torch
print("Python", platform.python_version(), "NumPy", numpy.__version__, "torch", torch.__version__)
try:
    import triton
    print("Triton", triton.__version__)
except ImportError as error:
    print("no Triton:", error)
if torch.cuda.is_available():
    print(torch.cuda.get_device_name(), torch.cuda.get_device_capability())
elif "--rehearse" not in sys.argv:
    sys.exit("torch finds no GPU here")
' ${rehearse:+--rehearse}

# Only the kernels' own tests: the options in pyproject.toml need plug-ins that may not be here.
if "$python" -c 'import pytest' 2>/dev/null; then
  part tests 150 "$python" -m pytest -q -ra -c /dev/null --rootdir=. --noconftest \
    -p no:cacheprovider --import-mode=importlib -W ignore::pytest.PytestUnknownMarkWarning \
    tests/attention/test_gpu.py
else
  say "tests: not run: pytest is not installed"
fi
part attention 200 "$python" benchmarks/attention_gpu.py ${size[@]+"${size[@]}"} "$out"
part e2e 180 "$python" benchmarks/e2e_gpu.py ${size[@]+"${size[@]}"} "$out"
exit $failed
