/** @file How the layers that are no ops are written: `conv2d(16, 3, padding=1)`, with what each takes, in which order. */
import { formatNumber } from "../ops/formula.ts";
import type { ArgumentValue } from "./call-text.ts";
import {
  avgPool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  type Init,
  type LayerSpec,
  layerNorm,
  maxPool,
  type Pair,
  type PairInput,
  reshape,
  standardize,
} from "./layers.ts";

/** Values of a call, by name; checked by `READ`. */
type Values = Readonly<Record<string, unknown>>;

interface Form {
  /** What other libraries call it. Error messages know these names; texts do not. */
  readonly aliases: readonly string[];
  /** In the order in which a text gives them without names. */
  readonly takes: readonly string[];
  /** How many of them cannot be left out. */
  readonly needs: number;
  readonly make: (values: Values) => LayerSpec;
}

export type FormName = Exclude<LayerSpec["kind"], "op">;

const pool = ["kernel", "stride", "padding"];

export const FORMS: Readonly<Record<Exclude<FormName, "reshape">, Form>> = {
  dense: {
    aliases: ["linear", "fully_connected", "fc"],
    takes: ["units", "bias", "init"],
    needs: 1,
    make: ({ units, ...options }) => dense(units as number, options),
  },
  conv2d: {
    aliases: ["conv", "convolution"],
    takes: ["channels", "kernel", "stride", "padding", "bias", "init"],
    needs: 2,
    make: ({ channels, kernel, ...options }) => conv2d(channels as number, kernel as PairInput, options),
  },
  max_pool: {
    aliases: ["max_pool2d", "max_pooling2d"],
    takes: pool,
    needs: 1,
    make: ({ kernel, ...options }) => maxPool(kernel as PairInput, options),
  },
  avg_pool: {
    aliases: ["avg_pool2d", "average_pool", "average_pooling2d"],
    takes: pool,
    needs: 1,
    make: ({ kernel, ...options }) => avgPool(kernel as PairInput, options),
  },
  dropout: {
    aliases: [],
    takes: ["rate"],
    needs: 0,
    make: ({ rate }) => dropout(rate as number | undefined),
  },
  layer_norm: {
    aliases: ["layer_normalization"],
    takes: ["eps"],
    needs: 0,
    make: layerNorm,
  },
  batch_norm: {
    aliases: ["batch_norm1d", "batch_norm2d", "batch_normalization"],
    takes: ["momentum", "eps"],
    needs: 0,
    make: batchNorm,
  },
  standardize: {
    aliases: ["standardise", "standard_scaler", "normalization", "normalize"],
    takes: [],
    needs: 0,
    make: standardize,
  },
  flatten: { aliases: [], takes: [], needs: 0, make: flatten },
};

/** Of a value as it stands in a text: what it means, or undefined where it can mean nothing. */
interface Reader {
  readonly expects: string;
  readonly read: (value: ArgumentValue) => unknown;
}

const number: Reader = {
  expects: "a number",
  read: (value) => (typeof value === "number" ? value : undefined),
};
const pair: Reader = {
  expects: "a number, or two: [height, width]",
  read: (value) => (typeof value === "string" ? undefined : value),
};

export const READ: Readonly<Record<string, Reader>> = {
  ...{ units: number, channels: number, rate: number, eps: number, momentum: number },
  ...{ kernel: pair, stride: pair, padding: pair },
  bias: {
    expects: "true or false",
    read: (value) => (value === "true" ? true : value === "false" ? false : undefined),
  },
  init: {
    expects: "he, xavier or a standard deviation",
    read: (value): Init | undefined => {
      if (typeof value === "number") return { std: value };
      return value === "he" || value === "xavier" ? value : undefined;
    },
  },
};

/** A layer that is no op as text, without what is as it is by itself. */
export function formText(spec: Exclude<LayerSpec, { kind: "op" }>): string {
  switch (spec.kind) {
    case "dense":
      return call("dense", [formatNumber(spec.units)], weights(spec));
    case "conv2d":
      return call(
        "conv2d",
        [formatNumber(spec.channels), pairText(spec.kernel)],
        [...windows(spec, [1, 1]), ...weights(spec)],
      );
    case "max_pool":
    case "avg_pool":
      return call(spec.kind, [pairText(spec.kernel)], windows(spec, spec.kernel));
    case "dropout":
      return call("dropout", [formatNumber(spec.rate)], []);
    case "layer_norm":
      return call("layer_norm", [], unless(1e-5, "eps", spec.eps));
    case "batch_norm":
      return call(
        "batch_norm",
        [],
        [...unless(0.1, "momentum", spec.momentum), ...unless(1e-5, "eps", spec.eps)],
      );
    case "reshape":
      return reshapeText(spec.shape);
    case "standardize":
    case "flatten":
      return spec.kind;
  }
}

export const makeReshape = (shape: readonly number[]): LayerSpec => reshape(...shape);

const reshapeText = (shape: readonly number[]): string => call("reshape", shape.map(formatNumber), []);

function call(name: string, places: readonly string[], named: readonly string[]): string {
  const all = [...places, ...named];
  return all.length === 0 ? name : `${name}(${all.join(", ")})`;
}

const unless = (usual: number, name: string, value: number): string[] =>
  value === usual ? [] : [`${name}=${formatNumber(value)}`];

const pairText = ([height, width]: Pair): string =>
  height === width ? formatNumber(height) : `[${formatNumber(height)}, ${formatNumber(width)}]`;

const samePair = (a: Pair, b: Pair): boolean => a[0] === b[0] && a[1] === b[1];

function windows({ stride, padding }: { stride: Pair; padding: Pair }, usualStride: Pair): string[] {
  return [
    ...(samePair(stride, usualStride) ? [] : [`stride=${pairText(stride)}`]),
    ...(samePair(padding, [0, 0]) ? [] : [`padding=${pairText(padding)}`]),
  ];
}

function weights({ bias, init }: { readonly bias: boolean; readonly init?: Init }): string[] {
  const initText = typeof init === "object" ? formatNumber(init.std) : init;
  return [...(bias ? [] : ["bias=false"]), ...(initText === undefined ? [] : [`init=${initText}`])];
}
