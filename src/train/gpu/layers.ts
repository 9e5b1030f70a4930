/** @file The layers of a network on the device, and which are refused. */
import { UnsupportedError } from "../../errors.ts";
import { catalog } from "../../ops/catalog/index.ts";
import { bind } from "../../ops/op.ts";
import { hasRows } from "../../ops/row-plan.ts";
import { nameOf } from "../layers.ts";
import { type Layer, type Network, sizeOf } from "../network.ts";
import type { DeviceLayer, LayerContext } from "./layer.ts";
import { batchNormLayer } from "./layers/batch-norm.ts";
import { boundAffine, boundOp, boundStandardize } from "./layers/bound-op.ts";
import { conv2dLayer } from "./layers/conv2d.ts";
import { denseLayer } from "./layers/dense.ts";
import { dropoutLayer } from "./layers/dropout.ts";
import { elementwiseLayer } from "./layers/elementwise.ts";
import { poolLayer } from "./layers/pool.ts";
import { rowWiseLayer } from "./layers/row-wise.ts";

/** @throws UnsupportedError where the device cannot train one of the layers; it is named */
export function checkLayers({ layers }: Network): void {
  for (const layer of layers) {
    const { index, spec } = layer;
    if (spec.kind !== "op" || !hasRows(spec.op.op.expression)) continue;
    if (boundOp(spec, layer).arrays.length === 0) continue;
    throw new UnsupportedError(
      `layer ${index} (${nameOf(spec)}) goes along rows, and cannot have learned parameters on a GPU`,
      CPU,
    );
  }
}

/** @throws UnsupportedError where the device has no arrays that are large enough */
export function checkArrays({ layers }: Network, batch: number, mostBytes: number): void {
  const check = (what: string, length: number): void => {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    if (bytes <= mostBytes) return;
    const [needed, most] = [bytes, mostBytes].map((each) => `${Math.ceil(each / 2 ** 20)} MiB`);
    throw new UnsupportedError(`${what} take ${needed} in one array, and the GPU has none above ${most}`, {
      remedy: "Train with a smaller --batch, or on the CPU: --device cpu.",
    });
  };
  for (const { index, spec, outShape } of layers) {
    check(`${batch} rows of layer ${index} (${nameOf(spec)})`, batch * sizeOf(outShape));
  }
  const tensors = layers.flatMap((layer) => layer.tensors);
  check(
    "the weights",
    tensors.reduce((total, { shape }) => total + sizeOf(shape), 0),
  );
}

const CPU = { remedy: "Train on the CPU: --device cpu, or --device auto." };

/** The layers that compute, compiled. */
export async function compileLayers(context: LayerContext, { layers }: Network): Promise<DeviceLayer[]> {
  const compiled: DeviceLayer[] = [];
  for (const layer of layers) compiled.push(...(await compileLayer(context, layer)));
  return compiled;
}

async function compileLayer(context: LayerContext, layer: Layer): Promise<readonly DeviceLayer[]> {
  const { spec } = layer;
  switch (spec.kind) {
    case "dense":
      return [await denseLayer(context, layer)];
    case "conv2d":
      return [await conv2dLayer(context, layer)];
    case "max_pool":
    case "avg_pool":
      return [await poolLayer(context, layer)];
    case "batch_norm":
      return [await batchNormLayer(context, layer)];
    case "dropout":
      return [await dropoutLayer(context, layer)];
    case "standardize":
      return [await elementwiseLayer(context, layer, boundStandardize(layer))];
    case "layer_norm":
      return [
        await rowWiseLayer(context, layer, bind(catalog.layer_norm, { eps: spec.eps })),
        await elementwiseLayer(context, layer, boundAffine(layer)),
      ];
    case "op": {
      if (hasRows(spec.op.op.expression)) return [await rowWiseLayer(context, layer, spec.op)];
      return [await elementwiseLayer(context, layer, boundOp(spec, layer))];
    }
    case "flatten":
    case "reshape":
      return [];
  }
}
