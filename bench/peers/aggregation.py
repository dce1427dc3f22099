"""The peer of bench/aggregation.ts: the same aggregations in NumPy, PyTorch and C, one thread.

Reads one JSON request a line, answers one JSON line. `load` makes the inputs, which both sides draw from the same
counter-based hash; `check` writes a function's result as float64; `run` answers the CPU seconds that one call takes.
The flower_* functions are what Flower's strategies compute, written from their formulas: FedAvg's sum of weighted copies
(and its in-place form), and Krum's distances from norms and one matrix product (and the pairwise form of its older strategies).
"""

import ctypes
import json
import mmap
import pathlib
import subprocess
import sys
import tempfile
import time
import types

import numpy as np

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

f32 = np.float32
data = {}


def compiled(name, *flags):
    """The C file's function of the same name, or None without a compiler."""
    source = pathlib.Path(__file__).with_name(name.replace("_", "-") + ".c")
    library = pathlib.Path(tempfile.mkdtemp()) / f"{name}.so"
    command = ["cc", "-O3", *flags, "-shared", "-fPIC", "-o", str(library), str(source)]
    try:
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return ctypes.CDLL(str(library))[name]


streaming_read = compiled("streaming_read")
if streaming_read:
    streaming_read.restype = ctypes.c_float
    streaming_read.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
weighted_sum = compiled("weighted_sum", "-march=native")
if weighted_sum:
    weighted_sum.restype = None
    weighted_sum.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t] * 3

# What of each row lies together in the block-major layout.
block = 16_384


def ordinary_pages(shape):
    """float32 on pages of 4 KiB, which is what a WebAssembly memory has."""
    pages = mmap.mmap(-1, 4 * int(np.prod(shape)))
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    array = np.frombuffer(pages, f32).reshape(shape)
    array[:] = 0
    return array


