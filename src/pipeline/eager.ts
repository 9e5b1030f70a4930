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
import { backward as backwardProgram } from "../ops/backward.ts";
import type { Dtype } from "../ops/dtype.ts";
import { constant, type Input, type Num, type Operand } from "../ops/expr.ts";
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
import { LAST_AXIS, type Program } from "../ops/program.ts";
import { hasRows } from "../ops/row-plan.ts";
import { substitute } from "../ops/substitute.ts";
import { computeInline } from "../workers/inline.ts";

/** Arrays of floats. A Uint16Array holds float16 bit patterns, as apache-arrow has them. */
export type FloatArray = Float32Array | Float64Array | Uint16Array;

/** What a call takes beside the array: values for parameters, where the result goes, and for ops over rows their length. */
export type EagerParams<Name extends string, Values extends FloatArray> = {
  readonly [Key in Name]?: ParamInput | undefined;
} & {
  /** Where the result goes; may be `values` itself. Default: a new array. */
  readonly out?: Values | undefined;
} & Rows;

/** What an op along the last axis (softmax) takes beside its parameters. */
export interface Rows {
  /** Elements of the last axis, which divide the array's length. Default: the whole array is one row. */
  readonly rowLength?: number | undefined;
}

/** An op that can be called. `Name`: its parameters; `Learned`: those of them that have a gradient. */
export interface EagerOp<Name extends string = string, Learned extends string = Name> {
  /**
   * The op on each element, at once; an op along the last axis on each row of `rowLength` elements.
   *
   * @param values float32, float64, or float16 as bits; not changed, unless it is `out`. A per-channel parameter with C
   *   values takes them for a last axis of length C.
   * @returns `out`, or a new array of the same type and length
   * @throws UsageError for a parameter that is unknown, missing or out of range, and for an `out` that does not fit
   */
  <Values extends FloatArray>(values: Values, params?: EagerParams<Name, Values>): Values;
  /** The op on an expression, to define another one with. */
  (of: Operand, params?: { readonly [Key in Name]?: Operand | undefined }): Num;
  /** With values for its parameters, for `ops` of a transform. */
  with(values: { readonly [Key in Name]?: ParamInput | undefined }): BoundOp;
  /**
   * The gradients, for the gradient of what came of the op (`dy`): `dx = dy * f'(x)`, and for each parameter the sum of
   * `dy * df/dparameter` over all elements, in float64 and in one order, so that it is the same bits everywhere.
   *
   * ```ts
   * const [x, dy] = [new Float32Array([-2, 3]), new Float32Array([1, 1])];
   * const { dx, gradients } = leakyRelu.backward(x, dy, { alpha: 0.5 });
   * console.log(dx, gradients); // Float32Array(2) [ 0.5, 1 ] { alpha: -2 }
   * ```
   *
   * @param x what the op was given; not changed
   * @param dy of the same type and length; not changed
   * @returns dx, a new array of the type of x; of each parameter its gradient, one number, or one for each channel
   * @throws UsageError for arrays that do not fit each other, and for a parameter that is unknown, missing or out of range
   * @throws UnsupportedError for an op that has no derivative
   */
  backward<Values extends FloatArray>(
    x: Values,
    dy: Values,
    params?: { readonly [Key in Name]?: ParamInput | undefined } & Rows,
  ): Backward<Learned, Values>;
  readonly definition: OpDefinition<Name>;
}

/** Gradients of one call: of the array, and of each parameter by its name, one number or one for each channel. */
export interface Backward<Learned extends string, Values extends FloatArray> {
  readonly dx: Values;
  readonly gradients: { readonly [Key in Learned]: number | Float64Array };
}

/**
 * Makes a definition callable, as the functions of the catalog are.
 *
 * ```ts
 * const slope = eager(leakyRelu.definition);
 * slope(new Float32Array([-1, 2]), { alpha: 0.5 }); // [-0.5, 2]
 * ```
 */
