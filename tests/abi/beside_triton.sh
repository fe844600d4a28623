#!/usr/bin/env bash
# Sets up a virtual environment with Triton, then runs beside_triton.py in a process for each order of loading.
# beside_triton.sh LIBPANTILE
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
environment=$here/../../build/python/triton
if [ ! -f "$environment/.complete" ]; then
  python3 -m venv "$environment"
  if ! "$environment/bin/pip" install --quiet --disable-pip-version-check triton==3.6.0 numpy==2.3.5; then
    echo "SKIPPED: Triton cannot be installed: this test needs the network (PyPI) once" >&2
    exit 77
  fi
  touch "$environment/.complete"
fi
for order in triton-first pantile-first; do
  for visibility in local global; do
    PANTILE_BACKEND=cpu "$environment/bin/python" "$here/beside_triton.py" "$1" $order $visibility
  done
done
