/**
 * @file Dense layers: one thread for each element of a product.
 *
 * ```text
 *   Y[row, unit] = b[unit] + sum over k of X[row, k] W[unit, k]
 *   dX[row, k]   = sum over units of dY[row, unit] W[unit, k]
 *   dW[unit, k]  = sum over rows of dY[row, unit] X[row, k]       db[unit] = sum over rows of dY[row, unit]
 * ```
 */
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import { type Layer, sizeOf } from "../../network.ts";
import type { DeviceLayer, Gradient, LayerContext } from "../layer.ts";
import { sumLines, type Term } from "../sums.ts";

const [X, Y] = ["this.thread.x", "this.thread.y"];

export async function denseLayer({ gpu, weights }: LayerContext, layer: Layer): Promise<DeviceLayer> {
  const { index, inShape, tensors } = layer;
  const [inputs, units] = [sizeOf(inShape), layer.outShape[0]!];
  const [weight, bias] = tensors.map(({ name }) => name);
  const w = (unit: string, k: string): string =>
    `p[${weights.offsetOf(weight!)} + ${unit} * ${inputs} + ${k}]`;
  const start = bias === undefined ? "0.0" : `p[${weights.offsetOf(bias)} + ${X}]`;
  const compile = (source: KernelSource) => gpu.kernel(source);

  const forward = await compile({
    ...sumKernel(["x", "p"], inputs, (k) => ({ value: `x[${Y} * ${inputs} + ${k}] * ${w(X, k)}` }), start),
    plane: true,
  });
  const backward = await compile({
    ...sumKernel(["dy", "p"], units, (k) => ({ value: `dy[${Y} * ${units} + ${k}] * ${w(k, X)}` })),
    plane: true,
  });
  const ofWeight = await compile({
    ...sumKernel(["x", "dy"], "rows", (k) => ({
      value: `dy[${k} * ${units} + ${Y}] * x[${k} * ${inputs} + ${X}]`,
    })),
    plane: true,
  });
  const ofBias =
    bias === undefined
      ? undefined
      : await compile(sumKernel(["dy"], "rows", (k) => ({ value: `dy[${k} * ${units} + ${X}]` })));

  return {
    index,
    forward: (x, { rows }) => forward.start([x, weights.values], [units, rows]),
    backward: (_, dy, { rows }) => backward.start([dy, weights.values], [inputs, rows]),
    async gradients(x, dy, { rows }) {
      const found: Gradient[] = [
        { tensor: weight!, values: await ofWeight.start([x, dy, rows], [inputs, units]) },
      ];
      if (ofBias) found.push({ tensor: bias!, values: await ofBias.start([dy, rows], units) });
      return found;
    },
  };
}

/** A kernel that gives a sum, behind a number that it starts with. Over `rows`, that is its last argument. */
function sumKernel(
  arrays: readonly string[],
  count: number | "rows",
  term: (k: string) => Term,
  start = "0.0",
): KernelSource {
  const names = count === "rows" ? [...arrays, count] : arrays;
  const lines = [
    ...sumLines("total", count, term),
    `return ${start === "0.0" ? "total" : `total + ${start}`};`,
  ];
  return {
    source: `function (${names.join(", ")}) {\n${lines.join("\n")}\n}`,
    constants: {},
    arguments: [...arrays.map(() => "table" as const), ...(count === "rows" ? (["integer"] as const) : [])],
  };
}
