/** @file Checks that a contestant did the work: samples of its output against the formula, in front, middle and end. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Message } from "apache-arrow";
import { Footer } from "apache-arrow/ipc/metadata/file";
import type { RecordBatch } from "apache-arrow/ipc/metadata/message";
import { valueAt } from "./values.ts";

const ALPHA = 0.01;
const SAMPLE_ELEMENTS = 256;
const MOST_BATCHES = 16;

/** Elements of one batch in a file. */
export interface Elements {
  readonly offset: number;
  readonly count: number;
}

/** Throws unless the elements in the file are leaky_relu of those that `writeTensorFile` wrote. */
export function verify(path: string, batches: readonly Elements[]): void {
  const fd = openSync(path, "r");
  try {
    let first = 0;
    const step = Math.ceil(batches.length / MOST_BATCHES);
    batches.forEach(({ offset, count }, index) => {
      if (index % step === 0 || index === batches.length - 1) {
        for (const place of [0, count >> 1, count - SAMPLE_ELEMENTS])
          verifySample(path, fd, offset, Math.max(0, place), first, count);
      }
      first += count;
    });
    if (first === 0) throw new Error(`${path} has no elements`);
  } finally {
    closeSync(fd);
  }
}

function verifySample(
  path: string,
  fd: number,
  offset: number,
  place: number,
  first: number,
  count: number,
): void {
  const sample = new Float32Array(Math.min(SAMPLE_ELEMENTS, count - place));
  readSync(fd, sample, 0, sample.byteLength, offset + place * 4);
  sample.forEach((value, index) => {
    const before = valueAt(first + place + index);
    const expected = before > 0 ? before : ALPHA * before;
    // Some round alpha to float32 first.
    if (!(Math.abs(value - expected) <= 2e-7 * Math.abs(expected))) {
      throw new Error(`${path}: element ${first + place + index} is ${value}, not ${expected}`);
    }
  });
}

/** Finds the last buffer of every record batch of an Arrow file, whoever wrote it. */
export function elementsOf(path: string): Elements[] {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const length = read(fd, size - 10, 4).readInt32LE();
    const footer = Footer.decode(read(fd, size - 10 - length, length));
    return [...footer.recordBatches()].map(({ offset, metaDataLength }) => {
      const message = Message.decode(read(fd, offset + 8, metaDataLength - 8));
      const region = (message.header() as RecordBatch).buffers.at(-1)!;
      return { offset: offset + metaDataLength + region.offset, count: region.length / 4 };
    });
  } finally {
    closeSync(fd);
  }
}

function read(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
}
