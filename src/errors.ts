/**
 * @file Every error that Sluice throws: a class, a code, a position and a remedy.
 *
 * ```ts
 * try {
 *   await transform("in.arrow", "out.arrow", { ops: "leaky_relu" });
 * } catch (error) {
 *   if (error instanceof SluiceError) console.error(error.code, error.position, error.remedy);
 * }
 * ```
 */

/** Where in the input (or the output) an error was found. What is unknown is left out. */
export interface Position {
  readonly path?: string;
  /** Index of the record batch, from 0. */
  readonly batch?: number;
  /** Bytes from the start of the file or stream. */
  readonly byteOffset?: number;
  readonly column?: string;
  /** Index of the row in its file or stream, from 0. */
  readonly row?: number;
}

/** `code` of a SluiceError; docs/errors.md says when each comes, and what to do. */
export type ErrorCode =
  | "ERR_USAGE"
  | "ERR_OP_SYNTAX"
  | "ERR_NOT_RECOGNISED"
  | "ERR_CORRUPT"
  | "ERR_TRUNCATED"
  | "ERR_UNSUPPORTED"
  | "ERR_COLUMN"
  | "ERR_IO"
  | "ERR_OUTPUT_EXISTS"
  | "ERR_WORKER"
  | "ERR_MEMORY"
  | "ERR_GPU"
  | "ERR_TRAINING"
  | "ABORT_ERR";

export interface ErrorDetails {
  /** What to do about it: one sentence. */
  readonly remedy?: string;
  readonly position?: Position;
  readonly cause?: unknown;
}

/** Characters of a message: names in an input may be megabytes long. */
const MOST_TEXT = 2000;

function bounded(text: string): string {
  if (text.length <= MOST_TEXT) return text;
  return `${text.slice(0, MOST_TEXT / 2)} … ${text.slice(-MOST_TEXT / 2)}`;
}

/** The root of all errors of this package. `message` says what and where; `remedy` says what to do. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly position: Position;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, problem: string, details: ErrorDetails = {}) {
    const where = describePosition(details.position ?? {});
    super(
      bounded(where ? `${problem} (${where})` : problem),
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.position = details.position ?? {};
    this.remedy = details.remedy === undefined ? undefined : bounded(details.remedy);
  }
}

/** An option or an argument has a value it cannot have. */
export class UsageError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_USAGE", problem, details);
  }
}

/** The operation text cannot be understood. `index` is the character at fault, from 0. */
export class OpSyntaxError extends SluiceError {
  readonly source: string;
  readonly index: number;

  constructor(problem: string, source: string, index: number, details?: ErrorDetails) {
    super("ERR_OP_SYNTAX", `${problem}\n${pointAt(source, index)}`, details);
    this.source = source;
    this.index = index;
  }
}

/** The input is not in any container format that Sluice reads. */
export class NotRecognisedError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_NOT_RECOGNISED", problem, details);
  }
}

/** The input contradicts itself: a length, an offset or a magic number is wrong. */
export class CorruptError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_CORRUPT", problem, {
      remedy: "The input is damaged: copy it again, or write it anew.",
      ...details,
    });
  }
}

/** The input ends before its own lengths say that it does. */
export class TruncatedError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_TRUNCATED", problem, details);
  }
}

/** The input is valid, but uses something that this version does not handle. */
export class UnsupportedError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_UNSUPPORTED", problem, details);
  }
}

/** A column is missing, is no tensor, or does not fit the operation. */
export class ColumnError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_COLUMN", problem, details);
  }
}

/** The operating system refused a read or a write; `cause` is its error. */
export class IoError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_IO", problem, details);
  }
}

