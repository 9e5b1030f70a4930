/**
 * @file Ops as functions: eager and synchronous on typed arrays, and on expressions, to build further ops from.
 *
 * ```ts
 * leakyRelu(new Float32Array([-1, 2]), { alpha: 0.2 }); // Float32Array [-0.2, 2]
 * defineOp("shifted", {}, (x) => leakyRelu(add(x, 1), { alpha: 0.2 }));
 * ```
 */
import { UsageError } from "../errors.ts";
import type { Channels } from "../formats/layout.ts";
import { catalog } from "../ops/catalog.ts";
import type { Dtype } from "../ops/dtype.ts";
import type { Input, Num, Operand } from "../ops/expr.ts";
import { fuse } from "../ops/fuse.ts";

import {
  type About,
  type BoundOp,
  bind,
  defineOp as define,
  type OpDefinition,
  type ParamInput,
  type ParamOptions,
  type Params,
} from "../ops/op.ts";
import type { Program } from "../ops/program.ts";
import { substitute } from "../ops/substitute.ts";
import { computeInline } from "../workers/inline.ts";

/** Arrays of floats. A Uint16Array holds float16 bit patterns, as apache-arrow has them. */
export type FloatArray = Float32Array | Float64Array | Uint16Array;

export type EagerParams<Name extends string, Values extends FloatArray> = {
  readonly [Key in Name]?: ParamInput | undefined;
} & {
  /** Where the result goes; may be `values` itself. Default: a new array. */
  readonly out?: Values | undefined;
};

/** An op that can be called. */
export interface EagerOp<Name extends string = string> {
  /**
   * The op on each element, at once.
   *
   * @param values float32, float64, or float16 as bits; not changed, unless it is `out`. A per-channel parameter with C
   *   values takes them for a last axis of length C.
   * @returns `out`, or a new array of the same type and length
   * @throws UsageError for a parameter that is unknown, missing or out of range, and for an `out` that does not fit
   */
  <Values extends FloatArray>(values: Values, params?: EagerParams<Name, Values>): Values;
  /** The op on an expression, to define another one with. */
  (of: Num, params?: { readonly [Key in Name]?: Operand | undefined }): Num;
  /** With values for its parameters, for `ops` of a transform. */
  with(values: { readonly [Key in Name]?: ParamInput | undefined }): BoundOp;
  readonly definition: OpDefinition<Name>;
}

/** Makes a definition callable. */
export function eager<Name extends string>(definition: OpDefinition<Name>): EagerOp<Name> {
  const call = (of: FloatArray | Num, params: Readonly<Record<string, unknown>> = {}): FloatArray | Num => {
    if (ArrayBuffer.isView(of)) return compute(definition, of, params as EagerParams<string, FloatArray>);
    return substitute(definition, of, params as Readonly<Record<string, Operand>>);
  };
  const bound = (values: Parameters<EagerOp<Name>["with"]>[0]): BoundOp => bind(definition, values);
  return Object.assign(call, { with: bound, definition }) as EagerOp<Name>;
}

/**
 * Defines an op of your own: a function like those of the catalog, which chains of the process know by its name.
 *
 * @param name in snake_case, not taken by another op
 * @param defaults the parameters with their defaults
 * @param build gives the expression for one element, from `x` and the parameters
 * @throws UsageError where a name is unfit or taken, a default is no value, or `build` gives no expression
 *
 * ```ts
 * const kink = defineOp("my_kink", { slope: 0.1 }, (x, { slope }) => max(x, mul(slope, x)));
 * kink(new Float32Array([-10, 1]), { slope: 0.5 });
 * await transform("in.npy", "out.npy", { ops: "my_kink(slope=0.5) | relu6" });
 * ```
 */
export function defineOp<const Options extends Readonly<Record<string, ParamOptions>>>(
  name: string,
  defaults: Options,
  build: (x: Input, params: Params<Options>) => Operand,
  about?: About,
): EagerOp<keyof Options & string> {
  if (Object.hasOwn(defaults, "out")) {
    throw new UsageError(`a parameter of ${name} is called out, as the array for results is`, {
      remedy: "Rename it.",
    });
  }
  return eager(define(name, defaults, build, about));
}

export const leakyRelu = eager(catalog.leaky_relu);
export const relu = eager(catalog.relu);
export const prelu = eager(catalog.prelu);
export const relu6 = eager(catalog.relu6);
export const hardTanh = eager(catalog.hard_tanh);
export const threshold = eager(catalog.threshold);
export const square = eager(catalog.square);

function compute(
  op: OpDefinition,
  values: FloatArray,
  { out, ...params }: EagerParams<string, FloatArray>,
): FloatArray {
  const dtype = dtypeOf(values);
  const result = out ?? values.slice();
  if (dtypeOf(result) !== dtype || result.length !== values.length) {
    throw new UsageError(`out is ${describe(result)}, but the values are ${describe(values)}`, {
      remedy: "Give an array of the same type and length, or none.",
    });
  }
  const program = fuse([bind(op, params)]);
  const source = out && overlaps(values, out) ? values.slice() : values;
  computeInline(program, dtype, source, result, channelsOf(program, values.length));
  return result;
}

function dtypeOf(values: ArrayBufferView): Dtype {
  if (values instanceof Float32Array) return "float32";
  if (values instanceof Float64Array) return "float64";
  if (values instanceof Uint16Array) return "float16";
  throw new UsageError(`${describe(values)} is no array of floats`, {
    remedy: "Convert it first: Float32Array.from(values).",
  });
}

function describe(values: ArrayBufferView): string {
  return `a ${values.constructor.name} of ${values.byteLength} bytes`;
}

/** Whether they share memory without being the same. */
function overlaps(a: FloatArray, b: FloatArray): boolean {
  if (a.buffer !== b.buffer || a.byteOffset === b.byteOffset) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function channelsOf({ channels }: Program, length: number): Channels | null {
  const [parameter] = channels;
  if (!parameter) return null;
  const count = parameter.values.length;
  if (length % count === 0) return { count, stride: 1 };
  throw new UsageError(
    `${parameter.name} has ${count} values, which does not divide the array's length ${length}`,
    {
      remedy: `Give an array whose last axis has length ${count}.`,
    },
  );
}
