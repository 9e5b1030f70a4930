/** @file `inspect`: what a tensor file holds, in constant memory. Walks the same layout as `transform`, and writes nothing. */
import { read } from "node:fs";
import { AbortError, ioError, TruncatedError } from "../errors.ts";
import { DETECT_BYTES, detectFormat, openLayout } from "../formats/detect.ts";
import type { FieldSummary, Format, Step, Steps, TensorColumn } from "../formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../ops/dtype.ts";
import { type Feed, FileFeed, StreamFeed } from "./feed.ts";
import { type Input, openSource, type Source } from "./source.ts";
import { type Statistics, StatisticsGatherer } from "./statistics.ts";

/** What `inspect` is to look at. */
export interface InspectOptions {
  /** Columns to look at; default: every tensor column. */
  readonly columns?: readonly string[] | undefined;
  /** Elements that statistics see: the first 64 MiB of each tensor (the default), all, or none. */
  readonly statistics?: "sample" | "all" | "none" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an input holds. */
export interface Inspection {
  readonly format: Format;
  readonly bytes: number;
  /** The columns of the schema; for npy one without a name. */
  readonly fields: readonly FieldSummary[];
  /** Custom metadata of the schema. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly batches: {
    readonly count: number;
    /** Rows of the smallest and of the largest batch; 0 where there is none. */
    readonly minRows: number;
    readonly maxRows: number;
  };
  readonly tensors: readonly TensorInspection[];
}

/** One tensor column, or the array of an npy file (whose name is empty). */
export interface TensorInspection extends Pick<TensorColumn, "name" | "dtype" | "shape"> {
  /** In all rows together. */
  readonly elements: number;
  readonly bytes: number;
  /** Its `count` is below `elements` where only a sample was looked at. Absent where none were asked for. */
  readonly statistics?: Statistics;
}

/** What `"sample"` reads of each tensor, in bytes. */
export const SAMPLE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 1024 * 1024;

/**
 * Looks through an input without holding more than a block of it.
 *
 * @param input a path, a file URL, a Node Readable or an async iterable of bytes; Arrow IPC (file or stream) or npy
 * @throws SluiceError where it cannot be read, or contradicts itself
 *
 * ```ts
 * const { rows, tensors } = await inspect("in.arrow", { statistics: "all" });
 * console.log(rows, tensors[0]?.name, tensors[0]?.shape); // 1000 embedding [ 4 ]
 * ```
 */
export async function inspect(input: Input, options: InspectOptions = {}): Promise<Inspection> {
  const { signal } = options;
  if (signal?.aborted) throw new AbortError(signal.reason);
  const source = await openSource(input);
  // Ends a read that waits for its writer. A file's reads end by themselves, and must not lose their descriptor.
  const onAbort = (): void => void (source.kind === "stream" && source.close());
  signal?.addEventListener("abort", onAbort);
  try {
    if (signal?.aborted) throw new AbortError(signal.reason);
    return await new Inspector(source, options).run();
  } catch (error) {
    throw signal?.aborted ? new AbortError(signal.reason) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await source.close();
  }
}

type SchemaStep = Extract<Step, { step: "schema" }>;

interface Tally {
  readonly column: TensorColumn;
  elements: number;
  /** Bytes that statistics may still read. */
  left: number;
  readonly statistics: StatisticsGatherer;
}

class Inspector {
  readonly #source: Source;
  readonly #feed: Feed;
  readonly #options: InspectOptions;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  /** Bytes of each tensor that statistics may still read. */
  readonly #sample: number;
  readonly #fields = new Map<string, FieldSummary>();
  readonly #metadata = new Map<string, string>();
  readonly #tensors = new Map<string, Tally>();
  /** The tensors of the schema that rules where the walk is. */
  #current: readonly Tally[] = [];
  #rows = 0;
  #batches = 0;
  #minRows = Number.POSITIVE_INFINITY;
  #maxRows = 0;

  constructor(source: Source, options: InspectOptions) {
    this.#source = source;
    this.#feed = source.kind === "file" ? new FileFeed(source) : new StreamFeed(source);
    this.#options = options;
    const { statistics = "sample" } = options;
    this.#sample =
      statistics === "all" ? Number.POSITIVE_INFINITY : statistics === "sample" ? SAMPLE_BYTES : 0;
  }

