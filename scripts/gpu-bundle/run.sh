#!/usr/bin/env bash
# Runs selfnorm's tests and benches on this machine's GPU and leaves the results in a folder: at most eight files, no deeper
# folders. Each part has its own time limit and a part that fails does not stop the rest; all of it ends within nine minutes.
#   bash run.sh OUTDIR [all|tests|bench]
# SELFNORM_BUNDLE_DEVICE=cpu: the CPU stands in, on small sizes, to try the bundle where there is no GPU.
set -u
out=${1:?usage: bash run.sh OUTDIR [all|tests|bench]}
what=${2:-all}
mkdir -p "$out"
out=$(cd "$out" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
started=$SECONDS
budget=525
work=$(mktemp -d "${TMPDIR:-/tmp}/selfnorm-gpu.XXXXXX")
trap 'rm -rf "$work"' EXIT
exec > >(tee "$out/run.log") 2>&1

say() { echo "[$((SECONDS - started)) s] $*"; }

# xz is not everywhere, Python's lzma nearly is.
unpack() {
  if command -v xz >/dev/null; then xz -dc "$1"; else python3 -c 'import lzma,shutil,sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"; fi
}

# part NAME LIMIT LOG COMMAND...: runs within its limit and what is left of the budget; notes how it ended and the seconds.
part() {
  local name=$1 limit=$2 log=$3 begun=$SECONDS left status
  shift 3
  left=$((budget - (SECONDS - started)))
  if [ "$left" -lt 10 ]; then
    echo "$name skipped 0 no time was left" >>"$work/parts"
    return
  fi
  [ "$limit" -gt "$left" ] && limit=$left
  say "$name (at most $limit s)"
  timeout -k 5 "$limit" "$@" >"$work/log" 2>&1
  status=$?
  # The end of a long log says more than its beginning.
  tail -c 8000000 "$work/log" >>"$out/$log"
  case $status in
    0) echo "$name ok $((SECONDS - begun))" ;;
    124 | 137) echo "$name timeout $((SECONDS - begun)) stopped after $limit s" ;;
    *) echo "$name failed $((SECONDS - begun)) exit code $status" ;;
  esac >>"$work/parts"
  say "$name: $(tail -n 1 "$work/parts")"
  return "$status"
}

say "unpacking"
unpack "$here/node.xz" >"$work/node" && chmod +x "$work/node" && unpack "$here/tree.tar.xz" | tar -xf - -C "$work" || exit 1
mkdir "$work/bin" && mv "$work/node" "$work/bin/node"
export PATH="$work/bin:$PATH"
# After the machine's own, so that nothing of ours hides a library that CUDA brings.
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/selfnorm/lib"
cd "$work/selfnorm" || exit 1
touch "$work/parts"
python=${SELFNORM_PEERS_PYTHON:-python3}

part doctor 60 doctor.txt node bin/selfnorm.mjs doctor
part nvidia-smi 20 doctor.txt nvidia-smi

device=${SELFNORM_BUNDLE_DEVICE:-cuda}
reason=
if [ "$device" = cuda ]; then
  try="const sn = require('./dist/index.cjs'); sn.setDevice('cuda');
    const sum = sn.add(sn.tensor([1, 2]), sn.tensor([3, 4])).dataSync();
    if (sum[0] !== 4 || sum[1] !== 6) throw new Error('1 + 3, 2 + 4 came out as ' + sum);
    console.log(JSON.stringify(sn.devices()));"
  if part first-add 60 doctor.txt node -e "$try"; then :; else
    reason=$(grep -E 'Error( \[[A-Z_]+\])?: ' "$out/doctor.txt" | tail -n 1 | sed -E 's/^[A-Za-z]*Error( \[[A-Z_]+\])?: //')
    reason=${reason:-see doctor.txt}
    device=cpu
    say "CUDA did not work: $reason"
  fi
else
  reason="SELFNORM_BUNDLE_DEVICE=$device: CUDA was not asked for"
fi
export SELFNORM_DEVICE=$device

if [ "$what" != bench ]; then
  # CUDA contexts of many processes share the GPU's time: a few workers keep it busy.
  part suite 250 suite.log node node_modules/vitest/vitest.mjs run --typecheck.enabled=false --maxWorkers=6 --reporter=dot \
    --reporter=json --outputFile.json="$out/suite.json" --exclude 'test/package/**' --exclude 'test/native-loading/**'

  # Out-of-bounds and misaligned accesses of every kernel that the stored cases reach.
  if [ "$device" = cuda ] && command -v compute-sanitizer >/dev/null; then
    part sanitizer 90 suite.log compute-sanitizer --tool memcheck --target-processes all --error-exitcode 9 \
      node node_modules/vitest/vitest.mjs run test/ops/fixtures.test.ts --typecheck.enabled=false --maxWorkers=1 \
      --testTimeout=60000 -t 'float32 values'
  else
    echo "sanitizer skipped 0 no compute-sanitizer, or no CUDA" >>"$work/parts"
  fi
fi

# Both sides time the same rows; the compiler's are last, since each takes it long.
if [ "$what" != tests ]; then
  peer_device=$([ "$device" = cuda ] && echo cuda || echo cpu)
  size=$([ "$device" = cuda ] || echo --short)
  seconds=$([ "$device" = cuda ] && echo 0.2 || echo 0.01)
  node --import tsx bench/gpu/write-rows.ts "$work/rows.json" $size
  torch=("$python" bench/gpu/torch_gpu.py "$work/rows.json" --seconds "$seconds" --device "$peer_device" --mode)
  part bench 170 bench.jsonl node --import tsx bench/gpu/selfnorm.ts "$work/rows.json" --seconds "$seconds"
  part bench-torch 120 bench.jsonl "${torch[@]}" eager
  part bench-compiled 200 bench.jsonl "${torch[@]}" compile
  # Where the drawing libraries are, the same command on bench.jsonl draws the roofline as well.
  part report 60 doctor.txt node --import tsx bench/gpu/report.ts "$work/rows.json" "$out/bench.jsonl" "$work/report"
  cp "$work/report/table.md" "$out/bench.md"
fi

node scripts/gpu-bundle/summarize.mjs "$out" "$work/parts" "$device" "$reason"
say "done"
