/**
 * @file Whether a step may change the weights, decided on the device, for several steps are handed to it at once: after a
 * loss or a gradient that is not finite, nothing changes any more.
 *
 * ```text
 *   status   1 as long as all was finite, else 0 | factor of the gradient, for its norm is clipped | norm of the gradient
 * ```
 */
import type { GpuJs, GpuKernel } from "../../gpu/gpu-js.ts";
import type { KernelSource } from "../../gpu/kernel-source.ts";
import { KernelText } from "../../gpu/source.ts";
import type { DeviceArray } from "../../gpu/staging.ts";
import { sumLines } from "./sums.ts";

/** Numbers of a status. */
export const STATUS = 3;
/** Terms that a thread adds. */
const TERMS = 64;
const X = "this.thread.x";

export interface StepStatus {
  /**
   * @param losses the first `rows` of them are shares of the loss
   * @param status of the step before
   */
  decide(losses: DeviceArray, rows: number, gradient: DeviceArray, status: DeviceArray): Promise<DeviceArray>;
}

/** @param clip largest norm of the gradient */
export async function compileStepStatus(
  gpu: GpuJs,
  parameters: number,
  clip: number | undefined,
): Promise<StepStatus> {
  const partial = await gpu.kernel(partSums((k) => `values[${k}]`));
  const folds: { readonly kernel: GpuKernel; readonly count: number }[] = [];
  for (let count = parameters; folds.length === 0 || count > TERMS; ) {
    const isFirst = folds.length === 0;
    const source = partSums((k) => (isFirst ? `values[${k}] * values[${k}]` : `values[${k}]`));
    folds.push({ kernel: await gpu.kernel(source), count });
    count = Math.ceil(count / TERMS);
  }
  const decision = await gpu.kernel(statusKernel(clip));
  return {
    async decide(losses, rows, gradient, status) {
      const parts = Math.ceil(rows / TERMS);
      const ofLoss = await partial.start([losses, rows], parts);
      let squares = gradient;
      for (const { kernel, count } of folds) {
        squares = await kernel.start([squares, count], Math.ceil(count / TERMS));
      }
      return decision.start([ofLoss, squares, status, parts, squares.length], STATUS);
    },
  };
}

/** Sums of neighbours. */
function partSums(term: (k: string) => string): KernelSource {
  const lines = sumLines("total", TERMS, (k) => {
    const at = `(${X} * ${TERMS} + ${k})`;
    return { value: `(${at} < count ? ${term(at)} : 0.0)` };
  });
  return {
    source: `function (values, count) {\n${lines.join("\n")}\nreturn total;\n}`,
    constants: {},
    arguments: ["table", "integer"],
  };
}

function statusKernel(clip: number | undefined): KernelSource {
  const text = new KernelText();
  // Of NaN and of infinities it is not true.
  const largest = text.hidden(3.4028234663852886e38);
  const factor = clip === undefined ? "1.0" : `${text.hidden(clip)} / (norm + ${text.hidden(1e-6)})`;
  const body = [
    ...sumLines("loss", "losses", (k) => ({ value: `ofLoss[${k}]` })),
    ...sumLines("square", "squares", (k) => ({ value: `ofGradient[${k}]` })),
    "const norm = Math.sqrt(square);",
    `const finite = Math.abs(loss) <= ${largest} ? (Math.abs(norm) <= ${largest} ? 1.0 : 0.0) : 0.0;`,
    `const factor = ${factor};`,
    "const goesOn = finite * status[0];",
    `return ${X} === 0 ? goesOn : (${X} === 1 ? (factor < 1.0 ? factor : 1.0) : norm);`,
  ];
  return text.build(
    [
      ["ofLoss", "table"],
      ["ofGradient", "table"],
      ["status", "table"],
      ["losses", "integer"],
      ["squares", "integer"],
    ],
    body,
  );
}
