"""Columns of every kind stand beside a tensor: it is computed, they and everything else keep every byte."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from arrow_files import FORMATS, fixed_shape_tensors, read, write
from bits import assert_same_around, assert_same_column, assert_same_floats, leaf
from kinds import KINDS
from sluice import apply, apply_bytes

METADATA = {b"origin": b"test", b"\xc3\xa9": "\u6f22\u5b57".encode()}


def table_with(kind):
    """Three batches, one of them empty: the kind, a tensor, the kind again."""
    column = KINDS[kind]
    values = np.linspace(-3, 3, 6 * 6, dtype=np.float32).reshape(6, 2, 3)
    tensors = fixed_shape_tensors(values, [2, 3])
    schema = pa.schema(
        [
            pa.field("before", column.type, metadata={b"unit": b"none"}),
            pa.field("tensor", tensors.type),
            pa.field("after", column.type),
        ],
        metadata=METADATA,
    )
    whole = pa.RecordBatch.from_arrays([column, tensors, column], schema=schema)
    return schema, [whole, whole.slice(0, 0), whole.slice(2, 3)]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_beside_a_tensor_keeps_every_byte(kind, fmt, tmp_path):
    schema, batches = table_with(kind)
    # Of several dictionaries, a file can hold only one; the slices of a batch share theirs.
    data = write(batches, schema, fmt)
    source, target = tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}"
    source.write_bytes(data)
    apply("leaky_relu(0.3)", source, target)
    check(data, pa.py_buffer(target.read_bytes()), fmt)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_beside_a_tensor_goes_through_a_pipe(kind):
    schema, batches = table_with(kind)
    data = write(batches, schema, "arrows")
    check(data, pa.py_buffer(apply_bytes("leaky_relu(0.3)", data)), "arrows")


def check(before, after, fmt):
    old_schema, old_batches = read(before, fmt)
    new_schema, new_batches = read(after, fmt)
    assert new_schema.equals(old_schema, check_metadata=True)
    assert new_schema.metadata == METADATA
    assert len(new_batches) == len(old_batches) == 3
    assert_same_around(after, before, [batch["tensor"] for batch in old_batches])
    for new, old in zip(new_batches, old_batches):
        new.validate(full=True)
        for name in ("before", "after"):
            assert_same_column(new[name], old[name])
        expected = torch.nn.functional.leaky_relu(torch.tensor(leaf(old["tensor"])), 0.3)
        assert_same_floats(leaf(new["tensor"]), expected.numpy())


def test_a_wide_table_of_all_kinds_at_once(tmp_path):
    values = np.linspace(-3, 3, 6 * 4, dtype=np.float64).reshape(6, 4)
    columns = {name: array for name, array in KINDS.items()}
    columns["tensor"] = fixed_shape_tensors(values, [4])
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    data = write([batch] * 3, batch.schema, "arrow")
    (tmp_path / "in.arrow").write_bytes(data)
    apply("neg", tmp_path / "in.arrow", tmp_path / "out.arrow", "--column", "tensor")
    after = pa.py_buffer((tmp_path / "out.arrow").read_bytes())
    _, old = read(data, "arrow")
    _, new = read(after, "arrow")
    assert_same_around(after, data, [each["tensor"] for each in old])
    for each in new:
        assert_same_floats(leaf(each["tensor"]), -values.reshape(-1))
