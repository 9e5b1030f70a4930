/**
 * @file The rows that a model is trained on: files of any size, served as shuffled batches.
 *
 * ```text
 *   files        tables: columns, and where they lie in each batch   inputs.ts, arrow-tables.ts, npy-tables.ts
 *   first pass   usable rows, classes, which rows are held out       survey.ts, split.ts
 *   each epoch   windows in a random order, read into buffers        row-windows.ts, loader.ts, buffers.ts
 *                rows of a buffer in a random order                  epoch.ts
 * ```
 */
import { UsageError } from "../../errors.ts";
import { type BufferPair, FullBuffer, GroupBuffer } from "./buffers.ts";
import { checkClasses, checkOptions, checkRows } from "./checks.ts";
import type { Table } from "./column.ts";
import { Epoch } from "./epoch.ts";
import { gatherStatistics } from "./feature-statistics.ts";
import { type Inputs, openInputs } from "./inputs.ts";
import { Loader, type Part } from "./loader.ts";
import { type MemoryPlan, planMemory, requireMemory, sizeOfFeatures } from "./memory-plan.ts";
import type { ClassLabel, DatasetOptions } from "./options.ts";
import { type Survey, survey } from "./survey.ts";
import { Vocabulary } from "./vocabulary.ts";

/** What the rows of a batch are written into, row by row. */
export interface BatchTarget {
  /** Rows in C order. */
  readonly features: Float32Array;
  /** Index of the class, or the values. */
  readonly targets: Float32Array;
  /** One a row. */
  readonly weights: Float32Array;
}

/** The rows of one part in one epoch, from front to back. */
export interface EpochReader {
  /**
   * Fills the next `rows` rows.
   * @returns how many there were: fewer only at the end, 0 behind it
   */
  fill(target: BatchTarget, rows: number): Promise<number>;
  /** Passes over the next `rows` rows, mostly without reading them. */
  skip(rows: number): Promise<void>;
  close(): Promise<void>;
}

/** What a model is to say: one of the classes, or values. */
export type TargetSpace =
  | { readonly kind: "classes"; readonly classes: readonly ClassLabel[] }
  | { readonly kind: "values"; readonly size: number };

export interface Dataset {
  /** Of one row; elements are in C order. */
  readonly featureShape: readonly number[];
  /** Names of the feature columns and of the label; of npy arrays there are none. */
  readonly features: readonly string[];
  readonly label: string | undefined;
  readonly target: TargetSpace;
  readonly rows: { readonly train: number; readonly validation: number; readonly skipped: number };
  /** Rows of each class in each part; none for values. */
  readonly classRows:
    | { readonly train: readonly number[]; readonly validation: readonly number[] }
    | undefined;
  /** Bytes that the rows in memory take at most. */
  readonly memory: number;
  /** Training rows come in an order that seed, epoch and `shuffle` alone decide, validation rows as they are stored. */
  open(part: Part, epoch: number): EpochReader;
  /** Mean and standard deviation of each feature over the training rows; 1 for a feature that is always the same. */
  statistics(): Promise<{ readonly mean: Float32Array; readonly deviation: Float32Array }>;
  close(): Promise<void>;
}

export type { ClassLabel, DatasetOptions };

/**
 * Opens files as rows to train on. Labels and validity are read once, before anything else: bad labels are known soon.
 *
 * ```ts
 * const data = await openDataset("digits-*.arrow", { task: "classes", validation: 0.1, seed: 1, memory: 2 ** 28 });
 * const rows = data.open("train", 0);
 * while ((await rows.fill(target, 128)) > 0) step(target);
 * await data.close();
 * ```
 *
 * @param inputs paths or patterns (`data/*.arrow`) of Arrow files and streams; or pairs of npy arrays, features and labels
 * @throws ColumnError for a column that is missing or does not fit, a null, a label that is no class, a value that is
 *   not finite; UsageError for a pipe or an option; MemoryError; CorruptError, TruncatedError, UnsupportedError, IoError
 */
