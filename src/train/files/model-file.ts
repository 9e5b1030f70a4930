/**
 * @file The model file: safetensors with the network's tensors by their names in `nn.Sequential`, the optimiser's arrays
 * behind them (`optimizer.mean.0.weight`), and in the metadata what the network is (`describe.ts`).
 */
import { Place } from "../../formats/place.ts";
import { shapeText, tensorsOf } from "../network.ts";
import type { Trained } from "../trained.ts";
import { type Description, describeModel, KEY, readDescription } from "./describe.ts";
import type { TensorEntry } from "./safetensors.ts";
import {
  type StoredTensor,
  type TensorFile,
  type WriteOptions,
  withTensorFile,
  writeTensorFile,
} from "./tensor-file.ts";

const OPTIMIZER = "optimizer.";

/**
 * Writes a model with its training, if it has one. The same model gives the same bytes.
 * @throws OutputExistsError, IoError
 */
export async function writeModel(path: string, model: Trained, options: WriteOptions = {}): Promise<void> {
  const { network, tensors, training } = model;
  const shapes = new Map(tensorsOf(network).map(({ name, shape }) => [name, shape]));
  const stored = new Map<string, StoredTensor>();
  for (const [name, shape] of shapes) stored.set(name, { shape, values: tensors.get(name)! });
  for (const [name, values] of training?.arrays ?? []) {
    // The array `mean.0.weight` has the shape of `0.weight`.
    const shape = shapes.get(name.slice(name.indexOf(".") + 1)) ?? [values.length];
    stored.set(OPTIMIZER + name, { shape, values });
  }
  await writeTensorFile(path, stored, new Map([[KEY, describeModel(model)]]), options);
}

/**
 * Reads a model.
 * @throws IoError, CorruptError, TruncatedError; UnsupportedError for safetensors that hold no model of Sluice
 */
export function readModel(path: string): Promise<Trained> {
  return withTensorFile(path, async (file) => {
    const { network, features, target, loss, progress } = readArchitecture(file);
    const tensors = new Map<string, Float32Array>();
    const arrays = new Map<string, Float32Array>();
    for (const entry of file.tensors) {
      const { name } = entry;
      if (name.startsWith(OPTIMIZER)) arrays.set(name.slice(OPTIMIZER.length), await file.read(entry));
      else tensors.set(name, await file.read(entry));
    }
    return { network, tensors, features, target, loss, training: progress && { progress, arrays } };
  });
}

/** What the file says of its network, without reading a tensor; those that it needs are there, with their shapes. */
export function readArchitecture({ path, size, metadata, tensors }: TensorFile): Description {
  const place = new Place(path, size);
  const text = metadata.get(KEY);
  if (text === undefined) {
    throw place.unsupported("The file holds tensors, but no model of Sluice", {
      remedy: "Only what sluice train or model.save has written says which layers the tensors belong to.",
    });
  }
  const description = readDescription(text, place);
  const entries = new Map(tensors.map((entry) => [entry.name, entry]));
  for (const { name, shape } of tensorsOf(description.network))
    checkEntry(name, shape, entries.get(name), place);
  return description;
}

function checkEntry(
  name: string,
  shape: readonly number[],
  entry: TensorEntry | undefined,
  place: Place,
): void {
  if (!entry) throw place.corrupt(`The tensor ${name} of the model is missing`);
  if (entry.dtype !== "F32") {
    throw place.unsupported(`The tensor ${name} is ${entry.dtype}, not F32`, {
      remedy: "Save it as float32.",
    });
  }
  if (shapeText(entry.shape) === shapeText(shape)) return;
  throw place.corrupt(
    `The tensor ${name} has the shape ${shapeText(entry.shape)}; the model's layers need ${shapeText(shape)}`,
  );
}
