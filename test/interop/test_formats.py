"""Files become streams and streams files, dictionaries and all; what cannot be read is refused by name."""

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from arrow_files import fixed_shape_tensors, read, write
from bits import assert_same_column, assert_same_floats, leaf
from kinds import KINDS
from sluice import apply, apply_bytes, refused


def batches_of(*columns):
    """A batch for each column, with a tensor beside it."""
    made = []
    for index, column in enumerate(columns):
        values = np.linspace(-2 - index, 2, len(column) * 3, dtype=np.float32).reshape(-1, 3)
        arrays = [column, fixed_shape_tensors(values, [3])]
        schema = pa.schema([("column", column.type), ("tensor", arrays[1].type)], metadata={"a": "b"})
        made.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return made


def check(before, after):
    (old_schema, old), (new_schema, new) = before, after
    assert new_schema.equals(old_schema, check_metadata=True)
    for a, b in zip(new, old, strict=True):
        a.validate(full=True)
        assert_same_column(a["column"], b["column"])
        assert_same_floats(leaf(a["tensor"]), np.maximum(leaf(b["tensor"]), np.float32(0)))


def check_decoded(before, after):
    """Deltas are joined when a file is opened, not when a stream is read: so the dictionaries differ, not the texts."""
    (old_schema, old), (new_schema, new) = before, after
    assert new_schema.equals(old_schema, check_metadata=True)
    for a, b in zip(new, old, strict=True):
        a.validate(full=True)
        assert a["column"].dictionary_decode().equals(b["column"].dictionary_decode())
        assert_same_floats(leaf(a["tensor"]), np.maximum(leaf(b["tensor"]), np.float32(0)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "target"), [("arrow", "arrows"), ("arrows", "arrow")])
def test_files_and_streams_become_each_other(source, target, kind, tmp_path):
    batches = batches_of(KINDS[kind], KINDS[kind])
    data = write(batches, batches[0].schema, source)
    (tmp_path / f"in.{source}").write_bytes(data)
    apply("relu", tmp_path / f"in.{source}", tmp_path / f"out.{target}")
    check(read(data, source), read(pa.py_buffer((tmp_path / f"out.{target}").read_bytes()), target))


def growing():
    """Each with the dictionary of the one before, and perhaps more."""
    indices = [[0, 1], [1, 0], [2, 0, 3]]
    texts = [["a", "b"], ["a", "b"], ["a", "b", "c", "d"]]
    return [pa.DictionaryArray.from_arrays(pa.array(i, pa.int32()), pa.array(t)) for i, t in zip(indices, texts)]


@pytest.mark.parametrize("target", ["arrow", "arrows"])
@pytest.mark.parametrize("source", ["arrow", "arrows"])
def test_delta_dictionaries_go_through(source, target, tmp_path):
    batches = batches_of(*growing())
    data = write(batches, batches[0].schema, source, emit_dictionary_deltas=True)
    (tmp_path / f"in.{source}").write_bytes(data)
    apply("relu", tmp_path / f"in.{source}", tmp_path / f"out.{target}")
    check_decoded(read(data, source), read(pa.py_buffer((tmp_path / f"out.{target}").read_bytes()), target))


def replaced():
    columns = [pa.array(texts).dictionary_encode() for texts in (["a", "b"], ["x", "y"], ["a", "z"])]
    batches = batches_of(*columns)
    return write(batches, batches[0].schema, "arrows")


def test_replaced_dictionaries_go_through_as_a_stream():
    data = replaced()
    check(read(data, "arrows"), read(pa.py_buffer(apply_bytes("relu", data)), "arrows"))


def test_replaced_dictionaries_cannot_become_a_file(tmp_path):
    (tmp_path / "in.arrows").write_bytes(replaced())
    message = refused("apply", "relu", tmp_path / "in.arrows", tmp_path / "out.arrow")
    assert "ictionary" in message
    assert not (tmp_path / "out.arrow").exists()


def test_a_file_goes_through_a_pipe_and_comes_out_as_a_stream():
    batches = batches_of(KINDS["utf8"], KINDS["utf8"])
    data = write(batches, batches[0].schema, "arrow")
    check(read(data, "arrow"), read(pa.py_buffer(apply_bytes("relu", data)), "arrows"))


def test_a_feather_file_is_an_arrow_file(tmp_path):
    table = pa.Table.from_batches(batches_of(KINDS["utf8"]))
    pyarrow.feather.write_feather(table, tmp_path / "in.feather", compression="uncompressed")
    apply("relu", tmp_path / "in.feather", tmp_path / "out.feather")
    after = pyarrow.feather.read_table(tmp_path / "out.feather")
    assert after["column"].equals(table["column"])


@pytest.mark.parametrize("version", [pa.ipc.MetadataVersion.V4, pa.ipc.MetadataVersion.V5], ids=["V4", "V5"])
@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
@pytest.mark.parametrize("fmt", ["arrow", "arrows"])
def test_older_versions_of_the_format_are_read(fmt, legacy, version, tmp_path):
    batches = batches_of(KINDS["utf8"], KINDS["utf8"])
    data = write(batches, batches[0].schema, fmt, use_legacy_format=legacy, metadata_version=version)
    (tmp_path / f"in.{fmt}").write_bytes(data)
    apply("relu", tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}")
    check(read(data, fmt), read(pa.py_buffer((tmp_path / f"out.{fmt}").read_bytes()), fmt))


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("fmt", ["arrow", "arrows"])
def test_a_compressed_body_is_refused_with_the_way_round_it(fmt, codec, tmp_path):
    batches = batches_of(KINDS["utf8"])
    (tmp_path / f"in.{fmt}").write_bytes(write(batches, batches[0].schema, fmt, compression=codec))
    message = refused("apply", "relu", tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}")
    assert codec in message.lower() and "compression" in message
    assert not (tmp_path / f"out.{fmt}").exists()


@pytest.mark.parametrize("fmt", ["arrow", "arrows"])
@pytest.mark.parametrize("batches", [0, 1], ids=["no batches", "a batch without rows"])
def test_nothing_to_compute_goes_through_byte_for_byte(batches, fmt, tmp_path):
    batch = batches_of(KINDS["utf8"])[0].slice(0, 0)
    data = write([batch] * batches, batch.schema, fmt)
    (tmp_path / f"in.{fmt}").write_bytes(data)
    apply("relu", tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}")
    assert (tmp_path / f"out.{fmt}").read_bytes() == data.to_pybytes()
