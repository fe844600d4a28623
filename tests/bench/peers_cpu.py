"""Times what a user would pick instead, on this machine's CPU, side by side with Pantile.

All peers of a workload run interleaved in one process, round by round, so that a noisy neighbour hurts all alike; a
row prints each peer's best and median time and Pantile's ratio to the best peer (above 1 is faster). Before each timed
block the process waits until the idle workers of whoever ran last have stopped spinning (`settle`). Results are
checked against float64. Peers: OpenBLAS (numpy), PyTorch eager into a preallocated output, torch.compile.

    python3 peers_cpu.py [--threads 1,2] [--only sgemm,softmax] [--rounds 9] [--compile] [--out rows.json]

Pantile is measured through a module `peers_pantile` on PYTHONPATH with `peer(workload, threads) -> callable or None`
(`workload.name`, `.family`, `.inputs` numpy arrays or torch tensors, `.args`), its result comparable to `.reference()`.
"""

import argparse
import json
import os
import statistics
import sys
import time

for stale in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(stale, None)
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

try:
    import peers_pantile
except ImportError as error:
    peers_pantile = None
    print(f"pantile absent: {error}", file=sys.stderr)


class Workload:
    def __init__(self, name, inputs, reference, peers, work, unit, tol=1e-4, args=None):
        self.name, self.inputs, self.reference, self.peers = name, inputs, reference, peers
        self.work, self.unit, self.tol, self.args = work, unit, tol, args or {}

    @property
    def family(self):
        return self.name.split("/")[0]


def rand(*shape, dtype=torch.float32):
    return torch.randn(*shape).to(dtype)


def workloads(compiled):
    c = (lambda f: torch.compile(f, dynamic=False)) if compiled else (lambda f: None)
    for m, n, k in (
        (512,) * 3,
        (1024,) * 3,
        (2048,) * 3,
        (4096,) * 3,
        (1000, 700, 1300),
        (256, 256, 4096),
        (16, 4096, 4096),
        (4096, 16, 4096),
        (1, 4096, 4096),
    ):
        a, b = rand(m, k), rand(k, n)
        out, nout = torch.empty(m, n), np.empty((m, n), np.float32)
        yield Workload(
            f"sgemm/{m}x{n}x{k}",
            (a, b),
            lambda a=a, b=b: a.double() @ b.double(),
            {
                "openblas": lambda a=a.numpy(), b=b.numpy(), o=nout: np.matmul(a, b, out=o),
                "torch": lambda a=a, b=b, o=out: torch.mm(a, b, out=o),
            },
            2e-9 * m * n * k,
            "GFLOP/s",
        )
    for m, n, k in ((1024,) * 3, (2048,) * 3, (16, 4096, 4096)):
        a, b = rand(m, k, dtype=torch.bfloat16), rand(k, n, dtype=torch.bfloat16)
        yield Workload(
            f"gemm_bf16/{m}x{n}x{k}",
            (a, b),
            lambda a=a, b=b: a.double() @ b.double(),
            {"torch": lambda a=a, b=b, o=torch.empty(m, n, dtype=torch.bfloat16): torch.mm(a, b, out=o)},
            2e-9 * m * n * k,
            "GFLOP/s",
            tol=1e-2,
        )
    for m, n, k in ((1024,) * 3, (2048,) * 3):
        a, b = (torch.randint(-50, 50, s).to(torch.int8) for s in ((m, k), (k, n)))
        yield Workload(
            f"gemm_int8/{m}x{n}x{k}",
            (a, b),
            lambda a=a, b=b: a.double() @ b.double(),
            {"torch": lambda a=a, b=b: torch._int_mm(a, b)},
            2e-9 * m * n * k,
            "GOP/s",
            tol=0,
        )
    for dt, tag in ((torch.float32, "f32"), (torch.bfloat16, "bf16")):
        for causal in (False, True):
            q, k, v = (rand(1, 16, 1024, 64, dtype=dt) for _ in range(3))
            yield Workload(
                f"attention/{tag}/b1h16s1024d64{'/causal' if causal else ''}",
                (q, k, v),
                lambda q=q, k=k, v=v, causal=causal: F.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=causal),
                {"torch": lambda q=q, k=k, v=v, causal=causal: F.scaled_dot_product_attention(q, k, v, is_causal=causal)},
                4e-9 * 16 * 1024 * 1024 * 64 * (0.5 if causal else 1),
                "GFLOP/s",
                tol=2e-2 if tag == "bf16" else 1e-4,
                args={"causal": causal},
            )
    for m, n in ((4096, 1024), (2048, 32768)):
        x, w, b, o, t = rand(m, n), rand(n), rand(n), torch.empty(m, n), torch.randint(0, n, (m,))
        gb = 8e-9 * m * n
        yield Workload(
            f"softmax/{m}x{n}",
            (x,),
            lambda x=x: torch.softmax(x.double(), -1),
            {"torch": lambda x=x, o=o: torch.softmax(x, -1, out=o), "compile": c(lambda x=x: torch.softmax(x, -1))},
            gb,
            "GB/s",
        )
        yield Workload(
            f"layer_norm/{m}x{n}",
            (x, w, b),
            lambda x=x, w=w, b=b: F.layer_norm(x.double(), (x.shape[-1],), w.double(), b.double()),
            {
                "torch": lambda x=x, w=w, b=b: F.layer_norm(x, (x.shape[-1],), w, b),
                "compile": c(lambda x=x, w=w, b=b: F.layer_norm(x, (x.shape[-1],), w, b)),
            },
            gb,
            "GB/s",
        )
        yield Workload(
            f"rms_norm/{m}x{n}",
            (x, w),
            lambda x=x, w=w: F.rms_norm(x.double(), (x.shape[-1],), w.double(), 1e-5),
            {
                "torch": lambda x=x, w=w: F.rms_norm(x, (x.shape[-1],), w, 1e-5),
                "compile": c(lambda x=x, w=w: F.rms_norm(x, (x.shape[-1],), w, 1e-5)),
            },
            gb,
            "GB/s",
        )
        yield Workload(
            f"cross_entropy/{m}x{n}",
            (x, t),
            lambda x=x, t=t: F.cross_entropy(x.double(), t, reduction="none"),
            {
                "torch": lambda x=x, t=t: F.cross_entropy(x, t, reduction="none"),
                "compile": c(lambda x=x, t=t: F.cross_entropy(x, t, reduction="none")),
            },
            gb / 2,
            "GB/s",
        )
    size = 16 << 20
    x, y, o = rand(size), rand(size), torch.empty(size)
    yield Workload(
        "add/16777216",
        (x, y),
        lambda x=x, y=y: x.double() + y.double(),
        {"torch": lambda x=x, y=y, o=o: torch.add(x, y, out=o)},
        12e-9 * size,
        "GB/s",
    )
    yield Workload(
        "gelu_tanh/16777216",
        (x,),
        lambda x=x: F.gelu(x.double(), approximate="tanh"),
        {
            "torch": lambda x=x, o=o: torch.ops.aten.gelu.out(x, approximate="tanh", out=o),
            "compile": c(lambda x=x: F.gelu(x, approximate="tanh")),
        },
        8e-9 * size,
        "GB/s",
    )
    yield Workload("exp/16777216", (x,), lambda x=x: x.double().exp(), {"torch": lambda x=x, o=o: torch.exp(x, out=o)}, 8e-9 * size, "GB/s")
    z = rand(4096, 4096)
    yield Workload(
        "sum/4096x4096",
        (z,),
        lambda z=z: z.double().sum(-1),
        {
            "torch": lambda z=z, o=torch.empty(4096): torch.sum(z, -1, out=o),
            "numpy": lambda z=z.numpy(), o=np.empty(4096, np.float32): np.sum(z, -1, out=o),
        },
        4e-9 * z.numel(),
        "GB/s",
        tol=1e-3,
    )
    table, rows = rand(50000, 768), torch.randint(0, 50000, (8192,))
    yield Workload(
        "embedding/8192of50000x768",
        (table, rows),
        lambda t=table, r=rows: t.double()[r],
        {"torch": lambda t=table, r=rows, o=torch.empty(8192, 768): torch.index_select(t, 0, r, out=o)},
        8e-9 * 8192 * 768,
        "GB/s",
    )


