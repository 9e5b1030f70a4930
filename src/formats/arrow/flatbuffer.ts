/**
 * @file Reads the tables, vectors, structs and strings of one flatbuffer, with every read checked against its bounds.
 *
 * Our own, for two reasons: apache-arrow costs 100 ms and more to import, and the `flatbuffers` package reads beyond the
 * buffer without a word, so that a flipped bit would become a wrong offset instead of an error.
 *
 * ```text
 *   root      u32: distance from here to the root table
 *   table     i32: distance back to its vtable; then the inline fields
 *   vtable    u16: bytes of the vtable; u16: bytes of the table; then for each field u16: its offset in the table, 0 if absent
 *   vector    u32: number of items; then the items (structs inline, tables and strings as u32 distances)
 *   string    as a vector of UTF-8 bytes
 * ```
 * Source: https://flatbuffers.dev/internals. All positions here are indices into `bytes`.
 */
import type { Place } from "../place.ts";

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const TWO_32 = 2 ** 32;
/** Tables of which there can be many (fields, key-value pairs): more of them than this are not a schema. */
const MAX_TABLES = 2 ** 18;

export class FlatBuffer {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly place: Place;
  /** Strings by position: writers may share them. */
  readonly #strings = new Map<number, string>();
  /** Bytes of text that may still be decoded: were strings allowed to overlap, a small buffer could ask for endless text. */
  #text = 0;
  #tables = 0;

  constructor(place: Place) {
    this.place = place;
  }

  /** Reads from `bytes[start, end)` from now on. One object serves a whole walk. */
  open(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#text = end - start;
    if (this.#strings.size > 0) this.#strings.clear();
    this.#tables = Math.min(MAX_TABLES, (end - start) / 8);
    return this;
  }

  /** Throws CorruptError unless `length` bytes at `at` lie in the buffer. */
  check(at: number, length: number): void {
    if (at < this.start || at + length > this.end) throw this.#outside();
  }

  u8(at: number): number {
    this.check(at, 1);
    return this.bytes[at]!;
  }

  u16(at: number): number {
    this.check(at, 2);
    return this.bytes[at]! | (this.bytes[at + 1]! << 8);
  }

  i16(at: number): number {
    return (this.u16(at) << 16) >> 16;
  }

  i32(at: number): number {
    this.check(at, 4);
    const b = this.bytes;
    return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
  }

  u32(at: number): number {
    return this.i32(at) >>> 0;
  }

  /** An int64 as a number. Arrow's lengths and offsets are int64; beyond 2^53 no real input reaches. */
  int64(at: number): number {
    const low = this.u32(at);
    const high = this.i32(at + 4);
    if (high >= 2 ** 21 || high < -(2 ** 21))
      throw this.place.corrupt("The metadata holds a number beyond 2^53");
    return high * TWO_32 + low;
  }

  /** An int64 that need not fit a number, such as a dictionary id. */
  bigInt64(at: number): bigint {
    return (BigInt(this.i32(at + 4)) << 32n) | BigInt(this.u32(at));
  }

  root(): number {
    return this.#follow(this.start);
  }

  /** Position of field `slot` (its index in the .fbs) of the table; 0 where it is absent. */
  field(table: number, slot: number): number {
    const vtable = table - this.i32(table);
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.u16(vtable)) return 0;
    const offset = this.u16(vtable + entry);
    return offset === 0 ? 0 : table + offset;
  }

  fieldU8(table: number, slot: number, absent: number): number {
    const at = this.field(table, slot);
    return at === 0 ? absent : this.u8(at);
  }

  fieldI16(table: number, slot: number, absent: number): number {
    const at = this.field(table, slot);
    return at === 0 ? absent : this.i16(at);
  }

  fieldI32(table: number, slot: number, absent: number): number {
    const at = this.field(table, slot);
    return at === 0 ? absent : this.i32(at);
  }

  fieldInt64(table: number, slot: number): number {
    const at = this.field(table, slot);
    return at === 0 ? 0 : this.int64(at);
  }

  /** Position of the table (or union member) that the field points to; 0 where it is absent. */
  fieldTable(table: number, slot: number): number {
    const at = this.field(table, slot);
    return at === 0 ? 0 : this.#follow(at);
  }

  /**
   * Position of the vector that the field points to; 0 where it is absent. The whole vector is in bounds: `u32(position)`
   * is its length and the items begin at `position + 4`.
   */
  fieldVector(table: number, slot: number, itemBytes: number): number {
    const at = this.field(table, slot);
    if (at === 0) return 0;
    const vector = this.#follow(at);
    this.check(vector + 4, this.u32(vector) * itemBytes);
    return vector;
  }

  fieldString(table: number, slot: number): string {
    const vector = this.fieldVector(table, slot, 1);
    if (vector === 0) return "";
    const known = this.#strings.get(vector);
    if (known !== undefined) return known;
    const length = this.u32(vector);
    this.#text -= length;
    if (this.#text < 0) throw this.place.corrupt("The strings of the metadata overlap each other");
    const text = UTF8.decode(this.bytes.subarray(vector + 4, vector + 4 + length));
    this.#strings.set(vector, text);
    return text;
  }

  /** Positions of the tables in a vector of tables; empty where it is absent. */
  fieldTables(table: number, slot: number): number[] {
    const vector = this.fieldVector(table, slot, 4);
    const count = vector === 0 ? 0 : this.u32(vector);
    this.#tables -= count;
    if (this.#tables < 0) throw this.place.corrupt("The metadata holds more tables than its bytes can");
    const tables: number[] = [];
    for (let i = 0; i < count; i++) tables.push(this.#follow(vector + 4 + 4 * i));
    return tables;
  }

  #follow(at: number): number {
    const target = at + this.u32(at);
    if (target === at || target + 4 > this.end) throw this.#outside();
    return target;
  }

  #outside() {
    return this.place.corrupt("The metadata points outside of itself");
  }
}
