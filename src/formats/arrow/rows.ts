/**
 * @file Rows of varying length: each list of floats becomes one `elements` step, by the offsets of the list column.
 *
 * ```text
 *   offsets   2 5 5 9               values   a b | c d e | f g h i | j
 *   steps                                    keep  3       4        keep
 * ```
 *
 * From a file the offsets are looked up where they lie, in blocks; from a pipe they are held when they pass.
 */
import { MemoryError } from "../../errors.ts";
import type { Step, TensorColumn } from "../layout.ts";
import type { Place } from "../place.ts";
import type { BatchReader, RowList } from "./batch.ts";
import { BLOCK_BYTES, look, type Region } from "./regions.ts";
import { extensionOf, type Field } from "./schema.ts";
import { variableShape } from "./tensorExtension.ts";

type Walk = Generator<Step, void, Uint8Array>;

/** @throws UnsupportedError for a tensor whose rows only the shapes beside it could tell */
export function requireRows(
  tensors: readonly TensorColumn[],
  paths: readonly (readonly Field[])[],
  place: Place,
): void {
  for (const [i, path] of paths.entries()) {
    for (const field of path) {
      if (extensionOf(field) !== "arrow.variable_shape_tensor") continue;
      const tensor = variableShape(field);
      const axes = typeof tensor === "string" ? 0 : tensor.shape.length;
      if (axes <= 1) continue;
      throw place.unsupported(
        `An op of the chain goes along the last axis, and the column is a variable_shape_tensor of ${axes} axes`,
        {
          column: tensors[i]!.name,
          remedy: "Store its rows as lists, or tensors of one shape as fixed_shape_tensor.",
        },
      );
    }
  }
}

/** The elements of range `i`, row by row, from a file whose body begins at byte `body`. */
export function* rowsOfFile(reader: BatchReader, i: number, list: RowList, body: number, place: Place): Walk {
  const rows = new RowSteps(reader, i, list, body, place);
  for (let at = 0; at < list.bytes; at += BLOCK_BYTES) {
    yield { step: "seek", offset: body + list.offset + at };
    // Copied: the steps below may use the memory again.
    const block = Uint8Array.from(yield* look(Math.min(BLOCK_BYTES, list.bytes - at), place));
    yield { step: "seek", offset: rows.position };
    yield* rows.of(block);
  }
  yield* rows.rest();
}

/** The same from a pipe: the offsets were held when they passed. */
export function* rowsHeld(
  reader: BatchReader,
  i: number,
  list: RowList,
  held: readonly Uint8Array[],
  body: number,
  place: Place,
): Walk {
  const rows = new RowSteps(reader, i, list, body, place);
  for (const block of held) yield* rows.of(block);
  yield* rows.rest();
}

/** The offsets of range `i` on their way into the output, noted in `held`. */
export function holdOffsets(
  reader: BatchReader,
  i: number,
  list: RowList,
  held: Uint8Array[],
  place: Place,
  memory: number,
): Region {
  if (list.bytes > 0 && list.offset > reader.offsets[i]!) {
    throw place.unsupported("The offsets of a list column stand behind its values", {
      remedy: "Give the path of the file instead of a pipe.",
    });
  }
  if (list.bytes > memory) {
    throw new MemoryError(`The offsets of the rows take ${list.bytes} bytes, which a pipe makes us hold`, {
      position: place.position(),
      remedy: `Give --memory ${list.bytes} or more (in the API: memory), or the path of a file, which needs none of it.`,
    });
  }
  return {
    offset: list.offset,
    bytes: list.bytes,
    *steps() {
      for (let at = 0; at < list.bytes; at += BLOCK_BYTES) {
        const block = yield* look(Math.min(BLOCK_BYTES, list.bytes - at), place);
        held.push(Uint8Array.from(block));
        yield { step: "keep", length: block.length };
      }
    },
  };
}

/** Turns offsets into steps, as far as they are known. */
class RowSteps {
  readonly #place: Place;
  readonly #width: 4 | 8;
  readonly #tensor: number;
  readonly #count: number;
  readonly #elementBytes: number;
  /** Where the values begin in the input, and those beside them. */
  readonly #start: number;
  readonly #other: number | undefined;
  /** Elements passed. */
  #done = 0;
  /** Offsets seen. */
  #seen = 0;

  constructor(reader: BatchReader, i: number, { width }: RowList, body: number, place: Place) {
    this.#place = place;
    this.#width = width;
    this.#tensor = reader.tensors[i]!;
    this.#count = reader.counts[i]!;
    this.#elementBytes = reader.bytes[i]! / this.#count;
    this.#start = body + reader.offsets[i]!;
    this.#other = reader.other ? body + reader.otherOffset : undefined;
  }

  /** Byte of the input where the next step begins. */
  get position(): number {
    return this.#start + this.#done * this.#elementBytes;
  }

  *of(block: Uint8Array): Walk {
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let at = 0; at < block.length; at += this.#width) {
      const end = this.#width === 4 ? view.getInt32(at, true) : Number(view.getBigInt64(at, true));
      if (!(end >= this.#done && end <= this.#count)) {
        throw this.#place.corrupt(
          `Offset ${this.#seen} of a list is ${end}, not from ${this.#done} to ${this.#count}`,
        );
      }
      const count = end - this.#done;
      const bytes = count * this.#elementBytes;
      if (count > 0 && this.#seen === 0) yield { step: "keep", length: bytes };
      else if (count > 0) {
        const first = this.#done;
        const other = this.#other === undefined ? {} : { other: this.#other + first * this.#elementBytes };
        yield { step: "elements", tensor: this.#tensor, count, first, ...other };
      }
      this.#done = end;
      this.#seen++;
    }
  }

  /** What lies behind the last row belongs to none. */
  *rest(): Walk {
    const left = this.#count - this.#done;
    if (left > 0) yield { step: "keep", length: left * this.#elementBytes };
  }
}
