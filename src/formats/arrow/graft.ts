/**
 * @file Puts new tables in front of a flatbuffer, so that a schema gets from a message to a footer, or back, or gets
 * one more field, untouched.
 *
 * The offsets of a flatbuffer are relative and point forward, so a finished flatbuffer can stand anywhere in a larger
 * one (at a multiple of 8, to keep its alignment), and a new table in front of it can point at any table inside it. No
 * byte of the schema is encoded anew: fields, types and metadata that Sluice has never heard of stay as they are. The old root
 * stays too, as bytes that nothing refers to.
 *
 * ```text
 *   Footer   | root | vtable | table | dictionaries | recordBatches | old Message ... Schema ... |
 *               └──────────────┘ │ └───────┘────────────────┘                        │
 *                                └───────────────────────────────────────────────────┘ schema
 *
 *   Message  | root | vtable | table | old Footer ... Schema ... |
 *                                └───────────────────────┘ header
 * ```
 */

/** A field of a new table. */
export type Slot =
  | { readonly bytes: 1 | 2 | 4 | 8; readonly value: number | bigint }
  /** A forward offset to a position of the old flatbuffer, or to something new. */
  | Old
  | { readonly structs: Uint8Array; readonly count: number }
  | { readonly text: string }
  | Table
  | { readonly tables: readonly (Table | Old)[] }
  | null;

/** A position of the old flatbuffer, from its start. */
export interface Old {
  readonly to: number;
}

/** A new table, with its fields in the order of the .fbs. */
export interface Table {
  readonly table: readonly Slot[];
}

/**
 * Builds a flatbuffer with a root table of `slots` (in the order of the .fbs), followed by `old`. Its length is a multiple
 * of 8.
 */
export function graft(slots: readonly Slot[], old: Uint8Array): Uint8Array {
  const writer = new Writer();
  const root = writer.allocate(4, 4);
  writer.link(root, { table: slots });
  return writer.finish(old);
}

/** Writes tables before what they point at, as the direction of the offsets wants it. */
class Writer {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  /** Places that hold offsets to positions of the old flatbuffer. */
  readonly #links: [at: number, to: number][] = [];

  /** Room for `length` bytes, of which the one after `before` stands at a multiple of `alignment`. */
  allocate(length: number, alignment: number, before = 0): number {
    const at = align(this.#end + before, alignment) - before;
    this.#end = at + length;
    if (this.#end > this.#bytes.length) {
      const bytes = new Uint8Array(2 * this.#end);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }

  /** Writes something, and at `at` the offset to it. */
  link(at: number, target: Exclude<Slot, null | { readonly bytes: number }>): void {
    if ("to" in target) {
      this.#links.push([at, target.to]);
      return;
    }
    // First: it may move everything into more memory.
    const position = this.#write(target);
    this.#view.setUint32(at, position - at, true);
  }

  finish(old: Uint8Array): Uint8Array {
    const base = align(this.#end, 8);
    for (const [at, to] of this.#links) this.#view.setUint32(at, base + to - at, true);
    const out = new Uint8Array(align(base + old.byteLength, 8));
    out.set(this.#bytes.subarray(0, this.#end));
    out.set(old, base);
    return out;
  }

  #write(target: Exclude<Slot, null | Old | { readonly bytes: number }>): number {
    if ("table" in target) return this.#table(target.table);
    // The structs hold int64s, so they begin at a multiple of 8, and the length stands 4 before it.
    if ("structs" in target) return this.#vector(target.structs, target.count, 8);
    if ("tables" in target) {
      const vector = this.#vector(new Uint8Array(4 * target.tables.length), target.tables.length, 4);
      for (const [i, table] of target.tables.entries()) this.link(vector + 4 + 4 * i, table);
      return vector;
    }
    const text = new TextEncoder().encode(target.text);
    // A zero byte ends a string, and is not counted.
    const ended = new Uint8Array(text.length + 1);
    ended.set(text);
    return this.#vector(ended, text.length, 4);
  }

  #vector(items: Uint8Array, count: number, alignment: 4 | 8): number {
    const vector = this.allocate(4 + items.byteLength, alignment, 4);
    this.#view.setUint32(vector, count, true);
    this.#bytes.set(items, vector + 4);
    return vector;
  }

  #table(slots: readonly Slot[]): number {
    let size = 4;
    let widest = 4;
    const fields = slots.map((slot) => {
      if (slot === null) return 0;
      const bytes = "bytes" in slot ? slot.bytes : 4;
      const at = align(size, bytes);
      size = at + bytes;
      widest = Math.max(widest, bytes);
      return at;
    });
    const vtable = this.allocate(4 + 2 * slots.length, 4);
    const table = this.allocate(size, widest);
    this.#view.setUint16(vtable, 4 + 2 * slots.length, true);
    this.#view.setUint16(vtable + 2, size, true);
    this.#view.setInt32(table, table - vtable, true);
    for (const [i, field] of fields.entries()) this.#view.setUint16(vtable + 4 + 2 * i, field, true);
    for (const [i, slot] of slots.entries()) {
      if (slot === null) continue;
      const at = table + fields[i]!;
      if ("bytes" in slot) this.#number(at, slot.bytes, slot.value);
      else this.link(at, slot);
    }
    return table;
  }

  #number(at: number, bytes: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (bytes === 8) this.#view.setBigInt64(at, BigInt(value), true);
    else if (bytes === 4) this.#view.setInt32(at, Number(value), true);
    else if (bytes === 2) this.#view.setInt16(at, Number(value), true);
    else this.#view.setUint8(at, Number(value));
  }
}

function align(position: number, to: number): number {
  return Math.ceil(position / to) * to;
}
