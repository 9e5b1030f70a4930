"""Arrow files and streams as PyArrow writes and reads them."""

import pyarrow as pa

FORMATS = ["arrow", "arrows"]


def write(batches, schema, fmt, **options):
    """Record batches as the bytes of a file or a stream."""
    sink = pa.BufferOutputStream()
    new = pa.ipc.new_file if fmt == "arrow" else pa.ipc.new_stream
    with new(sink, schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def read(data, fmt):
    """The schema and the record batches, as views on the bytes."""
    source = pa.BufferReader(data)
    if fmt == "arrow":
        reader = pa.ipc.open_file(source)
        return reader.schema, [reader.get_batch(i) for i in range(reader.num_record_batches)]
    reader = pa.ipc.open_stream(source)
    return reader.schema, list(reader)


def fixed_shape_tensors(values, shape):
    """A column of `arrow.fixed_shape_tensor` from a NumPy array of the shape (rows, *shape)."""
    flat = pa.array(values.reshape(-1))
    storage = pa.FixedSizeListArray.from_arrays(flat, values[0].size if len(values) else 1)
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(flat.type, shape), storage)
