/** @file All rows, table by table. Rows that share a file stand together. */
import type { Table } from "../outcome.ts";
import { activations } from "./activations.ts";
import { apacheArrow } from "./apache-arrow.ts";
import { curves } from "./curves.ts";
import { batchesToFile, oneBatchToFile } from "./file-to-file.ts";
import { kernel } from "./kernel.ts";
import { matmul } from "./matmul.ts";
import { memory } from "./memory.ts";
import { pipe } from "./pipe.ts";
import { pyarrow } from "./pyarrow.ts";
import { start } from "./start.ts";
import { tinyBatches } from "./tiny-batches.ts";
import { training } from "./training.ts";
import { trainingLarge } from "./training-large.ts";

export const TABLES: readonly Table[] = [
  {
    name: "files",
    rows: [batchesToFile, apacheArrow, pyarrow, oneBatchToFile, curves, memory, pipe, start, tinyBatches],
  },
  { name: "kernels", rows: [kernel, activations] },
  { name: "training", rows: [matmul, training, trainingLarge] },
];
