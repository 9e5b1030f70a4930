/**
 * @file Puts a new root in front of a flatbuffer, so that a schema gets from a message to a footer, or back, untouched.
 *
 * The offsets of a flatbuffer are relative and point forward, so a finished flatbuffer can stand anywhere in a larger one
 * (at a multiple of 8, to keep its alignment), and a new root table in front of it can point at any table inside it.
 * No byte of the schema is encoded anew: fields, types and metadata that Sluice has never heard of stay as they are. The
 * old root stays too, as bytes that nothing refers to.
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

/** A field of the new root table. */
export type Slot =
  | { readonly bytes: 1 | 2; readonly value: number }
  /** A forward offset to a position of the old flatbuffer, or to a vector of structs. */
  | { readonly to: number }
  | { readonly structs: Uint8Array; readonly count: number }
  | null;

/**
 * Builds a flatbuffer with a root table of `slots` (in the order of the .fbs), followed by `old`. Its length is a multiple
 * of 8. Positions in `to` count from the start of `old`.
 */
export function graft(slots: readonly Slot[], old: Uint8Array): Uint8Array {
  const vtable = 4;
  const table = align(vtable + 4 + 2 * slots.length, 4);
  let end = table + 4;
  const fields = slots.map((slot) => {
    if (slot === null) return 0;
    const bytes = "bytes" in slot ? slot.bytes : 4;
    const at = align(end, bytes);
    end = at + bytes;
    return at;
  });
  const tableEnd = end;
  const vectors = slots.map((slot) => {
    if (slot === null || !("structs" in slot)) return 0;
    // The structs hold int64s, so they begin at a multiple of 8, and the length stands 4 before it.
    const at = align(end + 4, 8) - 4;
    end = at + 4 + slot.structs.byteLength;
    return at;
  });
  const base = align(end, 8);

  const out = new Uint8Array(align(base + old.byteLength, 8));
  const view = new DataView(out.buffer);
  view.setUint32(0, table, true);
  view.setUint16(vtable, 4 + 2 * slots.length, true);
  view.setUint16(vtable + 2, tableEnd - table, true);
  view.setInt32(table, table - vtable, true);
  slots.forEach((slot, i) => {
    if (slot === null) return;
    const at = fields[i]!;
    view.setUint16(vtable + 4 + 2 * i, at - table, true);
    if ("bytes" in slot) {
      if (slot.bytes === 1) view.setUint8(at, slot.value);
      else view.setInt16(at, slot.value, true);
    } else if ("to" in slot) {
      view.setUint32(at, base + slot.to - at, true);
    } else {
      const vector = vectors[i]!;
      view.setUint32(at, vector - at, true);
      view.setUint32(vector, slot.count, true);
      out.set(slot.structs, vector + 4);
    }
  });
  out.set(old, base);
  return out;
}

function align(position: number, to: number): number {
  return Math.ceil(position / to) * to;
}
