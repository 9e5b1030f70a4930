/** @file Gives each layer that computes its memory: rows forward, and gradients backward as far as something learns. */
import { type Layer, type Network, sizeOf } from "../network.ts";
import type { LayerContext, LayerRunner, Places } from "./layer.ts";
import { BatchNormRunner } from "./layers/batch-norm.ts";
import { Conv2dRunner } from "./layers/conv2d.ts";
import { DenseRunner } from "./layers/dense.ts";
import { DropoutRunner } from "./layers/dropout.ts";
import { OpRunner } from "./layers/op.ts";
import { PoolRunner } from "./layers/pool.ts";

/** A layer that computes, and where its rows lie. */
export interface PlacedLayer {
  readonly layer: Layer;
  readonly places: Places;
  readonly runner: LayerRunner;
}

const RUNNERS = {
  dense: DenseRunner,
  conv2d: Conv2dRunner,
  op: OpRunner,
  layer_norm: OpRunner,
  standardize: OpRunner,
  batch_norm: BatchNormRunner,
  dropout: DropoutRunner,
  max_pool: PoolRunner,
  avg_pool: PoolRunner,
} as const;

/** Layers whose gradient of the input takes the place of that of the output. */
const IN_PLACE: ReadonlySet<string> = new Set(["op", "layer_norm", "standardize", "batch_norm", "dropout"]);

/** The layers that compute. Rows of the same elements in another shape are the same memory. */
export function placeLayers(network: Network, context: LayerContext): PlacedLayer[] {
  const { region, batch, training } = context;
  const computing = network.layers.filter(({ spec }) => spec.kind !== "flatten" && spec.kind !== "reshape");
  const outputs: (number | undefined)[] = [];
  for (const [i, { spec, outShape }] of computing.entries()) {
    const x = outputs[i - 1];
    const inPlace = spec.kind === "dropout" && x !== undefined;
    outputs.push(inPlace ? x : region.floats(batch * sizeOf(outShape)));
  }
  const firstToLearn = computing.findIndex(({ tensors }) => tensors.some(({ learned }) => learned));
  const gradients: { dx: number | undefined; dy: number | undefined }[] = [];
  let dy: number | undefined;
  for (const [i, { spec, inShape, outShape }] of [...computing.entries()].reverse()) {
    const learns = training && firstToLearn >= 0 && i >= firstToLearn;
    if (learns) dy ??= region.floats(batch * sizeOf(outShape));
    else dy = undefined;
    const passesOn = learns && i > firstToLearn;
    const dx = !passesOn ? undefined : IN_PLACE.has(spec.kind) ? dy : region.floats(batch * sizeOf(inShape));
    gradients.unshift({ dx, dy });
    dy = dx;
  }
  return computing.map((layer, i) => {
    const places = { x: outputs[i - 1], y: outputs[i], ...gradients[i]! };
    const kind = layer.spec.kind as keyof typeof RUNNERS;
    return { layer, places, runner: new RUNNERS[kind](context, layer, places) };
  });
}