  async run(): Promise<Inspection> {
    const source = this.#source;
    const { path } = source;
    const size = source.kind === "file" ? source.size : undefined;
    const format = detectFormat(await this.#feed.peek(DETECT_BYTES), { path });
    const { columns } = this.#options;
    const random = size !== undefined;
    await this.#walk(openLayout(format, { columns, mayLackTensors: true, size, random, path }));
    return {
      format,
      bytes: size ?? this.#feed.position,
      fields: [...this.#fields.values()],
      metadata: Object.fromEntries(this.#metadata),
      rows: this.#rows,
      batches: {
        count: this.#batches,
        minRows: this.#batches > 0 ? this.#minRows : 0,
        maxRows: this.#maxRows,
      },
      tensors: [...this.#tensors.values()].map(
        ({ column: { name, dtype, shape }, elements, statistics }) => ({
          name,
          dtype,
          shape,
          elements,
          bytes: elements * BYTES_PER_ELEMENT[dtype],
          ...(this.#sample > 0 ? { statistics: statistics.result() } : {}),
        }),
      ),
    };
  }

  async #walk(steps: Steps): Promise<void> {
    const { signal } = this.#options;
    let answer: Uint8Array = new Uint8Array(0);
    for (;;) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      const { value: step, done } = steps.next(answer);
      if (done) return;
      switch (step.step) {
        case "peek": {
          const bytes = this.#feed.peek(step.length);
          answer = bytes instanceof Uint8Array ? bytes : await bytes;
          break;
        }
        case "keep":
        case "drop":
          await this.#skip(step.length);
          break;
        case "seek":
          this.#feed.position = step.offset;
          break;
        case "elements":
          await this.#elements(step.tensor, step.count);
          break;
        case "batch":
          this.#rows += step.rows;
          this.#batches++;
          this.#minRows = Math.min(this.#minRows, step.rows);
          this.#maxRows = Math.max(this.#maxRows, step.rows);
          break;
        case "schema":
          this.#announce(step);
          break;
        case "emit":
          break;
      }
    }
  }

  /** Streams may follow one another, each with its schema: what is equal in them is counted together. */
  #announce({ fields, tensors, metadata }: SchemaStep): void {
    fields.forEach((field, i) => void this.#fields.set(JSON.stringify([i, field.name, field.type]), field));
    for (const [key, value] of metadata) this.#metadata.set(key, value);
    this.#current = tensors.map((column, i) => {
      const key = JSON.stringify([i, column.name, column.dtype, column.shape]);
      const statistics = new StatisticsGatherer(column.dtype);
      const tally = this.#tensors.get(key) ?? { column, elements: 0, left: this.#sample, statistics };
      this.#tensors.set(key, tally);
      return tally;
    });
  }

  async #elements(index: number, count: number): Promise<void> {
    const tensor = this.#current[index]!;
    tensor.elements += count;
    let bytes = count * BYTES_PER_ELEMENT[tensor.column.dtype];
    while (bytes > 0 && tensor.left > 0) {
      const block = this.#block.subarray(0, Math.min(bytes, tensor.left, BLOCK_BYTES));
      await this.#fill(block);
      tensor.statistics.add(block);
      tensor.left -= block.length;
      bytes -= block.length;
    }
    await this.#skip(bytes);
  }

  /** Not awaited where it is a file: a million batches are many steps. */
  #skip(length: number): void | Promise<void> {
    if (length > 0) return this.#feed.skip(length);
  }

  async #fill(block: Uint8Array): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) throw new AbortError(signal.reason);
    if (this.#feed instanceof StreamFeed) return this.#feed.fill(block);
    const { source } = this.#feed;
    for (let filled = 0; filled < block.length; ) {
      const position = { path: source.path, byteOffset: this.#feed.position };
      const moved = await new Promise<number>((resolve, reject) => {
        read(source.fd, block, filled, block.length - filled, position.byteOffset, (cause, bytes) => {
          if (cause) reject(ioError(cause, "read", position));
          else resolve(bytes);
        });
      });
      if (moved === 0) {
        throw new TruncatedError("The input became shorter while it was read", {
          position,
          remedy: "Let whatever writes it finish first.",
        });
      }
      filled += moved;
      this.#feed.skip(moved);
    }
  }
}
