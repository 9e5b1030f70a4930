/** @file The op of a layer, with those of its parameters that stand in arrays: learned ones, and those with a value for each channel. */
import type { Channels } from "../../../formats/layout.ts";
import { type BoundOp, createOp } from "../../../ops/definition.ts";
import { add, div, mul, sub } from "../../../ops/expr.ts";
import type { OpLayer } from "../../layers.ts";
import { channelAxisOf, type Layer, sizeOf } from "../../network.ts";

/** A parameter whose values stand in an array. */
export interface ArrayParam {
  readonly param: string;
  readonly channels: Channels;
  /** The name of the tensor; or values that stay as they are. */
  readonly values: string | Float32Array;
}

export interface BoundLayer {
  /** To it, all parameters in arrays have lists of the same length. */
  readonly op: BoundOp;
  readonly arrays: readonly ArrayParam[];
}

export function boundOp(spec: OpLayer, { inShape, tensors }: Layer): BoundLayer {
  const { op, values } = spec.op;
  const learnedAs = (name: string) => spec.learned.findIndex(({ param }) => param === name);
  const isEach = (name: string): boolean =>
    typeof values[name] !== "number" || spec.learned[learnedAs(name)]?.channels === "each";
  const inArrays = op.params
    .filter(({ channelAxis }) => !channelAxis)
    .map(({ name }) => name)
    .filter((name) => isEach(name) || learnedAs(name) >= 0);
  const one = { count: 1, stride: sizeOf(inShape) };
  const axis = inArrays.some(isEach) ? channelAxisOf(spec, inShape) : undefined;
  const each = axis === undefined ? one : { count: inShape[axis]!, stride: sizeOf(inShape.slice(axis + 1)) };
  const arrays = inArrays.map((param): ArrayParam => {
    const tensor = tensors[learnedAs(param)]?.name;
    const channels = isEach(param) && spec.learned[learnedAs(param)]?.channels !== "one" ? each : one;
    return { param, channels, values: tensor ?? Float32Array.from(values[param] as readonly number[]) };
  });
  const listed = inArrays.map((param) => {
    const value = values[param]!;
    return [param, typeof value === "number" ? Array<number>(each.count).fill(value) : value] as const;
  });
  return { op: { op, values: { ...values, ...Object.fromEntries(listed) } }, arrays };
}

const perChannel = { default: 1, perChannel: true } as const;

/** The weight and bias of a normalisation, along the last axis. */
const affine = createOp("affine", { weight: perChannel, bias: perChannel }, (x, { weight, bias }) =>
  add(mul(x, weight), bias),
);

export function boundAffine({ inShape, tensors }: Layer): BoundLayer {
  const [weight, bias] = tensors.map(({ name }) => name);
  return listed(affine, { count: inShape.at(-1)!, stride: 1 }, { weight: weight!, bias: bias! });
}

const standardizing = createOp("standardize", { mean: perChannel, deviation: perChannel }, (x, params) =>
  div(sub(x, params.mean), params.deviation),
);

export function boundStandardize({ inShape, tensors }: Layer): BoundLayer {
  const [mean, deviation] = tensors.map(({ name }) => name);
  return listed(standardizing, { count: sizeOf(inShape), stride: 1 }, { mean: mean!, deviation: deviation! });
}

function listed(op: BoundOp["op"], channels: Channels, values: Readonly<Record<string, string>>): BoundLayer {
  const ones = Array<number>(channels.count).fill(1);
  return {
    op: { op, values: Object.fromEntries(op.params.map(({ name }) => [name, ones])) },
    arrays: Object.entries(values).map(([param, of]) => ({ param, channels, values: of })),
  };
}
