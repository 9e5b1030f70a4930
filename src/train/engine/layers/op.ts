/**
 * @file Layers that are an op of the catalog, and those that can be written as one: `layer_norm` with its weight and bias, and
 * `standardize`. Forward and backward are kernels made from the op's expression.
 *
 * The values of learned and of per-channel parameters are tables, so that kernels stay as they are when values change.
 */
import type { Channels } from "../../../formats/layout.ts";
import { backward } from "../../../ops/backward.ts";
import { catalog } from "../../../ops/catalog/index.ts";
import { type BoundOp, createOp } from "../../../ops/definition.ts";
import { add, div, input, mul, sub } from "../../../ops/expr.ts";
import { fuse } from "../../../ops/fuse.ts";
import { Interner } from "../../../ops/intern.ts";
import type { Program } from "../../../ops/program.ts";
import { substitute } from "../../../ops/substitute.ts";
import { channelAxisOf, type Layer, sizeOf } from "../../network.ts";
import {
  type GradientPiece,
  type LayerContext,
  type LayerRunner,
  type Places,
  rowsAt,
  type Shard,
  type UpdatePiece,
} from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { wholeOf } from "../pieces.ts";
import { RowKernel } from "../row-kernel.ts";
import { Table } from "../tables.ts";

/** An op whose parameters have values, some of them in memory. */
interface TabledOp {
  readonly op: BoundOp;
  /** In the order of the op's parameters. */
  readonly tables: readonly TableSource[];
}

interface TableSource {
  readonly param: string;
  readonly channels: Channels;
  /** Where its values are; otherwise those that the op is bound to. */
  readonly parameter?: Parameter;
}

export class OpRunner implements LayerRunner {
  readonly scratchBytes: number;
  readonly gradients: readonly GradientPiece[] = [];
  readonly updates: readonly UpdatePiece[];
  readonly #places: Places;
  readonly #size: number;
  readonly #forward: RowKernel;
  readonly #backward: RowKernel | undefined;