const IO_REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "Check the path and that its directory exists.",
  ENOTDIR: "Check the path: a part of it is a file, not a directory.",
  EISDIR: "Name a file, not a directory.",
  EACCES: "Check the permissions of the file and its directory.",
  EPERM: "Check the permissions of the file and its directory.",
  EROFS: "The file system is read-only: write somewhere else.",
  ENOSPC: "Free some space, or write to another disk.",
  EDQUOT: "The disk quota is used up: free some space, or write to another disk.",
  EFBIG: "The file would exceed a limit on file size (see ulimit -f, or the file system's own).",
  EMFILE: "Too many files are open: raise the limit (ulimit -n).",
  ELOOP: "Check the path: its symbolic links lead in a circle.",
  ENAMETOOLONG: "Choose a shorter name.",
  ENXIO: "Name a file, a named pipe or a device: a socket cannot be opened by its path.",
  EIO: "The device failed: check the disk, or the network it is on.",
  EPIPE: "Whatever was reading the output has gone.",
};

/** An IoError from what the operating system said. `action` completes "could not …". */
export function ioError(cause: NodeJS.ErrnoException, action: string, position: Position): IoError {
  const { code, message } = cause;
  // Without a code it is the error of a stream that someone gave us, and not the system's.
  if (code === undefined) return new IoError(`Could not ${action}: ${message}`, { cause, position });
  const remedy = IO_REMEDIES[code] ?? `The system says: ${message}.`;
  return new IoError(`Could not ${action}: ${code}`, { cause, position, remedy });
}

/** The output exists and `overwrite` was not given. */
export class OutputExistsError extends SluiceError {
  constructor(path: string) {
    super("ERR_OUTPUT_EXISTS", "The output exists already", {
      position: { path },
      remedy: "Choose another name, or allow replacing it with --overwrite (in the API: overwrite: true).",
    });
  }
}

/** A worker thread crashed, was killed or ran out of memory. */
export class WorkerError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_WORKER", problem, details);
  }
}

/** The work does not fit in the memory it was given. */
export class MemoryError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_MEMORY", problem, details);
  }
}

/** There is no GPU to compute on, or it failed: its driver, its memory, a kernel. */
export class GpuError extends SluiceError {
  constructor(problem: string, details?: ErrorDetails) {
    super("ERR_GPU", problem, details);
  }
}

/** A training cannot go on: its loss or a gradient is no finite number any more. The weights from before are kept. */
export class TrainingError extends SluiceError {
  /** Counted from 0 over the whole training. */
  readonly step: number;
  /** Index of the first layer that is at fault, where that is known. */
  readonly layer: number | undefined;

  constructor(
    problem: string,
    {
      step,
      layer,
      ...details
    }: ErrorDetails & { readonly step: number; readonly layer?: number | undefined },
  ) {
    super("ERR_TRAINING", problem, details);
    [this.step, this.layer] = [step, layer];
  }
}

/** The work was cancelled through its AbortSignal; `cause` is the signal's reason. Named as Node names it. */
export class AbortError extends SluiceError {
  constructor(cause?: unknown) {
    super("ABORT_ERR", "The operation was aborted", { cause });
    this.name = "AbortError";
  }
}

/** The source, or the part of a long one around the character, with a mark below it. */
function pointAt(source: string, index: number): string {
  const reach = 50;
  const start = Math.max(0, index - reach);
  const end = Math.min(source.length, index + reach);
  const [before, after] = [start > 0 ? "…" : "", end < source.length ? "…" : ""];
  const line = before + source.slice(start, end).replace(/\s/g, " ") + after;
  return `  ${line}\n  ${" ".repeat(before.length + index - start)}^`;
}

function describePosition({ path, batch, byteOffset, column, row }: Position): string {
  const parts: string[] = [];
  if (path !== undefined) parts.push(path);
  if (column !== undefined) parts.push(`column ${JSON.stringify(column)}`);
  if (batch !== undefined) parts.push(`batch ${batch}`);
  if (row !== undefined) parts.push(`row ${row}`);
  if (byteOffset !== undefined) parts.push(`byte ${byteOffset}`);
  return parts.join(", ");
}
