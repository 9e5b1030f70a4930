/** @file The public API. */
export {
  AbortError,
  ColumnError,
  CorruptError,
  type ErrorCode,
  IoError,
  MemoryError,
  NotRecognisedError,
  OpSyntaxError,
  OutputExistsError,
  type Position,
  SluiceError,
  TruncatedError,
  UnsupportedError,
  UsageError,
  WorkerError,
} from "./errors.ts";
export type { FieldSummary, Format, TensorColumn } from "./formats/layout.ts";
export type { Dtype } from "./ops/dtype.ts";
export {
  abs,
  add,
  ceil,
  clamp,
  constant,
  div,
  eq,
  floor,
  ge,
  gt,
  le,
  lt,
  type Mask,
  max,
  min,
  mul,
  type Num,
  ne,
  neg,
  type Operand,
  reciprocal,
  round,
  sqrt,
  sub,
  where,
} from "./ops/expr.ts";
export type { BoundOp, OpDefinition, ParamSpec } from "./ops/op.ts";
export { type Batches, transformBatches } from "./pipeline/batches.ts";
export { close } from "./pipeline/close.ts";
export { createTransform, type StreamTransformOptions } from "./pipeline/duplex.ts";
export {
  defineOp,
  type EagerOp,
  type EagerParams,
  eager,
  type FloatArray,
  hardTanh,
  leakyRelu,
  prelu,
  relu,
  relu6,
  square,
  threshold,
} from "./pipeline/eager.ts";
export { LeakyReLU, tf } from "./pipeline/frameworks.ts";
export { type Inspection, inspect } from "./pipeline/inspect.ts";
export type {
  FileTransformOptions,
  Ops,
  Progress,
  TransformOptions,
  TransformResult,
} from "./pipeline/options.ts";
export { transform } from "./pipeline/transform.ts";
export { createWebTransform, type WebTransform } from "./pipeline/web.ts";
