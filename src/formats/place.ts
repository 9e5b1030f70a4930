/** @file Where a walk is in its input, and the errors that name that place. */
import {
  ColumnError,
  CorruptError,
  type ErrorDetails,
  type Position,
  TruncatedError,
  UnsupportedError,
} from "../errors.ts";

/** Beyond this, metadata is not believed, whatever the input says: 64 MiB. */
export const MAX_METADATA = 64 * 2 ** 20;

type Details = Pick<ErrorDetails, "remedy" | "cause"> & { readonly column?: string };

/** The position of one walk; moved by the walk, read when an error is made. */
export class Place {
  /** Bytes from the start of the input. */
  offset = 0;
  /** Index of the record batch at hand; -1 outside of batches. */
  batch = -1;
  /** How many batches there were; a sequence of streams counts on. */
  batches = 0;
  readonly path: string | undefined;
  /** Bytes in the whole input; infinite where that is not known. */
  readonly size: number;

  constructor(path?: string, size?: number) {
    this.path = path;
    this.size = size ?? Number.POSITIVE_INFINITY;
  }

  position(column?: string): Position {
    return {
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(column === undefined ? {} : { column }),
      ...(this.batch < 0 ? {} : { batch: this.batch }),
      byteOffset: this.offset,
    };
  }

  corrupt(problem: string, details: Details = {}): CorruptError {
    return new CorruptError(problem, this.#details(details));
  }

  unsupported(problem: string, details: Details = {}): UnsupportedError {
    return new UnsupportedError(problem, this.#details(details));
  }

  /** A column is a matter of the schema, not of a byte: the position has the path and the column only. */
  column(problem: string, details: Details = {}): ColumnError {
    const { column, ...rest } = details;
    const position = {
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(column === undefined ? {} : { column }),
    };
    return new ColumnError(problem, { ...rest, position });
  }

  /** Two columns that are read side by side do not match in this batch. */
  unlike(problem: string, column: string): ColumnError {
    const { byteOffset, ...position } = this.position(column);
    const remedy =
      "Both columns must hold rows of the same lengths: dy is the gradient of what was made of x.";
    return new ColumnError(problem, { remedy, position });
  }

  truncated(problem: string): TruncatedError {
    const remedy = "It was cut short, or its writer was not closed; copy or write it again.";
    return new TruncatedError(problem, this.#details({ remedy }));
  }

  /** The input ends inside `what`, which needs `length` bytes from here; `left` are left. */
  short(what: string, length: number, left: number): TruncatedError {
    return this.truncated(`The input ends inside ${what}: ${length} bytes are needed here, ${left} are left`);
  }

  /** Throws TruncatedError where the input is known to be too short for `length` more bytes. */
  require(length: number, what: string): void {
    if (this.offset + length > this.size) throw this.short(what, length, this.size - this.offset);
  }

  #details({ column, ...details }: Details): ErrorDetails {
    return { ...details, position: this.position(column) };
  }
}
