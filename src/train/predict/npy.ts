/** @file Predictions of an npy array: another array, whose first axis is that of the rows. */
import { NPY_MAGIC, readNpyHeader } from "../../formats/npy.ts";
import { Place } from "../../formats/place.ts";
import { type Feed, FileFeed } from "../../pipeline/feed.ts";
import type { ProgressMeter } from "../../pipeline/progress.ts";
import { readSpan } from "../../workers/files.ts";
import { npyNumberType } from "../data/npy-tables.ts";
import { bytesOfElements, toNumbers } from "../data/numbers.ts";
import { type Network, shapeText, sizeOf } from "../network.ts";
import type { ByteSink } from "./byte-sink.ts";
import { inOrder } from "./in-order.ts";
import type { Classes } from "./labels.ts";
import type { Predictor } from "./predictor.ts";

/** @param classes of labels; undefined for the outputs themselves */
export async function predictNpy(
  feed: Feed,
  sink: ByteSink,
  predictor: Predictor,
  classes: Classes | undefined,
  meter: ProgressMeter,
): Promise<void> {
  const size = feed instanceof FileFeed ? feed.source.size : undefined;
  const place = new Place(feed.source.path, size);
  const { type, rows, start } = await readArray(feed, place, predictor.network);
  await feed.skip(start);
  place.offset = start;
  const inputs = sizeOf(predictor.network.inputShape);
  place.require(bytesOfElements(type, 0, rows * inputs).bytes, "the array");

  const outputs = predictor.network.outputShape;
  await sink.write(classes ? header(descrOf(classes), [rows]) : header("<f4", [rows, ...outputs]));
  const { windowRows, atOnce } = predictor;
  const countOf = (window: number): number => Math.min(windowRows, rows - window * windowRows);
  let told = 0;
  let reading: Promise<unknown> = Promise.resolve();
  await inOrder(
    Math.ceil(rows / windowRows),
    atOnce,
    async (window) => {
      const count = countOf(window);
      const bytes = new Uint8Array(bytesOfElements(type, 0, count * inputs).bytes);
      // One after the other: a stream is read in order.
      reading = reading.then(() => fill(feed, bytes));
      await reading;
      const features = Float32Array.from(toNumbers(type, bytes, 0, count * inputs));
      return predictor.predict(features, new Uint8Array(count).fill(1));
    },
    async (values, window) => {
      await sink.write(classes ? labelBytes(values as Int32Array, classes) : bytesOf(values));
      const count = countOf(window);
      const inputBytes = bytesOfElements(type, 0, count * inputs).bytes;
      meter.add(
        { inputBytes, rows: count, batches: 0, elements: count * sizeOf(outputs) },
        sink.position - told,
      );
      told = sink.position;
    },
  );
  meter.add({ inputBytes: start, rows: 0, batches: 1, elements: 0 }, sink.position - told);
}

async function readArray(feed: Feed, place: Place, network: Network) {
  const steps = readNpyHeader(place);
  let next = steps.next();
  while (!next.done) {
    if (next.value.step !== "peek") throw new TypeError("A header is only peeked at");
    next = steps.next(await feed.peek(next.value.length));
  }
  const { descr, fortran, shape: whole, start } = next.value;
  const [rows, ...shape] = whole;
  const { inputShape } = network;
  const flat = shape.length <= 1 || inputShape.length === 1;
  const fits = flat ? sizeOf(shape) === sizeOf(inputShape) : shapeText(shape) === shapeText(inputShape);
  if (rows === undefined || !fits) {
    throw place.column(
      `The array has rows of ${shapeText(shape)}; the model takes ${shapeText(inputShape)}`,
      {
        remedy: "Its first axis is that of the rows: reshape it, in NumPy with x.reshape(len(x), ...).",
      },
    );
  }
  if (fortran && whole.length > 1) {
    throw place.unsupported("The array is in Fortran order: its rows are not side by side", {
      remedy: "Save it again in C order, in NumPy: np.save(path, np.ascontiguousarray(x)).",
    });
  }
  const type = npyNumberType(descr);
  if (type === undefined || !Number.isSafeInteger(rows * sizeOf(shape) * 8)) {
    throw place.unsupported(`The array has the dtype ${JSON.stringify(descr)}`, {
      remedy: "Floats, integers and booleans are read, little-endian: cast it with x.astype.",
    });
  }
  return { type, rows, start };
}

async function fill(feed: Feed, bytes: Uint8Array): Promise<void> {
  if (!(feed instanceof FileFeed)) return feed.fill(bytes);
  const { fd, path } = feed.source;
  await readSpan({ fd, path, offset: feed.position }, bytes);
  feed.skip(bytes.length);
}

/** Version 1.0; the data begin at a multiple of 64, as NumPy writes them. */
function header(descr: string, shape: readonly number[]): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length).fill(0x20);
  bytes.set([...NPY_MAGIC, 1, 0, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}

/** Strings have as many characters as the longest one, four bytes each, with zeros behind. */
function descrOf(classes: Classes): string {
  if (classes.type === "int64") return "<i8";
  return classes.type === "bool" ? "|b1" : `<U${charactersOf(classes.labels)}`;
}

const charactersOf = (labels: readonly string[]): number =>
  Math.max(1, ...labels.map((label) => [...label].length));

function labelBytes(indices: Int32Array, classes: Classes): Uint8Array {
  if (classes.type === "int64")
    return bytesOf(BigInt64Array.from(indices, (index) => classes.labels[index]!));
  if (classes.type === "bool") return Uint8Array.from(indices, (index) => Number(classes.labels[index]!));
  const characters = charactersOf(classes.labels);
  const codes = new Uint32Array(indices.length * characters);
  for (const [i, index] of indices.entries()) {
    codes.set(
      Array.from(classes.labels[index]!, (character) => character.codePointAt(0)!),
      i * characters,
    );
  }
  return bytesOf(codes);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
