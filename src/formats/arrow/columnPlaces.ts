/**
 * @file Where the rows of chosen columns lie in a file, batch by batch, so that any of them can be read by position.
 *
 * ```text
 *   column    t: fixed_size_list<float32>[3]        s: utf8
 *   fields    t          t.item                     s
 *   buffers   validity   validity, values           validity, offsets, text
 * ```
 * Only the metadata of the batches is read. What it says is verified: a buffer lies in its body, and is as long as its
 * slots need; what stands in the buffers (offsets, indices) is for their reader to verify.
 */
import type { Place } from "../place.ts";
import { BatchReader, compressed, compression, STRUCT_BYTES, viewBuffers } from "./batch.ts";
import type { Message } from "./message.ts";
import type { Field, Schema } from "./schema.ts";

/** One field in one batch. Offsets are bytes from the start of the file. */
export interface FieldPlaces {
  /** Entries of the field: rows at the top level, elements at the bottom. */
  readonly slots: number;
  /** The validity bitmap; -1 where no entry is null. */
  readonly validity: number;
  /** The first buffer after the validity: values, offsets, or views. */
  readonly first: number;
  /** The second one, the text behind offsets, and its bytes. */
  readonly second: number;
  readonly secondBytes: number;
}

/** Numbers that are kept of a field in a batch: a file may have a million batches, so they are no objects. */
const STRIDE = 5;

export class ColumnPlaces {
  /** Rows of each batch. */
  readonly rows: number[] = [];
  readonly #numbers: number[] = [];
  /** The data buffers of view columns, by batch and field: [offset, bytes] of each. */
  readonly #views = new Map<number, readonly (readonly [offset: number, bytes: number])[]>();
  readonly #fields: readonly Field[];
  readonly #parents: readonly number[];
  readonly #reader: BatchReader;
  readonly #place: Place;

  /** @param paths for each column the fields from the top-level one down to the one with the values */
  constructor(schema: Schema, paths: readonly (readonly Field[])[], place: Place) {
    this.#fields = paths.flat();
    this.#parents = paths.flatMap((path) => path.map((_, depth) => depth - 1));
    this.#reader = new BatchReader(schema, [], [], place);
    this.#place = place;
  }

  /**
   * Notes batch `index`, the RecordBatch at `table` of the message, whose body begins at byte `body`.
   * @throws CorruptError, UnsupportedError for a compressed body
   */
  add(index: number, message: Message, body: number, table: number = message.header): void {
    const { flat } = message;
    const { plan, nodes, buffers, variadic } = this.#reader.locate(message, table);
    const { rows } = this.#reader;
    this.rows[index] = rows;
    const codec = compression(message, table);
    if (codec !== null && rows > 0) throw compressed(codec, this.#place);
    const count = this.#fields.length;
    for (const [i, field] of this.#fields.entries()) {
      const { node, buffer, views, layout } = plan.places.get(field)!;
      const slots = flat.int64(nodes + STRUCT_BYTES * node);
      const nulls = flat.int64(nodes + STRUCT_BYTES * node + 8);
      this.#checkSlots(i, slots, index * count);
      let at = buffers + STRUCT_BYTES * (buffer + (views === 0 ? 0 : viewBuffers(flat, variadic, views)));
      const take = (needed: number, what: string): number => {
        const [offset, bytes] = [flat.int64(at), flat.int64(at + 8)];
        if (bytes < needed) {
          const problem = `The ${what} of ${JSON.stringify(field.name)} have ${bytes} bytes; ${needed} are needed`;
          throw this.#place.corrupt(problem);
        }
        at += STRUCT_BYTES;
        return body + offset;
      };
      const to = (index * count + i) * STRIDE;
      const validity = layout.validity ? take(nulls === 0 ? 0 : Math.ceil(slots / 8), "validity bits") : -1;
      const first = layout.data > 0 ? take(bytesOf(field, slots), "values or offsets") : -1;
      const secondBytes = layout.data > 1 ? flat.int64(at + 8) : 0;
      const second = layout.data > 1 ? take(0, "texts") : -1;
      const record = [slots, nulls === 0 ? -1 : validity, first, second, secondBytes];
      for (let k = 0; k < STRIDE; k++) this.#numbers[to + k] = record[k]!;
      if (!layout.variadic) continue;
      const extra = flat.int64(variadic + 8 * views);
      const data = Array.from({ length: extra }, (_, k) => {
        const bytes = flat.int64(at + STRUCT_BYTES * k + 8);
        return [body + flat.int64(at + STRUCT_BYTES * k), bytes] as const;
      });
      this.#views.set(index * count + i, data);
    }
  }

  /** Field `index` in a batch: fields are numbered through all paths. */
  field(batch: number, index: number): FieldPlaces {
    const at = (batch * this.#fields.length + index) * STRIDE;
    const [slots, validity, first, second, secondBytes] = this.#numbers.slice(at, at + STRIDE);
    return {
      slots: slots!,
      validity: validity!,
      first: first!,
      second: second!,
      secondBytes: secondBytes!,
    };
  }

  /** The data buffers of a column of views. */
  views(batch: number, index: number): readonly (readonly [offset: number, bytes: number])[] {
    return this.#views.get(batch * this.#fields.length + index) ?? [];
  }

  /** Throws CorruptError where a struct or a fixed_size_list has fewer entries below it than it needs. */
  #checkSlots(i: number, slots: number, base: number): void {
    const above = this.#fields[i - 1];
    if (this.#parents[i]! < 0 || above === undefined) return;
    const parents = this.#numbers[(base + i - 1) * STRIDE]!;
    const each =
      above.type.kind === "fixed_size_list" ? above.type.size : above.type.kind === "struct" ? 1 : 0;
    if (slots < parents * each) {
      throw this.#place.corrupt(
        `A nested column of the record batch has ${slots} slots; ${parents} × ${each} are needed`,
      );
    }
  }
}

/** Bytes that the first buffer after the validity needs at least; 0 for types that are not read. */
function bytesOf({ type, dictionary }: Field, slots: number): number {
  const wide = (bytes: number): number => (slots === 0 ? 0 : (slots + 1) * bytes);
  if (dictionary !== null) return (slots * integerBits(dictionary.index)) / 8;
  switch (type.kind) {
    case "bool":
      return Math.ceil(slots / 8);
    case "int":
      return (slots * integerBits(type.text)) / 8;
    case "float":
      return (slots * integerBits(type.dtype)) / 8;
    case "list":
    case "utf8":
      return wide(4);
    case "large_list":
    case "large_utf8":
      return wide(8);
    case "utf8_view":
      return slots * 16;
    default:
      return 0;
  }
}

/** `uint16` has 16 bits, `float32` 32. */
function integerBits(text: string): number {
  return Number(/\d+$/.exec(text)?.[0] ?? 0);
}
