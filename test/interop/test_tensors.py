"""Every way to hold a tensor in a column: lists, tensor extensions, struct children, named floats; with nulls."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from arrow_files import FORMATS, fixed_shape_tensors, read, write
from bits import assert_same_around, assert_same_floats, leaf
from sluice import apply, refused

RANDOM = np.random.default_rng(7)
DTYPES = {"float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64()}


def floats(count, dtype):
    return RANDOM.normal(size=count).astype(dtype)


def offsets(lengths, kind):
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), kind)


def columns(dtype):
    """Five rows of each."""
    item = DTYPES[dtype]
    some = pa.array(floats(10, dtype))
    mask = pa.array([False, True, False, False, True])
    ragged = pa.ListArray.from_arrays(offsets([3, 0, 2, 1, 4], pa.int32()), some)
    inner = pa.ListArray.from_arrays(offsets([2, 2, 0, 3, 1, 1, 1], pa.int32()), some)
    plain = {
        "list": ragged,
        "list with nulls": pa.ListArray.from_arrays(offsets([3, 0, 2, 1, 4], pa.int32()), some, mask=mask),
        "large_list": pa.LargeListArray.from_arrays(offsets([3, 0, 2, 1, 4], pa.int64()), some),
        "fixed_size_list": pa.FixedSizeListArray.from_arrays(some, 2),
        "fixed_size_list with nulls": pa.FixedSizeListArray.from_arrays(some, 2, mask=mask),
        "list of lists": pa.ListArray.from_arrays(offsets([1, 0, 3, 2, 1], pa.int32()), inner),
        "fixed_size_list of fixed_size_lists": pa.FixedSizeListArray.from_arrays(
            pa.FixedSizeListArray.from_arrays(pa.array(floats(40, dtype)), 4), 2
        ),
        "empty lists": pa.array([[]] * 5, pa.list_(item)),
        "null lists": pa.array([None] * 5, pa.list_(item)),
        "fixed_shape_tensor": fixed_shape_tensors(floats((5, 2, 2), dtype), [2, 2]),
        "permuted fixed_shape_tensor": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(item, [2, 3], dim_names=["h", "w"], permutation=[1, 0]),
            pa.FixedSizeListArray.from_arrays(pa.array(floats(30, dtype)), 6),
        ),
    }
    if dtype != "float16":
        plain["values that are null"] = pa.array([[1, None], None, [], [None], [-2]], pa.list_(item))
    return plain


CASES = [(dtype, name) for dtype in DTYPES for name in columns(dtype)]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(("dtype", "name"), CASES)
def test_a_tensor_column_is_computed_by_default(dtype, name, fmt, tmp_path):
    batch = pa.RecordBatch.from_arrays([columns(dtype)[name]], ["tensor"])
    run_and_check([batch, batch], batch.schema, fmt, tmp_path, lambda each: each["tensor"])


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_variable_shape_tensor_is_computed(fmt, tmp_path):
    data = columns("float32")["list"]
    shape = pa.array([[1, 3], [0, 2], [2, 1], [1, 1], [2, 2]], pa.list_(pa.int32(), 2))
    storage = pa.StructArray.from_arrays([data, shape], ["data", "shape"])
    extension = {"ARROW:extension:name": "arrow.variable_shape_tensor", "ARROW:extension:metadata": "{}"}
    schema = pa.schema([pa.field("tensor", storage.type, metadata=extension)])
    batch = pa.RecordBatch.from_arrays([storage], schema=schema)
    run_and_check([batch], schema, fmt, tmp_path, lambda each: each["tensor"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plain_float_column_is_computed_when_named(dtype, tmp_path):
    batch = pa.RecordBatch.from_arrays([pa.array(floats(100, dtype)), pa.array(range(100))], ["price", "id"])
    run_and_check([batch], batch.schema, "arrow", tmp_path, lambda each: each["price"], "-c", "price")


def test_a_child_of_a_struct_is_computed_when_named(tmp_path):
    points = pa.StructArray.from_arrays([pa.array(floats(5, "float32")), pa.array(floats(5, "float32"))], ["x", "y"])
    batch = pa.RecordBatch.from_arrays([points], ["point"])
    run_and_check([batch], batch.schema, "arrow", tmp_path, lambda each: each["point"].field("y"), "-c", "point.y")


def run_and_check(batches, schema, fmt, tmp_path, tensor, *options):
    data = write(batches, schema, fmt)
    source, target = tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}"
    source.write_bytes(data)
    apply("leaky_relu(0.25)", source, target, *options)
    after = pa.py_buffer(target.read_bytes())
    old_schema, old = read(data, fmt)
    new_schema, new = read(after, fmt)
    assert new_schema.equals(old_schema, check_metadata=True)
    assert_same_around(after, data, [tensor(each) for each in old])
    for a, b in zip(new, old, strict=True):
        a.validate(full=True)
        expected = torch.nn.functional.leaky_relu(torch.tensor(leaf(tensor(b))), 0.25)
        assert_same_floats(leaf(tensor(a)), expected.numpy())


UNREADABLE = {
    "a map": pa.array([[("a", -1.5)]], pa.map_(pa.string(), pa.float32())),
    "a list_view": pa.array([[-1.5]], pa.list_view(pa.float32())),
    "a union": pa.UnionArray.from_dense(
        pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([-1.5], pa.float32())]
    ),
    "run-end encoded": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array([-1.5], pa.float32())),
    "dictionary-encoded": pa.array([-1.5], pa.float32()).dictionary_encode(),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_kind_that_is_not_understood_is_refused_when_named(what, tmp_path):
    batch = pa.RecordBatch.from_arrays([UNREADABLE[what]], ["column"])
    (tmp_path / "in.arrow").write_bytes(write([batch], batch.schema, "arrow"))
    message = refused("apply", "relu", tmp_path / "in.arrow", tmp_path / "out.arrow", "-c", "column")
    assert what in message
    assert not (tmp_path / "out.arrow").exists()
