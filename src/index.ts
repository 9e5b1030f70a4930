/** @file The public API. */
export {
  AbortError,
  ColumnError,
  CorruptError,
  type ErrorCode,
  GpuError,
  IoError,
  MemoryError,
  NotRecognisedError,
  OpSyntaxError,
  OutputExistsError,
  type Position,
  SluiceError,
  TrainingError,
  TruncatedError,
  UnsupportedError,
  UsageError,
  WorkerError,
} from "./errors.ts";
export type { FieldSummary, Format, TensorColumn } from "./formats/layout.ts";
export type { Dtype } from "./ops/dtype.ts";
export {
  add,
  clamp,
  constant,
  derivedAs,
  detach,
  div,
  eq,
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
  normalCdf,
  type Operand,
  pow,
  rowLength,
  rowMax,
  rowSum,
  sub,
  where,
} from "./ops/expr.ts";
export type { BoundOp, OpDefinition, ParamSpec } from "./ops/op.ts";
export { type Batches, transformBatches } from "./pipeline/batches.ts";
export { close } from "./pipeline/close.ts";
export { createTransform, type StreamTransformOptions } from "./pipeline/duplex.ts";
export {
  type Backward,
  defineOp,
  type EagerOp,
  type EagerParams,
  eager,
  type FloatArray,
  type Rows,
} from "./pipeline/eager.ts";
export {
  abs,
  ceil,
  celu,
  cos,
  elu,
  erf,
  exp,
  expm1,
  floor,
  gelu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  hardshrink,
  hardTanh,
  l2Normalize,
  layerNorm,
  leakyRelu,
  log,
  log1p,
  logSigmoid,
  logSoftmax,
  mish,
  neg,
  prelu,
  reciprocal,
  relu,
  relu6,
  round,
  rrelu,
  rsqrt,
  selu,
  sigmoid,
  sign,
  silu,
  sin,
  softmax,
  softplus,
  softshrink,
  softsign,
  sqrt,
  square,
  swish,
  tanh,
  tanhshrink,
  threshold,
} from "./pipeline/eager-ops.ts";
export { LeakyReLU, tf } from "./pipeline/frameworks.ts";
export { type GradInputs, grad } from "./pipeline/grad.ts";
export { type BatchGradOptions, type GradBatches, gradBatches } from "./pipeline/grad-batches.ts";
export { createGradTransform, type GradTransform, type StreamGradOptions } from "./pipeline/grad-duplex.ts";
export type { FileGradOptions, Gradients, GradOptions, GradResult } from "./pipeline/grad-job.ts";
export { type Inspection, type InspectOptions, inspect, type TensorInspection } from "./pipeline/inspect.ts";
export type {
  DeviceChoice,
  FileTransformOptions,
  Link,
  Ops,
  Progress,
  TransformOptions,
  TransformResult,
} from "./pipeline/options.ts";
export type { Statistics } from "./pipeline/statistics.ts";
export { transform } from "./pipeline/transform.ts";
export { createWebTransform, type WebTransform } from "./pipeline/web.ts";
export type { Assessed } from "./train/assessment.ts";
export type { LayerStatistics } from "./train/engine/engine.ts";
export type { History, Score } from "./train/history.ts";
export * as layers from "./train/layers.ts";
export { type LayerInput, Model, sequential } from "./train/model.ts";
export { optimizer } from "./train/optimizers.ts";
export type { TrainOptions } from "./train/options.ts";
export { createPredictTransform, type StreamPredictOptions } from "./train/predict/duplex.ts";
export { type PredictOptions, type PredictResult, predict } from "./train/predict/predict.ts";
export { rateSchedule } from "./train/rates.ts";
export { type TrainResult, train } from "./train/train.ts";
export type { TrainingRun, TrainProgress } from "./train/training-run.ts";
