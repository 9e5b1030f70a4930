/** @file Flatbuffers are read within their bounds, and a grafted root finds the old tables. */
import { describe, expect, test } from "vitest";
import { CorruptError } from "../../../src/errors.ts";
import { FlatBuffer } from "../../../src/formats/arrow/flatbuffer.ts";
import { graft, type Slot } from "../../../src/formats/arrow/graft.ts";
import { Place } from "../../../src/formats/place.ts";
import { fixture } from "../../support/fixtures.ts";
import { findMessages } from "../../support/lies.ts";

const small = fixture("small.arrows");
const [schema] = findMessages(small);
const open = (bytes: Uint8Array, start = 0, end = bytes.length) =>
  new FlatBuffer(new Place("in.arrows")).open(bytes, start, end);

describe("a flatbuffer", () => {
  test("is read as it was written: version, type, the names of the fields", () => {
    const flat = open(small, 8, schema!.lead);
    const root = flat.root();
    expect(flat.fieldI16(root, 0, -1)).toBe(4);
    expect(flat.fieldU8(root, 1, 0)).toBe(1);
    const fields = flat.fieldTables(flat.fieldTable(root, 2), 1);
    expect(fields.map((field) => flat.fieldString(field, 0))).toEqual(["id", "t"]);
  });

  test("gives the default for what is absent, known to the vtable or not", () => {
    const flat = open(small, 8, schema!.lead);
    const root = flat.root();
    for (const slot of [4, 40]) {
      expect(flat.fieldI32(root, slot, 77)).toBe(77);
      expect(flat.fieldTable(root, slot)).toBe(0);
      expect(flat.fieldVector(root, slot, 4)).toBe(0);
      expect(flat.fieldTables(root, slot)).toEqual([]);
      expect(flat.fieldString(root, slot)).toBe("");
    }
  });

  test("is not read outside of its bounds, though the bytes go on", () => {
    const flat = open(small, 8, 20);
    for (const at of [0, 7, 17, 20, -1, 2 ** 31]) expect(() => flat.i32(at)).toThrow(CorruptError);
    expect(() => flat.u8(20)).toThrow("The metadata points outside of itself (in.arrows, byte 0)");
    expect(() => flat.u16(19)).toThrow(CorruptError);
  });

  test("has no table at distance 0", () => {
    expect(() => open(new Uint8Array(16)).root()).toThrow(CorruptError);
  });

  test("has no vector longer than itself", () => {
    const bytes = graft([{ structs: new Uint8Array(24), count: 2 ** 31 }], new Uint8Array(8));
    const flat = open(bytes);
    expect(() => flat.fieldVector(flat.root(), 0, 24)).toThrow(CorruptError);
    expect(() => flat.fieldTables(flat.root(), 0)).toThrow(CorruptError);
  });

  test("reads int64 up to 2^53, and refuses what is beyond", () => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    const flat = open(bytes);
    for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      view.setBigInt64(0, BigInt(value), true);
      expect(flat.int64(0)).toBe(value);
    }
    for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 53n) - 1n, -(2n ** 63n)]) {
      view.setBigInt64(0, value, true);
      expect(() => flat.int64(0)).toThrow("beyond 2^53");
      expect(flat.bigInt64(0)).toBe(value);
    }
  });

  test("with strings that overlap never decodes more text than it has bytes", () => {
    // A vector of tables, each with a string that begins a word later than the last and runs to the end.
    const count = 100;
    const bytes = new Uint8Array(8192);
    const view = new DataView(bytes.buffer);
    const flat = open(bytes);
    for (let i = 0; i < count; i++) view.setUint32(4096 + 4 * i, 4000 - 4 * i, true);
    const tables = Array.from({ length: count }, (_, i) => {
      const table = 64 + 16 * i;
      view.setUint16(4, 6, true);
      view.setUint16(8, 4, true);
      view.setInt32(table, table - 4, true);
      view.setUint32(table + 4, 4096 + 4 * i - (table + 4), true);
      return table;
    });
    expect(() => tables.map((table) => flat.fieldString(table, 0))).toThrow("overlap each other");
  });
});

describe("a graft", () => {
  const old = small.subarray(8, schema!.lead);
  const flat = open(old);
  const schemaAt = flat.fieldTable(flat.root(), 2);

  test("puts a root in front that finds the old table, scalars and structs", () => {
    const structs = Uint8Array.from({ length: 48 }, (_, i) => i);
    const bytes = graft(
      [{ bytes: 2, value: 4 }, { to: schemaAt }, null, { structs, count: 2 }, { bytes: 1, value: 7 }],
      old,
    );
    const grown = open(bytes);
    const root = grown.root();
    expect(bytes.length % 8).toBe(0);
    expect(grown.fieldI16(root, 0, 0)).toBe(4);
    expect(grown.field(root, 2)).toBe(0);
    expect(grown.fieldU8(root, 4, 0)).toBe(7);
    const vector = grown.fieldVector(root, 3, 24);
    expect((vector + 4) % 8).toBe(0);
    expect(bytes.subarray(vector + 4, vector + 52)).toEqual(structs);
    const fields = grown.fieldTables(grown.fieldTable(root, 1), 1);
    expect(fields.map((field) => grown.fieldString(field, 0))).toEqual(["id", "t"]);
  });

  test("keeps every old byte, at a multiple of 8", () => {
    for (let more = 0; more < 8; more++) {
      const bytes = graft([{ to: schemaAt }, ...Array<Slot>(more).fill({ bytes: 1, value: 1 })], old);
      const at = Buffer.from(bytes).indexOf(old);
      expect(at % 8).toBe(0);
      expect(bytes.subarray(at, at + old.length)).toEqual(old);
    }
  });
});