export function eager<Name extends string, Learned extends Name = Name>(
  definition: OpDefinition<Name>,
): EagerOp<Name, Learned> {
  const call = (
    of: FloatArray | Operand,
    params: Readonly<Record<string, unknown>> = {},
  ): FloatArray | Num => {
    if (ArrayBuffer.isView(of)) return compute(definition, of, params as EagerParams<string, FloatArray>);
    const expression = typeof of === "number" ? constant(of) : of;
    return substitute(definition, expression, params as Readonly<Record<string, Operand>>);
  };
  const bound = (values: Parameters<EagerOp<Name>["with"]>[0]): BoundOp => bind(definition, values);
  const backward = (
    x: FloatArray,
    dy: FloatArray,
    { rowLength, ...params }: NonNullable<Parameters<EagerOp<Name>["backward"]>[2]> = {},
  ): Backward<Learned, FloatArray> =>
    computeBackward(
      definition,
      x,
      dy,
      bind(definition, params as unknown as Parameters<EagerOp<Name>["with"]>[0]),
      rowLength,
    );
  return Object.assign(call, { with: bound, backward, definition }) as EagerOp<Name, Learned>;
}

/** The parameters with a gradient: all but a `channelAxis`. */
type LearnedOf<Options> = {
  [Name in keyof Options & string]: Options[Name] extends { readonly channelAxis: true } ? never : Name;
}[keyof Options & string];

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
): EagerOp<keyof Options & string, LearnedOf<Options>> {
  for (const [taken, what] of [
    ["out", "the array for results"],
    ["rowLength", "the length of the last axis"],
  ] as const) {
    if (!Object.hasOwn(defaults, taken)) continue;
    throw new UsageError(`a parameter of ${name} is called ${taken}, as ${what} is`, {
      remedy: "Rename it.",
    });
  }
  return eager(define(name, defaults, build, about));
}

function compute(
  op: OpDefinition,
  values: FloatArray,
  { out, rowLength, ...params }: EagerParams<string, FloatArray>,
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
  const length = rowLengthOf(op, program, rowLength, values.length);
  computeInline(program, dtype, [source], result, channelsOf(program, values.length), length);
  return result;
}

function computeBackward<Learned extends string>(
  definition: OpDefinition,
  x: FloatArray,
  dy: FloatArray,
  op: BoundOp,
  rowLength: number | undefined,
): Backward<Learned, FloatArray> {
  const dtype = dtypeOf(x);
  if (dtypeOf(dy) !== dtype || dy.length !== x.length) {
    throw new UsageError(`x is ${describe(x)}, but dy is ${describe(dy)}`, {
      remedy: "Give two arrays of the same type and length.",
    });
  }
  const program = backwardProgram([op]);
  const dx = dy.slice();
  const length = rowLengthOf(definition, program, rowLength, x.length);
  const sums = computeInline(program, dtype, [x, dy], dx, channelsOf(program, x.length), length);
  const gradients = program.sums.map((sum, i): [string, number | Float64Array] => {
    const values = sums[i]!;
    return [sum.name.slice(definition.name.length + 1), sum.perChannel ? values : values[0]!];
  });
  return { dx, gradients: Object.fromEntries(gradients) as Backward<Learned, FloatArray>["gradients"] };
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

/** The length of the rows that the op goes along; undefined for an op that computes each element by itself. */
function rowLengthOf(
  { name, expression }: OpDefinition,
  { channels }: Program,
  given: number | undefined,
  length: number,
): number | undefined {
  if (!hasRows(expression)) {
    if (given === undefined) return undefined;
    throw new UsageError(`${name} computes each element by itself, and takes no rowLength`, {
      remedy: "Leave it out.",
    });
  }
  const rowLength = given ?? channels[0]?.values.length ?? length;
  if (length === 0) return rowLength;
  if (!(Number.isInteger(rowLength) && rowLength > 0 && length % rowLength === 0)) {
    throw new UsageError(`rowLength is ${rowLength}, which does not divide the array's length ${length}`, {
      remedy: "Give the length of the last axis.",
    });
  }
  const [parameter] = channels;
  if (!parameter || parameter.values.length === rowLength) return rowLength;
  throw new UsageError(
    `${parameter.name} has ${parameter.values.length} values, but the rows have ${rowLength} elements`,
    { remedy: `Give ${parameter.name} one value, or one per element of a row.` },
  );
}

function channelsOf({ channels }: Program, length: number): Channels | null {
  const [parameter] = channels;
  if (!parameter) return null;
  if ((parameter.axis ?? LAST_AXIS) !== LAST_AXIS) {
    throw new UsageError(`${parameter.name} is for axis ${parameter.axis}, but an array has no shape`, {
      remedy: "Leave the axis out: the values are then for a last axis of as many channels.",
    });
  }
  const count = parameter.values.length;
  if (length % count === 0) return { count, stride: 1 };
  throw new UsageError(
    `${parameter.name} has ${count} values, which does not divide the array's length ${length}`,
    {
      remedy: `Give an array whose last axis has length ${count}.`,
    },
  );
}
