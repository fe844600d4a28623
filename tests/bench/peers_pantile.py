"""Pantile as a peer of the benchmark scripts: `peer(workload[, threads])` gives a callable, or None where it does not join.

Calls go through the C API by ctypes on the arrays' own memory, on the host or on a GPU (where the callable only launches, on
the default stream, as PyTorch's own do). Environment: PANTILE_LIBRARY names libpantile.so; PANTILE_BACKEND picks the device;
PANTILE_BENCH_TUNE=SECONDS tunes each workload (at each thread count) before it is timed; PANTILE_BENCH_CONFIG names a JSON
file {"family/prefix": "{bm = 128, ...}"} of configurations to pin instead.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

import torch

_library = ctypes.CDLL(os.environ["PANTILE_LIBRARY"], mode=os.RTLD_LOCAL)


class DLDevice(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


class DLDataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", DLDevice),
        ("ndim", ctypes.c_int32),
        ("dtype", DLDataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class TuneOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("trials", ctypes.c_uint32),
        ("seconds", ctypes.c_double),
        ("strategy", ctypes.c_char_p),
        ("seed", ctypes.c_uint64),
        ("progress", ctypes.c_void_p),
        ("user", ctypes.c_void_p),
        ("journal", ctypes.c_char_p),
    ]


DTYPES = {
    torch.float32: (2, 32),
    torch.float16: (2, 16),
    torch.bfloat16: (4, 16),
    torch.int8: (0, 8),
    torch.int32: (0, 32),
    torch.float8_e4m3fn: (10, 8),
    torch.float8_e5m2: (12, 8),
}
NAMES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}

_pointer = ctypes.c_void_p
for _name, _arguments in {
    "pantile_error_text": [_pointer],
    "pantile_error_cause": [_pointer],
    "pantile_context_device": [_pointer],
    "pantile_kernel_describe": [_pointer, _pointer, ctypes.c_size_t, ctypes.POINTER(_pointer), ctypes.POINTER(_pointer)],
    "pantile_string_data": [_pointer],
    "pantile_string_release": [_pointer],
    "pantile_error_release": [_pointer],
    "pantile_context_create": [_pointer, ctypes.POINTER(_pointer), ctypes.POINTER(_pointer)],
    "pantile_context_set_threads": [_pointer, ctypes.c_uint32, ctypes.POINTER(_pointer)],
    "pantile_kernel_from_library": [_pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(_pointer), ctypes.POINTER(_pointer)],
    "pantile_kernel_set_configuration": [_pointer, ctypes.c_char_p, ctypes.POINTER(_pointer)],
    "pantile_launch": [_pointer, _pointer, _pointer, ctypes.c_size_t, ctypes.POINTER(_pointer)],
    "pantile_tune": [_pointer, _pointer, ctypes.c_size_t, ctypes.POINTER(TuneOptions), _pointer, ctypes.POINTER(_pointer)],
    "pantile_synchronize": [_pointer, _pointer, ctypes.POINTER(_pointer)],
}.items():
    getattr(_library, _name).argtypes = _arguments
_library.pantile_error_text.restype = ctypes.c_char_p
_library.pantile_error_cause.restype = ctypes.c_char_p
_library.pantile_string_data.restype = ctypes.c_char_p
_library.pantile_context_device.restype = DLDevice


def _call(name: str, *arguments) -> None:
    error = _pointer()
    if getattr(_library, name)(*arguments, ctypes.byref(error)):
        text = (_library.pantile_error_text(error) + b"\n" + _library.pantile_error_cause(error)).decode()
        _library.pantile_error_release(error)
        raise RuntimeError(f"{name}: {text}")


def _create_context() -> ctypes.c_void_p:
    context = _pointer()
    _call("pantile_context_create", None, ctypes.byref(context))
    return context


_context = _create_context()
_device = _library.pantile_context_device(_context)
_configurations = json.loads(Path(os.environ["PANTILE_BENCH_CONFIG"]).read_text()) if "PANTILE_BENCH_CONFIG" in os.environ else {}
_kernels: dict[tuple[str, str], ctypes.c_void_p] = {}


def _kernel(name: str, options: str) -> ctypes.c_void_p:
    if (name, options) not in _kernels:
        kernel = _pointer()
        _call("pantile_kernel_from_library", _context, name.encode(), options.encode(), ctypes.byref(kernel))
        _kernels[name, options] = kernel
    return _kernels[name, options]


class _Argument:
    """A DLTensor over a torch tensor, or over a number as a 0-dimensional one; keeps what it points to alive."""

    def __init__(self, value: torch.Tensor | float | int) -> None:
        self.keep = (
            value
            if isinstance(value, torch.Tensor)
            else torch.tensor(value, dtype=torch.int32 if isinstance(value, int) else torch.float32)
        )
        rank = self.keep.dim()
        self.shape = (ctypes.c_int64 * max(rank, 1))(*self.keep.shape)
        self.strides = (ctypes.c_int64 * max(rank, 1))(*self.keep.stride())
        code, bits = DTYPES[self.keep.dtype]
        device = DLDevice(_device.type, _device.id) if self.keep.is_cuda else DLDevice(1, 0)
        self.tensor = DLTensor(self.keep.data_ptr(), device, rank, DLDataType(code, bits, 1), self.shape, self.strides, 0)


class Call:
    """One kernel bound to its arguments: calling it launches (a CPU's launch waits)."""

    def __init__(self, name: str, options: str, *arguments, result: torch.Tensor) -> None:
        self.kernel = _kernel(name, options)
        self.arguments = [_Argument(a) for a in arguments]
        self.pointers = (ctypes.POINTER(DLTensor) * len(arguments))(*[ctypes.pointer(a.tensor) for a in self.arguments])
        self.count, self.result, self.error = len(arguments), result, _pointer()
        self.launch, self.error_address = _library.pantile_launch, ctypes.byref(self.error)

    def __call__(self) -> torch.Tensor:
        if self.launch(self.kernel, None, self.pointers, self.count, self.error_address):
            _call("pantile_launch", self.kernel, None, self.pointers, self.count)
        return self.result

    def pin(self, configuration: str | None) -> None:
        _call("pantile_kernel_set_configuration", self.kernel, configuration and configuration.encode())

    def describe(self) -> str:
        text = _pointer()
        _call("pantile_kernel_describe", self.kernel, self.pointers, self.count, ctypes.byref(text))
        described = _library.pantile_string_data(text).decode()
        _library.pantile_string_release(text)
        return described

    def tune(self, seconds: float) -> None:
        options = TuneOptions(ctypes.sizeof(TuneOptions), 0, seconds, None, 0, None, None, None)
        _call("pantile_tune", self.kernel, self.pointers, self.count, ctypes.byref(options), None)


def _empty(like: torch.Tensor, *shape: int, dtype: torch.dtype | None = None) -> torch.Tensor:
    return torch.empty(*shape, dtype=dtype or like.dtype, device=like.device)


def _matmul(w) -> Call:
    a, b = w.inputs
    out = _empty(a, a.shape[0], b.shape[1])
    return Call("matmul", NAMES[a.dtype], a, b, out, result=out)


def _matmul_bias_gelu(w) -> Call:
    a, b, bias = w.inputs
    out = _empty(a, a.shape[0], b.shape[1])
    return Call("matmul", NAMES[a.dtype] + ",bias=1,activation=gelu_tanh", a, b, bias, out, result=out)


def _bmm(w) -> Call:
    a, b = w.inputs
    out = _empty(a, a.shape[0], a.shape[1], b.shape[2])
    return Call("batched_matmul", NAMES[a.dtype], a, b, out, result=out)


def _int8(w) -> Call:
    a, b = w.inputs
    out = _empty(a, a.shape[0], b.shape[1], dtype=torch.int32)
    return Call("matmul_int8", "scales=0,out=i32", a, b, out, result=out)


def _attention(w) -> Call:
    q, k, v = w.inputs
    out = torch.empty_like(q)
    return Call("attention", f"{NAMES[q.dtype]},causal={int(w.args['causal'])}", q, k, v, out, q.shape[-1] ** -0.5, result=out)


def _rows(name: str, *scalars: float):
    def bind(w) -> Call:
        out = torch.empty_like(w.inputs[0])
        return Call(name, NAMES[out.dtype], *w.inputs, out, *scalars, result=out)

    return bind


def _cross_entropy(w) -> Call:
    x, target = w.inputs
    out = _empty(x, x.shape[0], dtype=torch.float32)
    return Call("cross_entropy", NAMES[x.dtype] + ",out=f32", x, target.to(torch.int32), out, result=out)


def _sum(w) -> Call:
    x = w.inputs[0]
    out = _empty(x, x.shape[0])
    return Call("sum", NAMES[x.dtype] + ",rank=2", x, out, result=out)


def _embedding(w) -> Call:
    table, rows = w.inputs
    out = _empty(table, rows.shape[0], table.shape[1])
    return Call("embedding", NAMES[table.dtype], table, rows.to(torch.int32), out, result=out)


FAMILIES = {
    "sgemm": _matmul,
    "gemm_bf16": _matmul,
    "matmul": _matmul,
    "matmul_bias_gelu": _matmul_bias_gelu,
    "bmm": _bmm,
    "gemm_int8": _int8,
    "attention": _attention,
    "softmax": _rows("softmax"),
    "layer_norm": _rows("layer_norm", 1e-5),
    "rms_norm": _rows("rms_norm", 1e-5),
    "cross_entropy": _cross_entropy,
    "add": _rows("add"),
    "gelu_tanh": _rows("gelu_tanh"),
    "exp": _rows("exp"),
    "sum": _sum,
    "embedding": _embedding,
}


def peer(workload, threads: int | None = None):
    if workload.family not in FAMILIES:
        return None
    if threads is not None:
        _call("pantile_context_set_threads", _context, threads)
    try:
        call = FAMILIES[workload.family](workload)
        call.pin(next((c for prefix, c in _configurations.items() if workload.name.startswith(prefix)), None))
        if seconds := float(os.environ.get("PANTILE_BENCH_TUNE", 0)):
            call.tune(seconds)
        call()
        call.note = call.describe()
    except RuntimeError as error:
        print(f"pantile does not run {workload.name}: {error}", file=sys.stderr)
        return None
    return call