def relative_error(out, reference):
    out = torch.as_tensor(np.asarray(out) if not torch.is_tensor(out) else out).double()
    if out.shape != reference.shape or not torch.isfinite(out).all():
        return float("inf")
    return ((out - reference).norm() / reference.norm().clamp_min(1e-30)).item()


def settle(limit=1.0):
    """Returns once this process uses no processor: a thread pool's idle workers spin for milliseconds after its last
    call (OpenBLAS some 30, OpenMP some 2), and would hold a core that the next peer is timed on."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < limit:
        wall, used = time.perf_counter(), time.process_time()
        time.sleep(0.004)
        if time.process_time() - used < 0.05 * (time.perf_counter() - wall):
            return
    print(f"some peer's threads kept spinning for {limit} s: two-thread figures are not to be trusted", file=sys.stderr)


def timed(call, repeat):
    """Seconds a call takes, of `repeat` in a row on threads that are awake and alone."""
    settle()
    call()
    begin = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - begin) / repeat


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", default="1,2")
    p.add_argument("--only", default="")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--compile", action="store_true")
    p.add_argument("--out", default="")
    a = p.parse_args()
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    rows = []
    for w in workloads(a.compile):
        if a.only and not any(w.name.startswith(o) for o in a.only.split(",")):
            continue
        reference = w.reference()
        for threads in map(int, a.threads.split(",")):
            torch.set_num_threads(threads)
            with threadpool_limits(limits=threads, user_api="blas"):
                peers = {n: f for n, f in w.peers.items() if f is not None}
                if peers_pantile is not None:
                    mine = peers_pantile.peer(w, threads)
                    if mine is not None:
                        peers["pantile"] = mine
                errors = {n: relative_error(f(), reference) for n, f in peers.items()}
                repeat = {n: max(1, min(1000, int(0.03 / max(timed(f, 1), 1e-7)))) for n, f in peers.items()}
                times = {n: [] for n in peers}
                for _ in range(a.rounds):
                    for n, f in peers.items():
                        times[n].append(timed(f, repeat[n]))
            best = {n: min(t) for n, t in times.items()}
            row = {
                "workload": w.name,
                "threads": threads,
                "unit": w.unit,
                "peers": {
                    n: {
                        "best_ms": round(best[n] * 1e3, 4),
                        "median_ms": round(statistics.median(times[n]) * 1e3, 4),
                        "rate": round(w.work / best[n], 2),
                        "error": errors[n],
                        "status": "ok" if errors[n] <= w.tol else "wrong",
                    }
                    for n in peers
                },
            }
            others = [best[n] for n in peers if n != "pantile"]
            if "pantile" in best and others:
                row["ratio"] = round(min(others) / best["pantile"], 3)
            rows.append(row)
            print(
                f"{w.name:36s} {threads}T  "
                + "  ".join(f"{n} {w.work / best[n]:.1f}{'' if errors[n] <= w.tol else ' WRONG'}" for n in peers)
                + f" {w.unit}"
                + (f"  ratio {row['ratio']}" if "ratio" in row else ""),
                flush=True,
            )
            if a.out:
                with open(a.out, "w") as f:
                    json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
