/** @file What there is to see of the layers after a step: for the log, the report, and for whoever looks for a fault. */
import { nameOf } from "../layers.ts";
import { sizeOf } from "../network.ts";
import type { Fault, Histogram, LayerStatistics } from "./engine.ts";
import type { PlacedLayer } from "./placing.ts";
import type { Runner } from "./runner.ts";

const BINS = 40;

/** @param rows of the batch that was computed last */
export function statisticsOf(runner: Runner, rows: number): LayerStatistics[] {
  const norms = gradientNorms(runner);
  return runner.layers.map((placed): LayerStatistics => {
    const { layer } = placed;
    const { index, spec, tensors } = layer;
    const gradientNorm = norms.get(index);
    const weight = spec.kind === "dense" || spec.kind === "conv2d" ? tensors[0] : undefined;
    const values = (name: string): Float32Array => {
      const { value, size } = runner.parameters.get(name)!;
      return runner.tools.floats(value, size);
    };
    return {
      layer: index,
      name: nameOf(spec),
      ...(gradientNorm !== undefined && { gradientNorm }),
      ...(weight && { weights: histogramOf(values(weight.name)) }),
      ...(spec.kind === "op" && {
        dead: deadUnits(outputsOf(runner, placed, rows), layer.outShape),
        activations: histogramOf(outputsOf(runner, placed, rows)),
      }),
      ...(spec.kind === "op" &&
        tensors.length > 0 && {
          slopes: Float32Array.from(tensors.flatMap(({ name }) => [...values(name)])),
        }),
    };
  });
}

/** Where the numbers of a step went wrong. */
export function faultOf(runner: Runner, what: Fault["what"], rows: number): Fault {
  const isNotFinite = (value: number): boolean => !Number.isFinite(value);
  const norms = gradientNorms(runner);
  const found =
    what === "loss"
      ? runner.layers.find((placed) => outputsOf(runner, placed, rows).some(isNotFinite))
      : runner.layers.findLast(({ layer }) => isNotFinite(norms.get(layer.index) ?? 0));
  return found ? { what, layer: found.layer.index } : { what };
}

/** Of the gradient of each layer's parameters. */
function gradientNorms(runner: Runner): Map<number, number> {
  const squares = runner.squares();
  const norms = new Map<number, number>();
  let piece = 0;
  for (const { layer, runner: ofLayer } of runner.layers) {
    if (ofLayer.gradients.length === 0) continue;
    let sum = 0;
    for (const _ of ofLayer.gradients) sum += squares[piece++]!;
    norms.set(layer.index, Math.sqrt(sum));
  }
  return norms;
}

function outputsOf({ tools }: Runner, { layer, places }: PlacedLayer, rows: number): Float32Array {
  return tools.floats(places.y!, rows * sizeOf(layer.outShape));
}

/** The share of units that are 0 in all rows; of images a unit is a channel. */
export function deadUnits(outputs: Float32Array, outShape: readonly number[]): number {
  const size = sizeOf(outShape);
  const units = outShape.length > 1 ? outShape[0]! : size;
  const each = size / units;
  const isAlive = new Uint8Array(units);
  for (const [i, output] of outputs.entries()) {
    if (output !== 0) isAlive[Math.floor((i % size) / each)] = 1;
  }
  return 1 - isAlive.reduce((alive, each) => alive + each, 0) / units;
}

export function histogramOf(values: Float32Array): Histogram {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const counts = Array<number>(BINS).fill(0);
  if (least > most) return { least: 0, most: 0, counts };
  const width = (most - least) / BINS;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[width === 0 ? 0 : Math.min(BINS - 1, Math.floor((value - least) / width))]!++;
  }
  return { least, most, counts };
}
