"""Comparison bit for bit: of float arrays, of Arrow columns, and of whole files around their tensors."""

import numpy as np
import pyarrow as pa

UNSIGNED = {2: np.uint16, 4: np.uint32, 8: np.uint64}


def assert_same_floats(actual, expected):
    """Equal by their bits, but for the sign and the payload of NaN, which no library promises."""
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    unsigned = UNSIGNED[actual.dtype.itemsize]
    different = np.ascontiguousarray(actual).view(unsigned) != np.ascontiguousarray(expected).view(unsigned)
    different &= ~(np.isnan(actual) & np.isnan(expected))
    first = np.flatnonzero(different)[:3]
    assert first.size == 0, [(int(i), actual.flat[i], expected.flat[i]) for i in first]


def assert_same_column(actual, expected):
    """The same type, nulls and offset, and every buffer byte for byte, dictionaries included."""
    assert actual.type == expected.type
    assert (len(actual), actual.offset, actual.null_count) == (len(expected), expected.offset, expected.null_count)
    ours, theirs = actual.buffers(), expected.buffers()
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert (a is None) == (b is None)
        assert a is None or a.equals(b)
    for a, b in zip(dictionaries(actual), dictionaries(expected)):
        assert_same_column(a, b)


def dictionaries(array):
    """The dictionaries of a column and of its children."""
    if isinstance(array, pa.ExtensionArray):
        return dictionaries(array.storage)
    if pa.types.is_dictionary(array.type):
        return [array.dictionary]
    if pa.types.is_struct(array.type):
        children = [array.field(i) for i in range(array.type.num_fields)]
    elif pa.types.is_map(array.type):
        children = [array.keys, array.items]
    elif hasattr(array, "values") and isinstance(array.values, pa.Array):
        children = [array.values]
    else:
        children = []
    return [each for child in children for each in dictionaries(child)]


def leaf(array):
    """The floats of a tensor column as NumPy sees them, those under nulls included."""
    if isinstance(array, pa.ExtensionArray):
        return leaf(array.storage)
    if pa.types.is_struct(array.type):
        return leaf(array.field("data"))
    if hasattr(array, "values") and isinstance(array.values, pa.Array):
        return leaf(array.values)
    dtype = array.type.to_pandas_dtype()
    values = np.frombuffer(array.buffers()[1] or b"", dtype=dtype)
    return values[array.offset : array.offset + len(array)]


def assert_same_around(actual, expected, arrays):
    """
    Two files are the same but for the floats of `arrays`, which were read from `expected` (a pyarrow.Buffer) without
    copying: so their addresses tell where in the file they lie.
    """
    assert len(actual) == expected.size
    ours, theirs = np.frombuffer(actual, np.uint8), np.frombuffer(expected, np.uint8)
    same = ours == theirs
    for array in arrays:
        floats = leaf(array)
        start = floats.__array_interface__["data"][0] - expected.address
        assert floats.nbytes == 0 or 0 <= start < len(actual)
        same[start : start + floats.nbytes] = True
    assert same.all(), f"byte {int(np.argmin(same))} was changed"
