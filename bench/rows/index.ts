/** @file All rows, in the order of the table. Rows that share a file stand together. */
import type { Row } from "../outcome.ts";
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

export const ROWS: readonly Row[] = [
  batchesToFile,
  apacheArrow,
  pyarrow,
  oneBatchToFile,
  curves,
  memory,
  pipe,
  start,
  kernel,
  activations,
  matmul,
  training,
  trainingLarge,
  tinyBatches,
];