def words(seed, n):
    """MurmurHash3's finaliser over a Weyl sequence: `wordAt` of shared/core/codec/seeded-bits.ts."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return h ^ (h >> np.uint32(16))


def uniform(seed, n):
    """float32 in [-1, 1)."""
    return words(seed, n).view(np.int32).astype(f32) * f32(2.0**-31)


def load(request):
    data.clear()
    kind, count, parameters = request["kind"], request["count"], request["parameters"]
    data["weights"] = [f32((r % 7 + 1) / 16) for r in range(count)]
    data["sum"] = np.zeros(parameters, f32)
    if kind == "rows":
        data["rows"] = np.empty((count, parameters), f32)
        for r in range(count):
            data["rows"][r] = uniform(r, parameters)
        data["blocks"], data["blocks_sum"] = ordinary_pages(count * parameters), ordinary_pages(parameters)
        for start in range(0, parameters, block):
            part = data["rows"][:, start : start + block]
            data["blocks"][count * start :][: part.size] = part.reshape(-1)
    elif kind == "fp16":
        # 30 of 32 exponents, subnormals among them.
        data["rows"] = [((words(r, parameters) >> 16) & 0xBBFF).astype(np.uint16).view(np.float16) for r in range(count)]
    elif kind == "bf16":
        data["rows"] = [((words(r, parameters) >> 16) & 0xBFFF).astype(np.uint16) for r in range(count)]
    elif kind in ("int8", "int4"):
        per_byte = 2 if kind == "int4" else 1
        data["rows"] = [words(r, parameters // per_byte).astype(np.uint8) for r in range(count)]
        data["scales"] = [np.abs(uniform(1000 + r, parameters // 256)) for r in range(count)]
    elif kind == "sparse":
        kept = parameters // 100
        data["indices"] = [np.arange(kept) * 100 + words(r, kept) % 100 for r in range(count)]
        data["rows"] = [uniform(r, kept) for r in range(count)]
    elif kind == "masks":
        data["sum"] = np.zeros(parameters, np.uint32)
        data["rows"] = [words(r, parameters) for r in range(count)]
    elif kind == "optimizer":
        data["x"], data["delta"] = uniform(1, parameters), uniform(2, parameters)
        data["m"], data["v"] = np.zeros(parameters, f32), np.zeros(parameters, f32)


def mean_naive():
    total = np.zeros_like(data["sum"])
    for weight, row in zip(data["weights"], data["rows"]):
        total += weight * row
    return total


def mean_blocked(block=65_536):
    total, product = np.zeros_like(data["sum"]), np.empty(block, f32)
    for start in range(0, len(total), block):
        into = total[start : start + block]
        for weight, row in zip(data["weights"], data["rows"]):
            part = np.multiply(row[start : start + block], weight, out=product[: len(into)])
            np.add(into, part, out=into)
    return total


def mean_blas():
    return np.array(data["weights"], f32) @ data["rows"]


def mean_c():
    """Over ordinary pages, block-major."""
    total, weights = data["blocks_sum"], np.array(data["weights"], f32)
    pointers = [array.ctypes.data for array in (total, data["blocks"], weights)]
    weighted_sum(*pointers, len(weights), len(total), block)
    return total


def mean_torch():
    return torch.mv(torch.from_numpy(data["rows"]).T, torch.tensor(data["weights"])).numpy()


def flower_aggregate():
    """Flower weighs by example counts and divides by their total: counts of 16 times the weight."""
    counts = [int(16 * weight) for weight in data["weights"]]
    weighted = [row * count for row, count in zip(data["rows"], counts)]
    total = weighted[0]
    for row in weighted[1:]:
        total = total + row
    return total / sum(counts) * (sum(counts) / 16)


def flower_aggregate_in_place():
    """It scales the rows in place, for they are its own copies: the copies are part of it."""
    total = data["rows"][0] * data["weights"][0]
    for weight, row in zip(data["weights"][1:], data["rows"][1:]):
        copy = row.copy()
        copy *= weight
        total += copy
    return total


def gram_blas():
    return data["rows"] @ data["rows"].T


def gram_torch():
    rows = torch.from_numpy(data["rows"])
    return (rows @ rows.T).numpy()


def flower_krum_distances():
    rows = data["rows"]
    norms = np.square(rows).sum(axis=1)
    return norms[:, None] + norms[None, :] - 2 * rows @ rows.T


def flower_krum_distances_pairwise():
    rows = data["rows"]
    distances = np.zeros((len(rows), len(rows)))
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            distances[i, j] = np.linalg.norm(a - b) ** 2
    return distances


def add_fp16():
    total = np.zeros_like(data["sum"])
    for weight, row in zip(data["weights"], data["rows"]):
        total += weight * row.astype(f32)
    return total


def add_bf16():
    total = np.zeros_like(data["sum"])
    for weight, row in zip(data["weights"], data["rows"]):
        total += weight * (row.astype(np.uint32) << 16).view(f32)
    return total


def decoded_int4(row):
    codes = np.empty(2 * len(row), np.int8)
    codes[::2] = (row << 4).view(np.int8) >> 4
    codes[1::2] = row.view(np.int8) >> 4
    return codes


def add_blocks(codes_of):
    """Decode, weigh, add."""
    total = np.zeros_like(data["sum"])
    for weight, row, scales in zip(data["weights"], data["rows"], data["scales"]):
        decoded = codes_of(row).reshape(-1, 256).astype(f32) * scales[:, None]
        total += weight * decoded.reshape(-1)
    return total


def add_blocks_scales_first(codes_of):
    """With weight and scale in one factor: two passes over the elements are all that NumPy needs."""
    total = np.zeros_like(data["sum"]).reshape(-1, 256)
    for weight, row, scales in zip(data["weights"], data["rows"], data["scales"]):
        total += (weight * scales)[:, None] * codes_of(row).reshape(-1, 256)
    return total.reshape(-1)


def add_int8():
    return add_blocks(lambda row: row.view(np.int8))


def add_int8_scales_first():
    return add_blocks_scales_first(lambda row: row.view(np.int8))


def add_int4():
    return add_blocks(decoded_int4)


def add_int4_scales_first():
    return add_blocks_scales_first(decoded_int4)


def scatter():
    total = np.zeros_like(data["sum"])
    for weight, indices, row in zip(data["weights"], data["indices"], data["rows"]):
        total[indices] += weight * row
    return total


def add_masks():
    total = np.zeros_like(data["sum"])
    for row in data["rows"]:
        total += row
    return total


def all_finite():
    return np.array([np.isfinite(row).all() for row in data["rows"]])


def squared_norms():
    return np.array([np.dot(row, row) for row in data["rows"]])


def squared_norms_float64():
    return np.array([np.sum(np.square(row, dtype=np.float64)) for row in data["rows"]])


def adam():
    m, v, delta = data["m"], data["v"], data["delta"]
    m[:] = f32(0.9) * m + f32(1 - 0.9) * delta
    v[:] = f32(0.99) * v + f32(1 - 0.99) * np.square(delta)
    data["x"] += f32(0.1) * m / (np.sqrt(v) + f32(1e-3))
    return data["x"]


def gaussian():
    row = data["rows"][0]
    return row + np.random.default_rng(1).standard_normal(len(row), dtype=f32)


def projection():
    """A dense +-1 projection to 64 dimensions, 16 Ki columns at a time."""
    generator = np.random.default_rng(1)
    total = np.zeros((len(data["rows"]), 64), f32)
    for start in range(0, data["rows"].shape[1], 16_384):
        part = data["rows"][:, start : start + 16_384]
        signs = generator.integers(0, 2, (part.shape[1], 64), dtype=np.int8) * f32(2) - f32(1)
        total += part @ signs
    return total


def read():
    """Over ordinary pages."""
    total = streaming_read(data["blocks"].ctypes.data, data["blocks"].size)
    return np.array([total])


def read_huge_pages():
    """Over NumPy's own arrays: it asks for huge pages."""
    return np.array([streaming_read(data["rows"].ctypes.data, data["rows"].size)])


def offered():
    names = {name for name, value in globals().items() if isinstance(value, types.FunctionType)}
    missing = [
        set() if streaming_read else {"read", "read_huge_pages"},
        set() if weighted_sum else {"mean_c"},
        set() if torch else {"mean_torch", "gram_torch"},
    ]
    return sorted(names.difference(*missing))


for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "offer":
        answer = {"functions": offered(), "numpy": np.__version__, "torch": torch and torch.__version__}
    elif request["do"] == "load":
        load(request)
        answer = {}
    else:
        function = globals()[request["name"]]
        start = time.process_time()
        result = function()
        answer = {"seconds": time.process_time() - start}
        if request["do"] == "check":
            np.asarray(result, np.float64).tofile(request["path"])
    print(json.dumps(answer), flush=True)
