"""llama.cpp's speed on one GGUF file: prints {"prefill_tokens_per_s", "decode_tokens_per_s"} of 512 and 64 tokens.

python llama_cpp_speed.py MODEL.gguf THREADS
"""

import json
import sys
import time

from llama_cpp import Llama

PREFILL, DECODE, ROUNDS = 512, 64, 5


def main() -> None:
    path, threads = sys.argv[1], int(sys.argv[2])
    llama = Llama(path, n_threads=threads, n_threads_batch=threads, n_ctx=1024, n_batch=PREFILL, n_ubatch=PREFILL, verbose=False)
    prompt = [(i * 7919 + 13) % llama.n_vocab() for i in range(PREFILL)]
    prefill = decode = float("inf")
    for _ in range(ROUNDS):
        llama.reset()
        start = time.perf_counter()
        llama.eval(prompt)
        prefill = min(prefill, time.perf_counter() - start)
        llama.reset()
        llama.eval(prompt[:32])
        start = time.perf_counter()
        for i in range(DECODE):
            llama.eval([prompt[i]])
        decode = min(decode, time.perf_counter() - start)
    print(json.dumps({"prefill_tokens_per_s": PREFILL / prefill, "decode_tokens_per_s": DECODE / decode}))


if __name__ == "__main__":
    main()
