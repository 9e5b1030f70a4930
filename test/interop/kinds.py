"""Every kind of column that PyArrow can write: six rows of each, with nulls where the kind has them."""

import datetime
import decimal
import uuid

import numpy as np
import pyarrow as pa

LONG = "a text that is too long for the twelve bytes of a view"
DAY = datetime.date(2024, 2, 29)
NOW = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)


def _decimals(kind):
    return pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-99.99"), None, decimal.Decimal(0), None], kind)


def _union(mode):
    types = pa.array([0, 1, 0, 1, 1, 0], pa.int8())
    if mode == "sparse":
        children = [pa.array([1.5, 0, -2.5, 0, 0, None], pa.float32()), pa.array(["", "b", "", None, LONG, ""])]
        return pa.UnionArray.from_sparse(types, children)
    offsets = pa.array([0, 0, 1, 1, 2, 2], pa.int32())
    children = [pa.array([1.5, -2.5, None], pa.float32()), pa.array(["b", None, LONG])]
    return pa.UnionArray.from_dense(types, offsets, children)


def _integers(kind):
    return pa.array([1, None, 3, 0, None, 127], kind)


def _lists(kind):
    return pa.array([[1, 2], None, [], [None, 3], [4], [5, 6, 7]], kind)


_strings = ["a", None, "", LONG, "b", "a"]
_bytes = [b"a", None, b"", LONG.encode(), b"\x00\xff", b"a"]
_dictionary = pa.array(_strings).dictionary_encode()
_structs = pa.array(
    [{"x": 1, "y": "a"}, None, {"x": None, "y": LONG}, {"x": 4, "y": None}, {"x": 5, "y": ""}, {"x": 6, "y": "f"}],
    pa.struct([("x", pa.int32()), ("y", pa.string())]),
)

KINDS = {
    "null": pa.nulls(6),
    "bool": pa.array([True, None, False, None, True, True]),
    **{str(kind): _integers(kind) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    **{str(kind): _integers(kind) for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    "float16": pa.array(np.array([1, -2, 3, -0.0, np.nan, -np.inf], np.float16)),
    "float32": pa.array([1, None, -3, -0.0, float("nan"), float("-inf")], pa.float32()),
    "float64": pa.array([1, None, -3, -0.0, float("nan"), float("-inf")], pa.float64()),
    "decimal32": _decimals(pa.decimal32(5, 2)),
    "decimal64": _decimals(pa.decimal64(12, 2)),
    "decimal128": _decimals(pa.decimal128(30, 2)),
    "decimal256": _decimals(pa.decimal256(60, 2)),
    "date32": pa.array([DAY, None, DAY, None, None, DAY], pa.date32()),
    "date64": pa.array([DAY, None, DAY, None, None, DAY], pa.date64()),
    "time32": pa.array([1, None, 3, 0, None, 127], pa.time32("ms")),
    "time64": pa.array([1, None, 3, 0, None, 127], pa.time64("ns")),
    "timestamp": pa.array([NOW, None, NOW, None, None, NOW], pa.timestamp("us")),
    "timestamp with zone": pa.array([NOW, None, NOW, None, None, NOW], pa.timestamp("ns", "Europe/Paris")),
    "duration": pa.array([1, None, 3, 0, None, 127], pa.duration("s")),
    "interval": pa.array([(1, 2, 3), None, (4, 5, 6), None, None, (7, 8, 9)], pa.month_day_nano_interval()),
    "utf8": pa.array(_strings),
    "large_utf8": pa.array(_strings, pa.large_string()),
    "utf8_view": pa.array(_strings, pa.string_view()),
    "binary": pa.array(_bytes),
    "large_binary": pa.array(_bytes, pa.large_binary()),
    "binary_view": pa.array(_bytes, pa.binary_view()),
    "fixed_size_binary": pa.array([b"abc", None, b"def", None, None, b"ghi"], pa.binary(3)),
    "dictionary": _dictionary,
    "ordered dictionary": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, 1, 0, 1], pa.int8()), pa.array(["low", "high"]), ordered=True
    ),
    "dictionary of structs": pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 1, 0, 2], pa.int16()), _structs),
    "dictionary of float lists": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, 1, 0, 1], pa.int32()), pa.array([[1.5, -2.5], [-3.5]], pa.list_(pa.float32()))
    ),
    "list": _lists(pa.list_(pa.int32())),
    "large_list": _lists(pa.large_list(pa.int32())),
    "list_view": _lists(pa.list_view(pa.int32())),
    "large_list_view": _lists(pa.large_list_view(pa.int32())),
    "list_view of floats": _lists(pa.list_view(pa.float32())),
    "fixed_size_list": pa.array([[1, 2], None, [3, 4], [None, 5], [6, 7], None], pa.list_(pa.int16(), 2)),
    "list of lists of texts": pa.array([[["a"], None], None, [], [[None, LONG]], [[]], [["b"]]]),
    "list of dictionaries": pa.ListArray.from_arrays(pa.array([0, 1, 2, 2, 4, 5, 6], pa.int32()), _dictionary),
    "struct": _structs,
    "struct of floats": pa.array([{"f": -1.5}, None, {"f": None}, {"f": 2}, {"f": 3}, {"f": 4}]),
    "struct of everything": pa.StructArray.from_arrays(
        [_dictionary, _lists(pa.list_(pa.int8())), _union("dense"), _structs], ["d", "l", "u", "s"]
    ),
    "struct without children": pa.array([{}, None, {}, {}, None, {}], pa.struct([])),
    "map": pa.array([[("a", 1.5)], None, [], [("b", None)], [("c", -2)], []], pa.map_(pa.string(), pa.float32())),
    "map of float lists": pa.array(
        [[("a", [-1.5])], None, [], [("b", None)], [("c", [])], []], pa.map_(pa.string(), pa.list_(pa.float32()))
    ),
    "sparse union": _union("sparse"),
    "dense union": _union("dense"),
    "run-end encoded": pa.RunEndEncodedArray.from_arrays(
        pa.array([2, 3, 6], pa.int32()), pa.array(["a", None, LONG])
    ),
    "run-end encoded floats": pa.RunEndEncodedArray.from_arrays(
        pa.array([2, 3, 6], pa.int16()), pa.array([-1.5, None, 2], pa.float32())
    ),
    "uuid": pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([uuid.UUID(int=i).bytes if i else None for i in range(6)], pa.binary(16))
    ),
    "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0, 1, 0, 1], pa.int8())),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None, "[]", "1", "null", '"x"'])),
    "opaque": pa.ExtensionArray.from_storage(
        pa.opaque(pa.float32(), "point", "nobody"), pa.array([-1.5, None, 2, 3, 4, 5], pa.float32())
    ),
}
