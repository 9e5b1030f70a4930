/** @file What crosses between the main thread and a worker: a window as plain data, and what went wrong with it. */
import type { FileSpan, OtherReads, Ranges } from "../device.ts";
import type { Workspace } from "./kernels.ts";
import type { Posted } from "./posted.ts";

export interface Task {
  /** The kernels of the tensors, a list of `Kernel`. */
  readonly kernels: Posted;
  /** Byte address of the window's slot in the arena. */
  readonly address: number;
  readonly length: number;
  readonly ranges: Ranges;
  readonly read: FileSpan | undefined;
  readonly others: OtherReads | undefined;
  readonly write: FileSpan | undefined;
  /** Where the sums are, in no other task's hands; nothing where the program has none. */
  readonly workspace: Workspace | undefined;
}

/** Error objects lose their own properties on the way between threads, so failures travel as data. */
export type Outcome = { readonly ok: true } | Failure;

export interface Failure {
  readonly ok: false;
  readonly action: "read" | "write";
  /** The system's error, or nothing where no byte moved: the file ends there. */
  readonly cause?: NodeJS.ErrnoException;
  readonly path: string;
  readonly byteOffset: number;
}
