/**
 * @file Inputs of any size that cost no disk: the head and the tail of a valid file with a hole of zeros between them, and
 * many batches made of one.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { FixedSizeList, Float32, makeData, Table, Vector } from "apache-arrow";
import { findFooter, findMessages, lie } from "./lies.ts";
import { write } from "./written.ts";

/** An npy header for `count` float32. */
export function npyHeader(count: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count},), }`;
  const header = new Uint8Array(128).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  header.set(new TextEncoder().encode(text), 10);
  header[127] = 0x0a;
  return header;
}

/** An npy file of `bytes` bytes of zeros as float32. */
export function npyOfZeros(path: string, bytes: number): string {
  return sparse(path, npyHeader(bytes / 4), bytes, new Uint8Array(0));
}

export interface Sized {
  /** All before the body. */
  readonly head: Uint8Array;
  readonly bodyBytes: number;
  /** All after it. */
  readonly tail: Uint8Array;
}

/** An Arrow file or stream with one batch of `rows` rows, each a list of four float32 without nulls. */
export function oneBatch(kind: "file" | "stream", rows: number): Sized {
  const type = new FixedSizeList(4, new Table({ item: vector(4) }).schema.fields[0]!);
  const child = makeData({ type: new Float32(), length: 4, data: Float32Array.of(1, 2, 3, 4) });
  const column = new Vector([makeData({ type, length: 1, child })]);
  const bytes = write(kind, new Table({ t: column }).batches[0]!);
  const batch = findMessages(bytes).find((message) => message.type === 3)!;
  const bodyBytes = 16 * rows;
  const values = batch.at.buffers.at(-1)!;
  const changes: [number, number][] = [
    [batch.at.bodyLength, bodyBytes],
    [batch.at.rows, rows],
    [batch.at.nodes[0]!, rows],
    [batch.at.nodes[1]!, 4 * rows],
    [values, 0],
    [values + 8, bodyBytes],
  ];
  if (kind === "file") changes.push([findFooter(bytes).batches[0]! + 16, bodyBytes]);
  const lying = lie(bytes, ...changes);
  const bodyAt = batch.offset + batch.lead;
  return { head: lying.subarray(0, bodyAt), bodyBytes, tail: lying.subarray(bodyAt + batch.bodyLength) };
}

/** An Arrow file or stream with one batch of zeros. */
export function arrowOfZeros(path: string, kind: "file" | "stream", rows: number): string {
  const { head, bodyBytes, tail } = oneBatch(kind, rows);
  return sparse(path, head, bodyBytes, tail);
}

/** A stream of `count` equal batches of one row. */
export function manyBatches(path: string, count: number): string {
  const { head, bodyBytes, tail } = oneBatch("stream", 1);
  const start = findMessages(head.slice(0, -1)).at(0)!;
  const schemaEnd = start.offset + start.lead;
  const batch = Buffer.concat([head.subarray(schemaEnd), Buffer.alloc(bodyBytes, 0xbf)]);
  const block = Buffer.concat(new Array<Buffer>(1000).fill(batch));
  const file = openSync(path, "w");
  writeSync(file, head, 0, schemaEnd);
  for (let left = count; left > 0; left -= 1000)
    writeSync(file, block, 0, Math.min(left, 1000) * batch.length);
  writeSync(file, tail);
  closeSync(file);
  return path;
}

function sparse(path: string, head: Uint8Array, hole: number, tail: Uint8Array): string {
  const file = openSync(path, "w");
  writeSync(file, head);
  ftruncateSync(file, head.length + hole);
  writeSync(file, tail, 0, tail.length, head.length + hole);
  closeSync(file);
  return path;
}

function vector(length: number): Vector<Float32> {
  return new Vector([makeData({ type: new Float32(), length, data: new Float32Array(length) })]);
}
