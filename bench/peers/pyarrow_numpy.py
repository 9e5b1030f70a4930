"""What a Python user would write with PyArrow and NumPy, and write well: a memory-mapped file, batch by batch, one
buffer that every batch reuses, two passes without temporaries, and both halves of a batch at once (NumPy itself uses one
thread, but lets others run).

    python pyarrow_numpy.py INPUT OUTPUT THREADS

Prints the seconds that the work took after the imports.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

ALPHA = np.float32(0.01)


def leaky_relu(x, out):
    # max(x, alpha * x) is leaky_relu for an alpha between 0 and 1.
    np.multiply(x, ALPHA, out=out)
    np.maximum(x, out, out=out)


def main(source, target, threads):
    pa.set_cpu_count(threads)
    pa.set_io_thread_count(threads)
    buffer = np.empty(0, dtype=np.float32)
    with (
        ThreadPoolExecutor(threads) as pool,
        pa.memory_map(source) as mapped,
        pa.ipc.open_file(mapped) as reader,
        pa.OSFile(target, "wb") as file,
        pa.ipc.new_file(file, reader.schema) as writer,
    ):
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            column = batch.column("tensor")
            x = column.flatten().to_numpy()
            if len(buffer) < len(x):
                buffer = np.empty(len(x), dtype=np.float32)
            out = buffer[: len(x)]
            list(pool.map(leaky_relu, np.array_split(x, threads), np.array_split(out, threads)))
            values = pa.Array.from_buffers(pa.float32(), len(out), [None, pa.py_buffer(out)])
            result = pa.FixedSizeListArray.from_arrays(values, type=column.type)
            columns = [result if name == "tensor" else batch.column(name) for name in batch.schema.names]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=batch.schema))


if __name__ == "__main__":
    start = time.perf_counter()
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print(time.perf_counter() - start)
