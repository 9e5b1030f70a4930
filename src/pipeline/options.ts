/** @file What a transform takes and what it tells: options, progress and result. */
import type { DeviceName, GpuApi } from "../device.ts";
import { UsageError } from "../errors.ts";
import type { Format } from "../formats/layout.ts";
import type { BoundOp, OpDefinition } from "../ops/op.ts";

/** One op: as a function (`leakyRelu`), with values (`leakyRelu.with({ alpha: 0.1 })`), or as data. */
export type Link = OpFunction | BoundOp | OpDefinition;

/** What all functions of ops have, whatever their parameters. */
export type OpFunction = { readonly definition: OpDefinition };

/** A chain of ops: text as on the command line, one op, or several in order. */
export type Ops = string | Link | readonly Link[];

/** What runs the kernels. `"auto"` begins on the CPU, and where the work goes on for long, times the GPU and keeps the faster. */
export type DeviceChoice = "auto" | DeviceName;

/** @throws UsageError */
export function checkDevice(device: DeviceChoice): void {
  if (["auto", "cpu", "gpu"].includes(device)) return;
  throw new UsageError(`There is no device ${JSON.stringify(device)}`, {
    remedy: 'Use "auto", "cpu" or "gpu".',
  });
}

/** What `transform` and its relatives take, wherever the bytes come from. */
export interface TransformOptions {
  /** What to compute, e.g. `"mul(0.5) | leaky_relu(0.2)"`. */
  readonly ops: Ops;
  /** Columns to compute; default: every tensor column. A struct's child is `column.child`. */
  readonly columns?: readonly string[] | undefined;
  /** Most worker threads to use at once; default: `os.availableParallelism()`. */
  readonly workers?: number | undefined;
  /** Bound on the arena, in bytes or as `"256MiB"` (the default). */
  readonly memory?: number | string | undefined;
  /**
   * Default: `"auto"`. `"gpu"` needs the packages gpu.js and webgpu, and is refused with the reason where there is none,
   * and for float64.
   */
  readonly device?: DeviceChoice | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called at most some 20 times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What `transform` takes beside them, for an output that is a file. */
export interface FileTransformOptions extends TransformOptions {
  /** Format to write; default: by the output's extension, else as the input. */
  readonly format?: Format | undefined;
  /** Replace an output that exists. */
  readonly overwrite?: boolean | undefined;
}

/** How far a transform is: counts from its start. */
export interface Progress {
  /** Input bytes that are done. */
  readonly bytes: number;
  /** Input bytes in all; `undefined` where the input does not tell. */
  readonly totalBytes: number | undefined;
  readonly rows: number;
  readonly batches: number;
  /** Tensor elements computed. */
  readonly elements: number;
  readonly seconds: number;
  /** Input bytes per second since the start. */
  readonly bytesPerSecond: number;
  /** What computes; with `"auto"` it may change from the CPU to the GPU, and back where that fails. */
  readonly device: DeviceName;
  /** The way to it, where it is a GPU: `"webgpu"`, or `"headless-gl"` where there is no WebGPU. */
  readonly deviceApi: GpuApi | undefined;
  /** Why it is this one; `undefined` unless the device was `"auto"`. */
  readonly deviceReason: string | undefined;
}

/** What a transform did. */
export interface TransformResult extends Progress {
  readonly ops: string;
  /** Worker threads that took part; 0 where the main thread did it all. */
  readonly workers: number;
  readonly inputFormat: Format;
  readonly outputFormat: Format;
  readonly bytesWritten: number;
  /** Names of the columns computed. */
  readonly columns: readonly string[];
  /** Columns that look like tensors and were carried through untouched, and why. */
  readonly skipped: readonly { readonly column: string; readonly reason: string }[];
}