export async function openDataset(
  inputs: string | readonly string[],
  options: DatasetOptions,
): Promise<Dataset> {
  checkOptions(options);
  const opened = await openInputs(inputs, options);
  try {
    return await OpenDataset.survey(opened, options);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

class OpenDataset implements Dataset {
  readonly featureShape: readonly number[];
  readonly features: readonly string[];
  readonly label: string | undefined;
  readonly target: TargetSpace;
  readonly rows: Dataset["rows"];
  readonly classRows: Dataset["classRows"];
  readonly memory: number;
  readonly #inputs: Inputs;
  readonly #loader: Loader;
  readonly #seed: number;
  readonly #plan: MemoryPlan;
  /** Buffers that no reader has. */
  readonly #free: { readonly shuffled: BufferPair[]; readonly inOrder: BufferPair[] } = {
    shuffled: [],
    inOrder: [],
  };
  readonly #full: FullBuffer;
  readonly #open = new Set<Epoch>();
  #closed = false;

  static async survey(inputs: Inputs, options: DatasetOptions): Promise<OpenDataset> {
    const { tables } = inputs;
    const { task, seed, skipNulls, classes, validation: share = 0, memory } = options;
    const { plan, windows } = planMemory(tables, options);
    requireMemory(plan, memory);
    const vocabulary = new Vocabulary(classes);
    const found = await survey(tables, windows, vocabulary, { task, seed, skipNulls, share });
    checkRows(found, share, tables);
    const target: TargetSpace =
      task === "classes"
        ? { kind: "classes", classes: vocabulary.close() }
        : { kind: "values", size: plan.layout.targets };
    if (task === "classes" && classes === undefined) checkClasses(found, vocabulary, tables);
    const loader = new Loader(windows, found, seed, share, task === "classes" ? vocabulary : null);
    return new OpenDataset(inputs, plan, loader, found, target, vocabulary, seed);
  }

  private constructor(
    inputs: Inputs,
    plan: MemoryPlan,
    loader: Loader,
    found: Survey,
    target: TargetSpace,
    vocabulary: Vocabulary,
    seed: number,
  ) {
    const [first] = inputs.tables;
    const names = first!.features.map(({ name }) => name);
    this.featureShape = shapeOf(first!);
    this.features = names.filter((name) => name !== "");
    this.label = first!.label.name || undefined;
    this.target = target;
    this.rows = { train: found.train, validation: found.validation, skipped: found.skipped };
    this.classRows =
      target.kind === "values"
        ? undefined
        : {
            train: byClass(found.trainRows, vocabulary),
            validation: byClass(found.validationRows, vocabulary),
          };
    this.memory = plan.bytes;
    this.#inputs = inputs;
    this.#plan = plan;
    this.#loader = loader;
    this.#seed = seed;
    this.#full = new FullBuffer(loader, plan.layout);
  }

  open(part: Part, epoch: number): Epoch {
    if (part === "validation") return this.#start(part);
    const shuffled = { seed: this.#seed, epoch };
    return this.#start(part, shuffled);
  }

  async statistics(): ReturnType<Dataset["statistics"]> {
    const rows = this.#start("train");
    try {
      return await gatherStatistics(rows, this.#plan.layout, this.features);
    } finally {
      await rows.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const epoch of this.#open) await epoch.close();
    await this.#inputs.close();
  }

  #start(part: Part, shuffled?: { readonly seed: number; readonly epoch: number }): Epoch {
    if (this.#closed) throw new UsageError("The data were closed");
    const { shuffledRows, rowsInOrder, fits, layout } = this.#plan;
    const rows = shuffled ? shuffledRows : rowsInOrder;
    const free = this.#free[shuffled ? "shuffled" : "inOrder"];
    const take = (): BufferPair => {
      if (fits) return [this.#full, this.#full];
      return (
        free.pop() ?? [
          new GroupBuffer(this.#loader, rows, layout),
          new GroupBuffer(this.#loader, rows, layout),
        ]
      );
    };
    const give = (buffers: BufferPair | undefined): void => {
      if (buffers && !fits) free.push(buffers);
      this.#open.delete(epoch);
    };
    const epoch: Epoch = new Epoch(this.#loader, { part, rows, shuffled }, take, give);
    this.#open.add(epoch);
    return epoch;
  }
}

function byClass(rows: readonly number[], vocabulary: Vocabulary): number[] {
  const counts = vocabulary.labels.map(() => 0);
  for (const [code, count] of rows.entries()) counts[vocabulary.classOf[code]!] = count;
  return counts;
}

/** Of one column its own; several are one after the other. */
function shapeOf(table: Table): readonly number[] {
  const [only, ...others] = table.features;
  return others.length === 0 && only!.shape.length > 0 ? only!.shape : [sizeOfFeatures(table)];
}
