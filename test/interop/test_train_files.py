"""Models as others read them: safetensors in PyTorch, ONNX in onnxruntime, predictions in PyArrow and NumPy."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import safetensors
import safetensors.torch
import torch
from torch import nn

from arrow_files import FORMATS, fixed_shape_tensors, read, write
from bits import assert_same_column
from kinds import KINDS
from sluice import COMMAND, refused, sluice

DIST = Path(COMMAND[1]).resolve().parents[1]
WIDTH = 6


def make(directory, jobs):
    """Models with random tensors; see models.mjs."""
    script = Path(__file__).with_name("models.mjs")
    done = subprocess.run(
        ["node", script, DIST, json.dumps(jobs), directory], capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()


def predict(*args):
    done = sluice("predict", *args)
    assert done.returncode == 0, done.stderr.decode()
    return done


def by_onnx(path, x):
    """The outputs of onnxruntime, for a file that onnx's own checker accepts."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]


def assert_close(actual, expected):
    assert actual.shape == expected.shape
    scale = np.maximum(1, np.abs(expected))
    assert np.nanmax(np.abs(actual - expected) / scale, initial=0) <= 1e-5
    assert (np.isnan(actual) == np.isnan(expected)).all()


# What an op needs that has no default, and settings that make another ONNX of it.
PARAMETERS = {
    "add": ["(0.5)"],
    "sub": ["(0.5)"],
    "mul": ["(-2)"],
    "div": ["(3)"],
    "clamp": ["(-1, 2)", "(-inf, 0.5)"],
    "threshold": ["(0.1, 20)"],
    "pow": ["(3)", "(2.5)", "(-1)"],
    "leaky_relu": ["", "(-0.5)", "(0.3, learn)"],
    "prelu": ["", "(fixed)", "([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])", "(each)"],
    "softplus": ["", "(2.5, 5)", "(-0.5)", "(1, learn)"],
    "swish": ["", "(1.5)", "(learn)"],
    "elu": ["", "(0.3)", "(learn)"],
    "celu": ["", "(2.5)", "(-1.5)"],
    "hard_tanh": ["", "(-2, 0.5)"],
    "layer_norm": ["(affine=false)", ""],
}


def catalog():
    done = sluice("ops", "--json")
    assert done.returncode == 0, done.stderr.decode()
    return [op["name"] for op in json.loads(done.stdout)["ops"]]


@pytest.fixture(scope="module")
def every_op(tmp_path_factory):
    """A model of each op, what goes in, and a file of what comes out."""
    directory = tmp_path_factory.mktemp("ops")
    rng = np.random.default_rng(5)
    sizes = [(3000, 6), (500, 80), (500, 1e-4)]
    x = np.concatenate([rng.uniform(-size, size, (rows, WIDTH)) for rows, size in sizes]).astype(np.float32)
    x.tofile(directory / "x")
    texts = [name + text for name in catalog() for text in PARAMETERS.get(name, [""])]
    same = {"inputShape": [WIDTH], "x": str(directory / "x")}
    make(directory, [{"name": f"op{i}", "layers": text, **same} for i, text in enumerate(texts)])
    return directory, x, texts


def test_every_op_is_the_same_in_onnxruntime(every_op):
    directory, x, texts = every_op
    assert len(texts) > 50
    for i, text in enumerate(texts):
        expected = np.fromfile(directory / f"op{i}.y", np.float32).reshape(x.shape)
        assert np.isfinite(expected).any(), text
        try:
            assert_close(by_onnx(directory / f"op{i}.onnx", x), expected)
        except AssertionError as error:
            raise AssertionError(text) from error


class Standardize(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))

    def forward(self, x):
        return (x - self.mean) / self.deviation


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape)


class Leaky(nn.Module):
    """With a slope that is learned."""

    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.where(x > 0, x, self.alpha * x)


