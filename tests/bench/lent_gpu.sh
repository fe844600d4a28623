#!/usr/bin/env bash
# Runs a built tree on a machine that has a GPU and nothing to build with: what the hardware alone can answer, in one call.
#
#   tests/bench/lent_gpu.sh TREE [STEP...]        logs go to $OUT (or ./out); a table is printed at the end
#
# TREE holds bin/, lib/ and lib/pantile/ as `cmake --install` or a build folder has them, peers/ (the rivals' script), and
# libs/ with shared libraries that such a machine may lack. Steps, in order; the default is all of them:
#   driver        the device half alone: descriptors, records, faults, host cost of a launch
#   conformance   every operator against the interpreter, for CONFORMANCE_SECONDS (120)
#   check         a few kernels by the command line, against the interpreter
#   peers         Pantile beside PyTorch: PEERS_ONLY, PANTILE_BENCH_TUNE and PANTILE_BENCH_CONFIG as the scripts say
set -uo pipefail
tree=$(realpath "$1")
shift
steps=${*:-driver conformance check peers}
out=${OUT:-out}
mkdir -p "$out"
export LD_LIBRARY_PATH=$tree/lib:$tree/libs:${LD_LIBRARY_PATH:-} PANTILE_BACKEND=cuda PANTILE_CACHE_DIR=${PANTILE_CACHE_DIR:-$tree/cache}
mkdir -p "$PANTILE_CACHE_DIR" && chmod 700 "$PANTILE_CACHE_DIR"
failed=0
step() { # NAME COMMAND...
  local name=$1 from=$SECONDS
  shift
  "$@" >"$out/$name.log" 2>&1
  local code=$?
  printf '%-12s %-6s %4ds  %s\n' "$name" "$([ $code -eq 0 ] && echo ok || echo "rc $code")" $((SECONDS - from)) "$(tail -n 1 "$out/$name.log" | cut -c1-100)"
  [ $code -eq 0 ] || failed=1
}
check() {
  local bad=0
  while read -r kernel dtype shape; do
    echo "== $kernel $dtype $shape"
    timeout 60 "$tree/bin/pantile" run "$kernel" --dtype "$dtype" --shape "$shape" --check || bad=1
  done <<'LIST'
add f32 n=1000003
softmax bf16 m=300,n=1000
layer_norm bf16 m=100,n=777
matmul bf16 m=512,n=512,k=512
matmul bf16 m=130,n=200,k=72
matmul f16 m=136,n=200,k=64
matmul f32 m=100,n=60,k=33
sum f32 m=100,n=1000
LIST
  return $bad
}
"$tree/bin/pantile" devices >"$out/devices.log" 2>&1
grep -i -A3 cuda "$out/devices.log" | head -5
for name in $steps; do
  case $name in
  driver) step driver "$tree/tests/cuda_real_device_test" ;;
  conformance) step conformance timeout $((${CONFORMANCE_SECONDS:-120} + 60)) "$tree/bin/pantile-conformance" --backend cuda --rounds 4 --seconds "${CONFORMANCE_SECONDS:-120}" ;;
  check) step check check ;;
  peers)
    export PANTILE_LIBRARY=$tree/lib/libpantile.so.0 PYTHONPATH=$tree/bench:$tree/peers:${PYTHONPATH:-}
    step peers timeout "${PEERS_SECONDS:-200}" python3 "$tree/peers/peers_gpu.py" --peers "${PEERS:-copy,torch,pantile}" --only "${PEERS_ONLY:-}" \
      --out "$out/peers.json" --deadline "$((${PEERS_SECONDS:-200} - 20))"
    python3 - "$out/peers.json" <<'PY'
import json, sys

rows = json.load(open(sys.argv[1]))
torch = {r["workload"]: r["ms"] for r in rows if r["peer"] == "torch" and "ms" in r}
print(f"{'workload':<42}{'peer':<9}{'status':<8}{'us':>10}{'TFLOP/s':>9}{'GB/s':>8}{'torch/it':>9}{'error':>10}")
for r in rows:
    ms = r.get("ms")
    ratio = f"{torch[r['workload']] / ms:.2f}" if ms and r["workload"] in torch else ""
    print(f"{r['workload']:<42}{r['peer']:<9}{r.get('status', '')[:7]:<8}{ms * 1e3 if ms else 0:>10.1f}"
          f"{r.get('tflops', ''):>9}{r.get('gbps', ''):>8}{ratio:>9}{r.get('error', 0):>10.1e}")
PY
    ;;
  *) echo "unknown step $name" >&2; exit 2 ;;
  esac
done
grep -h "host cost of a launch" "$out"/*.log
exit $failed
