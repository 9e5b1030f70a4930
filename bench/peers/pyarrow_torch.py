"""What a Python user would write with PyArrow and PyTorch, and write well: batch by batch, `leaky_relu_` in place on
the batch's own memory. The file is read, not mapped: a mapping cannot be written to.

    python pyarrow_torch.py INPUT OUTPUT THREADS

Prints the seconds that the work took after the imports.
"""

import sys
import time
import warnings

import pyarrow as pa
import torch

# PyArrow hands its memory out as read-only, and PyTorch warns of it; nobody else looks at this batch.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


def main(source, target, threads):
    pa.set_cpu_count(threads)
    pa.set_io_thread_count(threads)
    torch.set_num_threads(threads)
    with (
        torch.inference_mode(),
        pa.OSFile(source) as file_in,
        pa.ipc.open_file(file_in) as reader,
        pa.OSFile(target, "wb") as file_out,
        pa.ipc.new_file(file_out, reader.schema) as writer,
    ):
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            values = torch.from_numpy(batch.column("tensor").flatten().to_numpy())
            torch.nn.functional.leaky_relu_(values, 0.01)
            writer.write_batch(batch)


if __name__ == "__main__":
    start = time.perf_counter()
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print(time.perf_counter() - start)