  constructor(context: LayerContext, layer: Layer, places: Places) {
    const { tools, region } = context;
    const { op, tables } = tabledOp(layer, context.parameterOf);
    const size = sizeOf(layer.inShape);
    const shape = { size, last: layer.inShape.at(-1)! };
    this.#places = places;
    this.#size = size;
    const updates: UpdatePiece[] = [];
    const made = tables.map(({ param, channels, parameter }) => {
      const source = parameter?.value ?? region.floats(channels.count);
      const table = new Table(tools, region, source, channels, size);
      const refresh = (): void => {
        if (!parameter) tools.floats(source, channels.count).set(op.values[param] as readonly number[]);
        table.refresh();
      };
      updates.push({ refresh, ...(parameter?.spec.learned && { part: wholeOf(parameter) }) });
      return table;
    });
    this.updates = updates;
    this.#forward = new RowKernel(context, `${layer.index} forward`, forwardProgram(op), shape, made);
    const learned = tables.filter(({ parameter }) => parameter?.spec.learned);
    if (places.dy !== undefined) {
      const names = learned.map(({ param }) => param);
      const channels = learned.map((table) => table.channels);
      const program = backwardProgram(op, names);
      this.#backward = new RowKernel(context, `${layer.index} backward`, program, shape, made, channels);
      const { sums } = this.#backward;
      this.gradients = learned.map(({ parameter }, k) => ({
        parameter: parameter!,
        run: (batch) => {
          const { loops } = tools;
          const totals = sums!.total(k, context.shardsOf(batch));
          loops.round(parameter!.gradient, totals, parameter!.size);
          return loops.squares(parameter!.gradient, 1, parameter!.size, 0);
        },
      }));
    }
    this.scratchBytes = Math.max(this.#forward.scratchBytes, this.#backward?.scratchBytes ?? 0);
  }

  forward(shard: Shard): void {
    const [x, y] = [rowsAt(this.#places.x, this.#size, shard), rowsAt(this.#places.y, this.#size, shard)];
    this.#forward.run(shard.rows, [x, y], shard.scratch);
  }

  /** In place: dy becomes dx. */
  backward(shard: Shard): void {
    const [x, dy] = [rowsAt(this.#places.x, this.#size, shard), rowsAt(this.#places.dy, this.#size, shard)];
    this.#backward?.run(shard.rows, [x, dy], shard.scratch, shard.index);
  }
}

function tabledOp({ spec, inShape, tensors }: Layer, parameterOf: (name: string) => Parameter): TabledOp {
  const [first, second] = tensors.map(({ name }) => parameterOf(name));
  if (spec.kind === "layer_norm") {
    const channels = { count: inShape.at(-1)!, stride: 1 };
    const values = { weight: ones(channels), bias: ones(channels), eps: spec.eps };
    return {
      op: { op: layerNorm, values },
      tables: [
        { param: "weight", channels, parameter: first! },
        { param: "bias", channels, parameter: second! },
      ],
    };
  }
  if (spec.kind === "standardize") {
    const channels = { count: sizeOf(inShape), stride: 1 };
    return {
      op: { op: standardize, values: { mean: ones(channels), deviation: ones(channels) } },
      tables: [
        { param: "mean", channels, parameter: first! },
        { param: "deviation", channels, parameter: second! },
      ],
    };
  }
  if (spec.kind !== "op") throw new TypeError(`${spec.kind} is no op`);
  const { op, values } = spec.op;
  const tabled = op.params.filter(({ name, channelAxis }) => {
    const isLearned = spec.learned.some(({ param }) => param === name);
    return !channelAxis && (isLearned || typeof values[name] !== "number");
  });
  const isEach = tabled.some(
    ({ name }) =>
      typeof values[name] !== "number" ||
      spec.learned.some(({ param, channels }) => param === name && channels === "each"),
  );
  const axis = isEach ? channelAxisOf(spec, inShape) : 0;
  const all = isEach
    ? { count: inShape[axis]!, stride: sizeOf(inShape.slice(axis + 1)) }
    : { count: 1, stride: sizeOf(inShape) };
  const tables = tabled.map(({ name }): TableSource => {
    const at = spec.learned.findIndex(({ param }) => param === name);
    const isOne = spec.learned[at]?.channels === "one";
    const channels = isOne ? { count: 1, stride: sizeOf(inShape) } : all;
    return { param: name, channels, ...(at >= 0 && { parameter: parameterOf(tensors[at]!.name) }) };
  });
  // To the op, all parameters in tables have lists of the same length, so that it takes them for channels of one axis.
  const listed = tables.map(({ param }) => {
    const value = values[param]!;
    return [param, typeof value === "number" ? Array<number>(all.count).fill(value) : value] as const;
  });
  return { op: { op, values: { ...values, ...Object.fromEntries(listed) } }, tables };
}

const ones = ({ count }: Channels): readonly number[] => Array<number>(count).fill(1);

const perChannel = { default: 1, perChannel: true } as const;

/** `nn.LayerNorm` with `elementwise_affine`. */
const layerNorm = createOp(
  "layer_norm",
  { weight: perChannel, bias: perChannel, eps: 1e-5 },
  (x, { weight, bias, eps }) => add(mul(substitute(catalog.layer_norm, x, { eps }), weight), bias),
);

const standardize = createOp("standardize", { mean: perChannel, deviation: perChannel }, (x, params) =>
  div(sub(x, params.mean), params.deviation),
);

/** x is input 0; y, which is only written, input 1. */
export function forwardProgram(op: BoundOp): Program {
  const program = fuse([op]);
  const output = new Interner().copy(program.output, (leaf) =>
    leaf.kind === "input" && leaf.index > 0 ? input(leaf.index + 1) : leaf,
  );
  return { ...program, key: `${program.key} to input 1`, inputs: 2, target: 1, output };
}

/** The backward program with the sums of these parameters alone. */
function backwardProgram(op: BoundOp, names: readonly string[]): Program {
  const program = backward([op]);
  const params = op.op.params.filter(({ channelAxis }) => !channelAxis);
  const sums = program.sums.filter((_, i) => names.includes(params[i]!.name));
  return { ...program, key: `${program.key}; of ${names.join(", ")}`, sums };
}
