"""Training reads what PyArrow writes: every kind of tensor and label, in files and streams, sliced, with nulls and deltas."""

import json
import subprocess

import numpy as np
import pyarrow as pa
import pytest

from arrow_files import FORMATS, fixed_shape_tensors, write
from sluice import ROOT

ROWS = 2000
RANDOM = np.random.default_rng(1)
VALUES = RANDOM.random((ROWS, 2, 3), dtype=np.float32)
WORDS = np.array(["a", "bb", "a label that is too long to be inlined into a view", "ü€"])[RANDOM.integers(0, 4, ROWS)]
NULLS = RANDOM.random(ROWS) < 0.1


def lists(values, size):
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), size)


FEATURES = {
    "tensor": fixed_shape_tensors(VALUES, (2, 3)),
    "permuted": pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), (2, 3), permutation=[1, 0]), lists(VALUES, 6)),
    "nested": pa.FixedSizeListArray.from_arrays(lists(VALUES, 3), 2),
    "lists": pa.array([row.ravel().tolist() for row in VALUES], pa.large_list(pa.float64())),
    "half": lists(VALUES.astype(np.float16), 6),
}
LABELS = {
    "utf8": pa.array(WORDS, mask=NULLS),
    "large_utf8": pa.array(WORDS, pa.large_string()),
    "view": pa.array(WORDS, pa.string_view()),
    "encoded": pa.array(WORDS, mask=NULLS).dictionary_encode(),
    "encoded_large": pa.array(WORDS, pa.large_string()).dictionary_encode(),
    "bool": pa.array(RANDOM.random(ROWS) < 0.5),
    "int16": pa.array(RANDOM.integers(-4, 9, ROWS), pa.int16(), mask=NULLS),
    "uint64": pa.array(RANDOM.integers(0, 9, ROWS), pa.uint64()),
}
TABLE = pa.table({**FEATURES, **LABELS})


def served(path, pairs):
    arguments = [json.dumps({"path": str(path), "features": features, "label": label}) for features, label in pairs]
    command = ["node", "--import", "tsx", "test/interop/served_rows.ts", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def expected(table, features):
    values = VALUES[13:1813] if len(table) < ROWS else VALUES
    if features == "permuted":
        values = values.transpose(0, 2, 1)
    return values.astype(np.float16 if features == "half" else np.float32)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("options", [{}, {"emit_dictionary_deltas": True}, {"metadata_version": pa.ipc.MetadataVersion.V4}])
def test_rows(tmp_path, fmt, options):
    table = TABLE.slice(13, 1800) if options == {} else TABLE
    path = tmp_path / f"a.{fmt}"
    path.write_bytes(write(table.unify_dictionaries().to_batches(max_chunksize=700), table.schema, fmt, **options))
    pairs = [(features, "bool") for features in FEATURES] + [("tensor", label) for label in LABELS]
    for (features, label), result in zip(pairs, served(path, pairs)):
        labels = table[label].to_pylist()
        usable = [i for i, value in enumerate(labels) if value is not None]
        values = expected(table, features)[usable]
        assert result["labels"] == [labels[i] for i in usable]
        assert result["skipped"] == len(labels) - len(usable)
        assert np.array_equal(np.array(result["rows"], np.float32), values.reshape(len(usable), -1).astype(np.float32))
        assert result["shape"] == ([6] if features in ("lists", "half") else list(values.shape[1:]))
