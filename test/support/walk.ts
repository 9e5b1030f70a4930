/** @file A driver for layouts over bytes in memory: what the pipeline does with files and pipes, in its simplest form. */
import { TruncatedError } from "../../src/errors.ts";
import { detectFormat, openLayout } from "../../src/formats/detect.ts";
import type { Format, LayoutOptions, Step, Steps, TensorColumn } from "../../src/formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../../src/ops/dtype.ts";

export interface WalkedElements {
  readonly tensor: number;
  readonly column: TensorColumn;
  /** Byte offset of the first element in the input. */
  readonly offset: number;
  readonly count: number;
  readonly first: number;
}

export interface Walked {
  readonly output: Uint8Array;
  /** In the order of the steps. */
  readonly elements: readonly WalkedElements[];
  readonly schemas: readonly Extract<Step, { step: "schema" }>[];
  /** Rows of each batch. */
  readonly batches: readonly number[];
  readonly rows: number;
  /** The steps without `peek`, by name. */
  readonly steps: readonly string[];
  /** The most bytes that were asked for at once. */
  readonly largestPeek: number;
}

export interface WalkOptions extends Partial<LayoutOptions> {
  /** Default: as detected. */
  readonly format?: Format;
  /** Computes elements in place; `bytes` is a copy. Default: negates each, which for floats flips one bit and is exact. */
  readonly compute?: (bytes: Uint8Array, column: TensorColumn) => void;
}

/** Flips the sign bit of every element: exact on every value, and undone by doing it again. */
export function negate(bytes: Uint8Array, { dtype }: Pick<TensorColumn, "dtype">): void {
  const width = BYTES_PER_ELEMENT[dtype];
  for (let i = width - 1; i < bytes.length; i += width) bytes[i] = bytes[i]! ^ 0x80;
}

/** Walks `input` as a file of known size, or with `random: false` as a pipe of unknown size. */
export function walkBytes(input: Uint8Array, options: WalkOptions = {}): Walked {
  const { format = detectFormat(input.subarray(0, 16)), compute, random = true, ...rest } = options;
  const size = random ? { size: input.length } : {};
  return walk(openLayout(format, { ...size, random, ...rest }), input, random, compute);
}

/** Drives `steps` over `input`. Throws a plain Error for a step that breaks the rules of layout.ts. */
export function walk(
  steps: Steps,
  input: Uint8Array,
  random = true,
  compute: (bytes: Uint8Array, column: TensorColumn) => void = negate,
): Walked {
  const parts: Uint8Array[] = [];
  const elements: WalkedElements[] = [];
  const schemas: Extract<Step, { step: "schema" }>[] = [];
  const batches: number[] = [];
  const names: string[] = [];
  let largestPeek = 0;
  let at = 0;
  const take = (length: number): Uint8Array => {
    checkLength(length);
    if (at + length > input.length) throw new TruncatedError("The input ends before its lengths say so");
    at += length;
    return input.subarray(at - length, at);
  };
  // A Buffer that is overwritten by the next answer, as a driver may do: a layout must copy what it keeps.
  let scratch = Buffer.alloc(0);
  let left = 1000 + 20 * input.length;
  for (let next = steps.next(EMPTY); !next.done; ) {
    if (left-- === 0) throw new Error("A layout does not come to an end");
    const step = next.value;
    let answer: Uint8Array = EMPTY;
    if (step.step !== "peek") names.push(step.step);
    switch (step.step) {
      case "peek": {
        checkLength(step.length);
        largestPeek = Math.max(largestPeek, step.length);
        scratch.fill(0xa5);
        scratch = Buffer.from(input.subarray(at, at + step.length));
        answer = scratch;
        break;
      }
      case "seek":
        if (!random) throw new Error("A layout sought in a pipe");
        if (step.offset < 0 || step.offset > input.length)
          throw new Error(`A layout sought byte ${step.offset}`);
        at = step.offset;
        break;
      case "keep":
        parts.push(take(step.length));
        break;
      case "drop":
        take(step.length);
        break;
      case "emit":
        parts.push(new Uint8Array(step.bytes));
        break;
      case "schema":
        schemas.push(step);
        break;
      case "elements": {
        const column = schemas.at(-1)?.tensors[step.tensor];
        if (column === undefined) throw new Error("A layout has elements of no tensor");
        if (step.count === 0) throw new Error("A layout has a step of no elements");
        elements.push({ tensor: step.tensor, column, offset: at, count: step.count, first: step.first });
        const bytes = new Uint8Array(take(step.count * BYTES_PER_ELEMENT[column.dtype]));
        compute(bytes, column);
        parts.push(bytes);
        break;
      }
      case "batch":
        batches.push(step.rows);
        break;
    }
    next = steps.next(answer);
  }
  const rows = batches.reduce((sum, count) => sum + count, 0);
  return { output: concat(parts), elements, schemas, batches, rows, steps: names, largestPeek };
}

const EMPTY = new Uint8Array(0);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) throw new Error(`A layout asked for ${length} bytes`);
}
