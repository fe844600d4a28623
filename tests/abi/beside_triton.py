"""Triton and libpantile in one process. Triton's library holds an LLVM; Pantile keeps its own in a helper.

beside_triton.py LIBPANTILE triton-first|pantile-first local|global
"""

import ctypes
import os
import sys
import tempfile
import textwrap

import numpy as np

library, order, visibility = sys.argv[1:]
flags = os.RTLD_NOW | (os.RTLD_GLOBAL if visibility == "global" else os.RTLD_LOCAL)
folder = tempfile.TemporaryDirectory()
os.environ["TRITON_CACHE_DIR"] = folder.name + "/triton"
os.environ["PANTILE_CACHE_DIR"] = folder.name + "/pantile"

KERNEL = """
import triton
import triton.language as tl

@triton.jit
def add(x, y, n, block: tl.constexpr):
    at = tl.program_id(0) * block + tl.arange(0, block)
    tl.store(y + at, tl.load(x + at, mask=at < n) + 1.0, mask=at < n)
"""


def compile_with_triton() -> None:
    """Runs Triton's whole pipeline, its LLVM included; that needs no GPU."""
    sys.setdlopenflags(flags)
    path = folder.name + "/triton_kernel.py"
    with open(path, "w") as file:
        file.write(textwrap.dedent(KERNEL))
    sys.path.insert(0, folder.name)
    import triton
    import triton_kernel
    from triton.backends.compiler import GPUTarget

    source = triton.compiler.ASTSource(
        fn=triton_kernel.add, signature={"x": "*fp32", "y": "*fp32", "n": "i32", "block": "constexpr"}, constexprs={"block": 128}
    )
    compiled = triton.compile(source, target=GPUTarget("cuda", 80, 32))
    assert ".visible .entry add" in compiled.asm["ptx"], compiled.asm["ptx"][:500]


class DLDevice(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("id", ctypes.c_int32)]


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


def tensor(array: np.ndarray) -> DLTensor:
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    return DLTensor(array.ctypes.data, DLDevice(1, 0), array.ndim, DLDataType(2, 32, 1), shape, None, 0)


class Pantile:
    def __init__(self) -> None:
        self.api = ctypes.CDLL(library, mode=flags)
        for name in ("pantile_error_text", "pantile_error_cause"):
            getattr(self.api, name).restype = ctypes.c_char_p
        self.context = ctypes.c_void_p()
        self.call("pantile_context_create", None, ctypes.byref(self.context))

    def call(self, name: str, *arguments) -> None:
        error = ctypes.c_void_p()
        if getattr(self.api, name)(*arguments, ctypes.byref(error)):
            raise SystemExit(f"{name}: {self.api.pantile_error_text(error)} {self.api.pantile_error_cause(error)}")

    def run(self, operator: str) -> None:
        x = np.linspace(-3, 3, 7 * 129, dtype=np.float32).reshape(7, 129)
        y = np.full_like(x, np.nan)
        kernel = ctypes.c_void_p()
        self.call("pantile_kernel_from_library", self.context, operator.encode(), b"f32", ctypes.byref(kernel))
        arguments = [tensor(x), tensor(y)]
        pointers = (ctypes.POINTER(DLTensor) * 2)(*[ctypes.pointer(argument) for argument in arguments])
        self.call("pantile_launch", kernel, None, pointers, ctypes.c_size_t(2))
        self.call("pantile_synchronize", self.context, None)
        e = np.exp(x - x.max(1, keepdims=True))
        expected = e / e.sum(1, keepdims=True)
        if operator == "log_softmax":
            expected = np.log(expected)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        self.api.pantile_kernel_release(kernel)


def mapped() -> str:
    with open("/proc/self/maps") as file:
        return file.read()


if order == "triton-first":
    compile_with_triton()
    pantile = Pantile()
else:
    pantile = Pantile()
    pantile.run("log_softmax")
    for name in ("libLLVM", "libMLIR", "_compiler.so", "libtriton"):
        assert name not in mapped(), name
    compile_with_triton()
pantile.run("softmax")
assert "libtriton" in mapped(), "Triton's library is not in this process: the test shows nothing"
for name in ("libLLVM", "libMLIR", "libpantile_cpu_compiler", "libpantile_interpreter"):
    assert name not in mapped(), name
print(f"{order}, {visibility}: both work")
