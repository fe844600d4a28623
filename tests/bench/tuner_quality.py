"""What tuning finds in 10 s and 60 s, beside an exhaustive search of the same space.

For each case, `pantile tune --strategy exhaustive` over a reduced space writes a journal of every configuration's times. Then every
strategy tunes for each budget, with an empty cache of its own; what it returns is looked up in the journal, so that the ratio
best / found compares times of one and the same run. `--case`, `--budgets` and `--strategies` choose; the journals are kept in
`--folder`, and a run over the same folder resumes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# Enough is fixed that a search of everything ends within minutes; what is left is what matters most.
CASES = {
    "matmul 512": (
        ["matmul", "--shape", "m=512,n=512,k=512"],
        "{num_threads = 1, chunk = 0, unroll = 0, mr = 0, nr = 0, split_k = 1, bm = [16, 32, 64, 128, 256, 512], "
        'bn = [16, 32, 64, 128, 256, 512], bk = [32, 64, 128, 256, 512], "l2_groupings.0" = [1, 64]}',
    ),
    "softmax 4096x1024": (
        ["softmax", "--shape", "m=4096,n=1024"],
        "{num_threads = 1, chunk = 0}",
    ),
}


def environment(folder: str) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": folder, "XDG_CONFIG_HOME": folder, "PANTILE_CACHE_DIR": folder, "PANTILE_BACKEND": "cpu"}


def tune(program: Path, arguments: list[str], folder: str) -> dict:
    command = [str(program), "--json", "tune", *arguments]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def recorded(journal: Path) -> dict[str, float]:
    """Median microseconds by configuration."""
    times = {}
    for line in journal.read_text().splitlines():
        row = json.loads(line)
        if row.get("type") == "done" and row.get("samples"):
            times[row["config"]] = statistics.median(row["samples"])
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--budgets", default="10,60", help="seconds, comma separated")
    parser.add_argument("--strategies", default="model_rf,lfbo,pattern,differential_evolution,random")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folder", default="", help="where journals are kept; default: thrown away")
    parser.add_argument("--exhaustive-seconds", type=float, default=200)
    given = parser.parse_args()
    program = Path(given.build) / "bin" / "pantile"
    folder = given.folder or tempfile.mkdtemp()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for case in given.case or CASES:
        arguments, fixed = CASES[case]
        journal = Path(folder) / (case.replace(" ", "-") + ".jsonl")
        with tempfile.TemporaryDirectory() as cache:
            everything = [*arguments, "--fixed", fixed, "--strategy", "exhaustive", "--journal", str(journal)]
            tune(program, [*everything, "--seconds", str(given.exhaustive_seconds)], cache)
        times = recorded(journal)
        best = min(times.values())
        print(f"{case}: {len(times)} configurations, best {best:.1f} us, median {statistics.median(times.values()):.1f} us")
        for budget in given.budgets.split(","):
            for strategy in given.strategies.split(","):
                ratios, tried = [], []
                for seed in range(given.seeds):
                    with tempfile.TemporaryDirectory() as cache:
                        how = ["--strategy", strategy, "--seconds", budget, "--seed", str(seed)]
                        result = tune(program, [*arguments, "--fixed", fixed, *how], cache)
                    tried.append(result["tried"])
                    if result["configuration"] in times:
                        ratios.append(best / times[result["configuration"]])
                    else:
                        print(f"  {result['configuration']} is not in the journal", file=sys.stderr)
                if ratios:
                    found, count = statistics.mean(ratios), statistics.mean(tried)
                    print(f"  {budget:>4} s {strategy:<24} best/found {found:.3f}, {count:.0f} tried", flush=True)


if __name__ == "__main__":
    main()
