/** @file What there is to see of the layers after a step, from what was brought here from the device. */
import type { Fault, LayerStatistics } from "../engine/engine.ts";
import { deadUnits, histogramOf } from "../engine/layer-statistics.ts";
import { nameOf } from "../layers.ts";
import type { Layer, Network } from "../network.ts";

export interface Seen {
  readonly network: Network;
  readonly values: ReadonlyMap<string, Float32Array>;
  /** Of learned tensors. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Of each layer, for the rows of the last batch. */
  readonly outputs: readonly Float32Array[];
}

export function statisticsOf(seen: Seen): LayerStatistics[] {
  const { network, values, outputs } = seen;
  return network.layers.map((layer): LayerStatistics => {
    const { index, spec, tensors, outShape } = layer;
    const norm = normOf(layer, seen);
    const weight = spec.kind === "dense" || spec.kind === "conv2d" ? values.get(tensors[0]!.name) : undefined;
    return {
      layer: index,
      name: nameOf(spec),
      ...(norm !== undefined && { gradientNorm: norm }),
      ...(weight && { weights: histogramOf(weight) }),
      ...(spec.kind === "op" && {
        dead: deadUnits(outputs[index]!, outShape),
        activations: histogramOf(outputs[index]!),
      }),
      ...(spec.kind === "op" &&
        tensors.length > 0 && {
          slopes: Float32Array.from(tensors.flatMap(({ name }) => [...values.get(name)!])),
        }),
    };
  });
}

/** Where the numbers of a step went wrong. */
export function faultOf(seen: Seen, what: Fault["what"]): Fault {
  const isNotFinite = (value: number): boolean => !Number.isFinite(value);
  const { layers } = seen.network;
  const found =
    what === "loss"
      ? layers.find(({ index }) => seen.outputs[index]!.some(isNotFinite))
      : layers.findLast((layer) => isNotFinite(normOf(layer, seen) ?? 0));
  return found ? { what, layer: found.index } : { what };
}

/** Of the gradient of the layer's parameters, where it has some. */
function normOf({ tensors }: Layer, { gradients }: Seen): number | undefined {
  const learned = tensors.filter(({ learned }) => learned);
  if (learned.length === 0) return undefined;
  let squares = 0;
  for (const { name } of learned) for (const value of gradients.get(name)!) squares += value * value;
  return Math.sqrt(squares);
}
