/**
 * @file What a safetensors file holds: its tensors, and where it is a model of Sluice, its architecture. Reads the header
 * alone.
 */
import type { TargetSpace } from "../data/dataset.ts";
import { layersText } from "../layers-text.ts";
import type { Loss } from "../losses.ts";
import { sizeOf } from "../network.ts";
import { KEY } from "./describe.ts";
import { readArchitecture } from "./model-file.ts";
import { withTensorFile } from "./tensor-file.ts";

export interface SafetensorsInspection {
  readonly format: "safetensors";
  readonly bytes: number;
  /** `null` where the file is no model of Sluice. */
  readonly model: Architecture | null;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  /** Other metadata than the model's. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Architecture {
  /** As text, for `--layers`. */
  readonly layers: string;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Numbers that are learned. */
  readonly parameters: number;
  readonly network: readonly {
    readonly layer: string;
    /** Of a row that comes out. */
    readonly shape: readonly number[];
    readonly parameters: number;
  }[];
  readonly features: readonly string[];
  readonly target: TargetSpace | null;
  readonly loss: Loss | null;
  /** What the training says of itself, without its history; `null` for none. */
  readonly training: Readonly<Record<string, unknown>> | null;
}

/** @throws IoError, CorruptError, TruncatedError, UnsupportedError */
export function inspectSafetensors(path: string): Promise<SafetensorsInspection> {
  return withTensorFile(path, async (file) => {
    const { [KEY]: text, ...metadata } = Object.fromEntries(file.metadata);
    return {
      format: "safetensors",
      bytes: file.size,
      model: text === undefined ? null : architectureOf(readArchitecture(file)),
      tensors: file.tensors.map(({ name, dtype, shape, begin, end }) => ({
        name,
        dtype,
        shape,
        bytes: end - begin,
      })),
      metadata,
    };
  });
}

function architectureOf({
  network,
  layers,
  features,
  target,
  loss,
  progress,
}: ReturnType<typeof readArchitecture>): Architecture {
  const rows = network.layers.map(({ spec, outShape, tensors }) => ({
    layer: layersText([spec]),
    shape: outShape,
    parameters: tensors.filter(({ learned }) => learned).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  }));
  const { history: _, ...training } = progress ?? {};
  return {
    layers,
    inputShape: network.inputShape,
    outputShape: network.outputShape,
    parameters: rows.reduce((sum, { parameters }) => sum + parameters, 0),
    network: rows,
    features,
    target: target ?? null,
    loss: loss ?? null,
    training: progress ? training : null,
  };
}