# Layers as text, the shape of a row, and the same in PyTorch.
NETWORKS = {
    "dense": (
        "dense(5) | leaky_relu(0.1) | dense(3)",
        [6],
        lambda: [nn.Linear(6, 5), nn.LeakyReLU(0.1), nn.Linear(5, 3)],
    ),
    "without bias": ("dense(4, bias=false) | gelu", [6], lambda: [nn.Linear(6, 4, bias=False), nn.GELU()]),
    "flattened": ("flatten | dense(3)", [2, 3], lambda: [nn.Flatten(), nn.Linear(6, 3)]),
    "normalised": (
        "dense(8) | layer_norm(eps=0.001) | silu | batch_norm | dropout(0.3) | dense(2)",
        [6],
        lambda: [
            *(nn.Linear(6, 8), nn.LayerNorm(8, 1e-3), nn.SiLU()),
            *(nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2)),
        ],
    ),
    "standardised": (
        "standardize | dense(3) | softmax",
        [6],
        lambda: [Standardize(6), nn.Linear(6, 3), nn.Softmax(-1)],
    ),
    "slopes": (
        "dense(5) | prelu(each) | dense(4) | prelu | leaky_relu(learn)",
        [6],
        lambda: [nn.Linear(6, 5), nn.PReLU(5), nn.Linear(5, 4), nn.PReLU(), Leaky()],
    ),
    "images": (
        "conv2d(4, 3, padding=1) | batch_norm | prelu(each) | max_pool(2) | "
        "conv2d(3, [2, 3], stride=[1, 2], padding=[0, 1], bias=false) | relu | "
        "avg_pool(3, stride=1, padding=1) | flatten | dense(5)",
        [2, 8, 9],
        lambda: [
            *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.PReLU(4), nn.MaxPool2d(2)),
            *(nn.Conv2d(4, 3, (2, 3), stride=(1, 2), padding=(0, 1), bias=False), nn.ReLU()),
            *(nn.AvgPool2d(3, stride=1, padding=1), nn.Flatten(), nn.Linear(18, 5)),
        ],
    ),
    "padded pools": (
        "max_pool(3, stride=2, padding=1) | avg_pool([2, 3], padding=[1, 1])",
        [3, 7, 8],
        lambda: [nn.MaxPool2d(3, stride=2, padding=1), nn.AvgPool2d((2, 3), padding=(1, 1))],
    ),
    "an image of one channel": (
        "reshape(6, 6) | conv2d(2, 3) | reshape(4, 8)",
        [36],
        lambda: [nn.Unflatten(1, (1, 6, 6)), nn.Conv2d(1, 2, 3), Reshape(4, 8)],
    ),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_model_is_the_same_in_pytorch_and_in_onnxruntime(kind, tmp_path):
    layers, shape, modules = NETWORKS[kind]
    make(tmp_path, [{"name": "model", "layers": layers, "inputShape": shape}])
    x = np.random.default_rng(3).normal(size=(300, *shape)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    predict(tmp_path / "model.safetensors", tmp_path / "x.npy", tmp_path / "y.npy")
    y = np.load(tmp_path / "y.npy")
    with torch.no_grad():
        twin = nn.Sequential(*modules()).eval()
        twin.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
        assert_close(y, twin(torch.from_numpy(x)).numpy())
    assert_close(by_onnx(tmp_path / "model.onnx", x), y)


def test_onnx_takes_any_number_of_rows(tmp_path):
    layers = "conv2d(2, 3) | flatten | dense(3)"
    target = {"kind": "classes", "classes": ["a", "b", "c"]}
    make(tmp_path, [{"name": "model", "layers": layers, "inputShape": [4, 4], "target": target}])
    x = np.random.default_rng(3).normal(size=(9, 4, 4)).astype(np.float32)
    whole = by_onnx(tmp_path / "model.onnx", x)
    for rows in (1, 4):
        assert_close(by_onnx(tmp_path / "model.onnx", x[:rows]), whole[:rows])
    model = onnx.load(tmp_path / "model.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert json.loads(model.metadata_props[0].value)["target"]["classes"] == ["a", "b", "c"]


def test_safetensors_are_read_and_written_alike(tmp_path):
    make(tmp_path, [{"name": "model", "layers": "dense(4) | relu", "inputShape": [3]}])
    with safetensors.safe_open(tmp_path / "model.safetensors", "np") as file:
        metadata = file.metadata()
        tensors = {name: torch.from_numpy(file.get_tensor(name)) for name in file.keys()}
    assert {name: list(tensor.shape) for name, tensor in tensors.items()} == {"0.weight": [4, 3], "0.bias": [4]}
    safetensors.torch.save_file(tensors, tmp_path / "again.safetensors", metadata)
    x = np.random.default_rng(3).normal(size=(5, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    for name in ("model", "again"):
        predict(tmp_path / f"{name}.safetensors", tmp_path / "x.npy", tmp_path / f"{name}.npy")
    assert (np.load(tmp_path / "again.npy") == np.load(tmp_path / "model.npy")).all()

    halves = {name: tensor.half() for name, tensor in tensors.items()}
    safetensors.torch.save_file(halves, tmp_path / "half.safetensors", metadata)
    assert "F16" in refused("predict", tmp_path / "half.safetensors", tmp_path / "x.npy", tmp_path / "never.npy")
    safetensors.torch.save_file(tensors, tmp_path / "bare.safetensors")
    message = refused("predict", tmp_path / "bare.safetensors", tmp_path / "x.npy", tmp_path / "never.npy")
    assert "no model of Sluice" in message


def model_of(tmp_path, classes=None, layers="dense(8) | gelu | dense(3)", shape=(WIDTH,)):
    target = {"kind": "classes", "classes": classes} if classes else None
    job = {"name": "model", "layers": layers, "inputShape": list(shape), "target": target}
    make(tmp_path, [{key: value for key, value in job.items() if value is not None}])
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A model, and what it gives for rows of features."""
    path = model_of(tmp_path_factory.mktemp("network"))
    net = nn.Sequential(nn.Linear(WIDTH, 8), nn.GELU(), nn.Linear(8, 3))
    net.load_state_dict(safetensors.torch.load_file(path))
    return path, lambda x: net(torch.from_numpy(x)).detach().numpy()


def expected_of(model, x, tmp_path):
    np.save(tmp_path / "x.npy", x)
    predict(model, tmp_path / "x.npy", tmp_path / "expected.npy")
    return np.load(tmp_path / "expected.npy")


def piped(model, data, *options):
    done = sluice("predict", model, "-", "-", *options, stdin=data)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("fmt", FORMATS)
def test_columns_of_every_kind_stay_as_they_are(fmt, network, tmp_path):
    model, forward = network
    x = np.random.default_rng(1).normal(size=(12, WIDTH)).astype(np.float32)
    half = len(KINDS) // 2
    batches = []
    for rows in (x[:6], x[6:]):
        columns = [*KINDS.items()]
        columns.insert(half, ("t", fixed_shape_tensors(rows, [WIDTH])))
        schema = pa.schema([(name, column.type) for name, column in columns], metadata={"a": "b"})
        batches.append(pa.RecordBatch.from_arrays([column for _, column in columns], schema=schema))
    data = write(batches, batches[0].schema, fmt)
    (tmp_path / f"in.{fmt}").write_bytes(data)
    predict(model, tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}", "--features", "t")
    old_schema, old = read(data, fmt)
    outputs = [(fmt, (tmp_path / f"out.{fmt}").read_bytes()), ("arrows", piped(model, data, "--features", "t"))]
    for kind, output in outputs:
        schema, new = read(pa.py_buffer(output), kind)
        assert schema.remove(len(KINDS) + 1).equals(old_schema, check_metadata=True)
        for before, after in zip(old, new, strict=True):
            after.validate(full=True)
            for name in old_schema.names:
                assert_same_column(after[name], before[name])
        got = np.array([row for batch in new for row in batch["prediction"].to_pylist()], np.float32)
        assert_close(got, forward(x))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "uint16", "int64", "bool"])
@pytest.mark.parametrize("nested", ["list", "large_list", "fixed", "tensor", "matrix", "scalars"])
def test_features_of_any_kind_of_number(nested, kind, network, tmp_path):
    model, forward = network
    numbers = np.random.default_rng(2).integers(0, 2 if kind == "bool" else 100, (50, WIDTH))
    values = pa.array(numbers.reshape(-1)).cast(pa.bool_() if kind == "bool" else getattr(pa, kind)(), safe=False)
    nulls = pa.array(np.arange(50) % 9 == 4)
    offsets = np.arange(0, 51 * WIDTH, WIDTH)
    names = ["t"]
    if nested == "scalars":
        names = [f"f{i}" for i in range(WIDTH)]
        columns = [pa.array(numbers[:, i]).cast(values.type, safe=False) for i in range(WIDTH)]
        columns[3] = pc.if_else(nulls, pa.scalar(None, values.type), columns[3])
    elif nested == "list":
        columns = [pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=nulls)]
    elif nested == "large_list":
        columns = [pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, mask=nulls)]
    else:
        flat = pa.FixedSizeListArray.from_arrays(values, WIDTH, mask=nulls)
        matrix = pa.FixedSizeListArray.from_arrays(pa.FixedSizeListArray.from_arrays(values, 3), 2, mask=nulls)
        columns = [matrix if nested == "matrix" else flat]
        if nested == "tensor" and kind != "bool":
            columns = [pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(values.type, [2, 3]), flat)]
    table = pa.table(columns, names)
    data = write(table.to_batches(max_chunksize=20), table.schema, "arrows")
    options = [word for name in names for word in ("--features", name)]
    out = pa.ipc.open_stream(piped(model, data, *options)).read_all()
    out.validate(full=True)
    got = out["prediction"].to_pylist()
    assert [row is None for row in got] == nulls.to_pylist()
    expected = forward(numbers.astype(np.float32))[~np.array(nulls)]
    assert_close(np.array([row for row in got if row is not None], np.float32), expected)
    if kind != "float32":
        return
    (tmp_path / "in.arrows").write_bytes(data)
    predict(model, tmp_path / "in.arrows", tmp_path / "out.arrow", *options)
    assert pa.ipc.open_file(tmp_path / "out.arrow").read_all().equals(out)


@pytest.mark.parametrize("classes", [[5, -3, 2**40], ["a", "", "ü€😀"], [True, False]])
def test_labels_are_in_their_type(classes, tmp_path):
    model = model_of(tmp_path, classes, layers=f"dense({len(classes)})")
    x = np.random.default_rng(4).normal(size=(101, WIDTH)).astype(np.float32)
    expected = [classes[i] for i in expected_of(model, x, tmp_path).argmax(1)]
    assert len(set(expected)) == len(classes)
    table = pa.table({"t": fixed_shape_tensors(x, [WIDTH])})
    data = write(table.to_batches(max_chunksize=30), table.schema, "arrow")
    (tmp_path / "in.arrow").write_bytes(data)
    for fmt in FORMATS:
        predict(model, tmp_path / "in.arrow", tmp_path / f"out.{fmt}", "--into", "label", "--argmax", "--features", "t")
        schema, batches = read(pa.py_buffer((tmp_path / f"out.{fmt}").read_bytes()), fmt)
        column = pa.Table.from_batches(batches).column("label")
        column.validate(full=True)
        assert column.to_pylist() == expected
    text = pa.dictionary(pa.int32(), pa.string())
    assert schema.field("label").type == (text if isinstance(classes[0], str) else pa.array(classes).type)
    predict(model, tmp_path / "x.npy", tmp_path / "labels.npy", "--argmax")
    assert np.load(tmp_path / "labels.npy").tolist() == expected


def test_dictionaries_that_grow_or_change_go_through(tmp_path):
    model = model_of(tmp_path, ["x", "y", "z"])
    x = np.random.default_rng(4).normal(size=(6, WIDTH)).astype(np.float32)
    t = fixed_shape_tensors(x, [WIDTH])
    texts = [["a", "b"] * 3, ["a", "b", "c"] * 2, ["x", "y"] * 3]
    columns = [pa.array(each).dictionary_encode() for each in texts]
    schema = pa.schema([("word", columns[0].type), ("t", t.type)])
    batches = [pa.RecordBatch.from_arrays([column, t], schema=schema) for column in columns]
    for count, options in [(2, {"emit_dictionary_deltas": True}), (3, {})]:
        data = write(batches[:count], schema, "arrows", **options)
        table = pa.ipc.open_stream(piped(model, data, "--features", "t", "--argmax")).read_all()
        assert table["word"].to_pylist() == sum(texts[:count], [])
        assert set(table["prediction"].to_pylist()) <= {"x", "y", "z"}


def test_outputs_of_several_axes_are_tensors(tmp_path):
    model = model_of(tmp_path, layers="dense(4) | reshape(2, 2)")
    x = np.random.default_rng(4).normal(size=(10, WIDTH)).astype(np.float32)
    table = pa.table({"t": fixed_shape_tensors(x, [WIDTH])})
    (tmp_path / "in.arrow").write_bytes(write(table.to_batches(), table.schema, "arrow"))
    predict(model, tmp_path / "in.arrow", tmp_path / "out.arrow", "--features", "t")
    column = pa.ipc.open_file(tmp_path / "out.arrow").read_all()["prediction"].combine_chunks()
    assert column.type == pa.fixed_shape_tensor(pa.float32(), [2, 2])
    assert_close(column.to_numpy_ndarray(), expected_of(model, x, tmp_path))


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_batches_are_refused_by_name(compression, network, tmp_path):
    model, _ = network
    table = pa.table({"t": fixed_shape_tensors(np.zeros((100, WIDTH), np.float32), [WIDTH])})
    (tmp_path / "in.arrow").write_bytes(write(table.to_batches(), table.schema, "arrow", compression=compression))
    message = refused("predict", model, tmp_path / "in.arrow", tmp_path / "out.arrow", "--features", "t")
    assert "compressed" in message
    assert not (tmp_path / "out.arrow").exists()
