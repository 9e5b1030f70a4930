/**
 * @file Convolution as `nn.Conv2d`: one thread for each element of the output, of the gradient of the input, and of the
 * gradient of the weights, whose rows are shared among some threads.
 */
import type { KernelSource } from "../../../gpu/kernel-source.ts";
import { KernelText, type Parameter } from "../../../gpu/source.ts";
import type { Layer } from "../../network.ts";
import { sizeOf } from "../../network.ts";
import type { DeviceLayer, Gradient, LayerContext } from "../layer.ts";
import { sumLines } from "../sums.ts";
import { channelSums, tables } from "./elementwise.ts";
import { inputAt, isInside, overWindow, overWindowsAt, placeLines, windowsOf } from "./sliding-windows.ts";

const [X, Y] = ["this.thread.x", "this.thread.y"];
/** Threads that share the rows of a weight's gradient. */
const PARTS = 16;
const ROWS: Parameter = ["rows", "integer"];

export async function conv2dLayer({ gpu, weights }: LayerContext, layer: Layer): Promise<DeviceLayer> {
  const windows = windowsOf(layer);
  const { input, output, kernel } = windows;
  const [weight, bias] = layer.tensors.map(({ name }) => name);
  const taps = kernel[0] * kernel[1];
  const ofChannel = input.channels * taps;
  const weightSize = output.channels * ofChannel;
  const w = (out: string, channel: string): string =>
    `p[${weights.offsetOf(weight!)} + ${out} * ${ofChannel} + ${channel} * ${taps} + ky * ${kernel[1]} + kx]`;
  const places = output.height * output.width;
  const plane = (
    names: readonly string[],
    lines: (text: KernelText) => string[],
    takes: Parameter[] = [],
  ) => {
    const text = new KernelText();
    const body = lines(text);
    return gpu.kernel({ ...text.build([...tables(names), ...takes], body), plane: true });
  };

  const forward = await plane(["x", "p"], (text) => [
    ...placeLines(text, output),
    "let total = 0.0;",
    `for (let c = 0; c < ${input.channels}; c++) {`,
    "let part = 0.0;",
    ...overWindow(windows, "(row | 0)", "(column | 0)", (y, x) => [
      `part += x[${Y} * ${input.size} + (c * ${input.height} + ${y}) * ${input.width} + ${x}] * ${w("(channel | 0)", "c")};`,
    ]),
    "total += part;",
    "}",
    `return total${bias === undefined ? "" : ` + p[${weights.offsetOf(bias)} + (channel | 0)]`};`,
  ]);
  const backward = await plane(["dy", "p"], (text) => [
    ...placeLines(text, input),
    "let total = 0.0;",
    `for (let o = 0; o < ${output.channels}; o++) {`,
    "let part = 0.0;",
    ...overWindowsAt(text, windows, (y, x) => [
      `part += dy[${Y} * ${output.size} + (o * ${output.height} + ${y}) * ${output.width} + ${x}] * ${w("o", "(channel | 0)")};`,
    ]),
    "total += part;",
    "}",
    "return total;",
  ]);
  const ofWeight = await plane(
    ["x", "dy"],
    (text) => {
      const ofTap = text.remainder(X, taps);
      const [y, x] = inputAt(windows, "oy", "ox", "(down | 0)", "(across | 0)");
      const row = `(turn * ${PARTS} + ${Y})`;
      const dyAt = `${row} * ${output.size} + ((out | 0) * ${output.height} + oy) * ${output.width} + ox`;
      const xAt = `${row} * ${input.size} + ((channel | 0) * ${input.height} + ${y}) * ${input.width} + ${x}`;
      return [
        `const out = ${text.quotient(X, ofChannel)};`,
        `const channel = ${text.quotient(text.remainder(X, ofChannel), taps)};`,
        `const down = ${text.quotient(ofTap, kernel[1])};`,
        `const across = ${text.remainder(ofTap, kernel[1])};`,
        "let total = 0.0;",
        `for (let turn = 0; turn * ${PARTS} + ${Y} < rows; turn++) {`,
        `for (let oy = 0; oy < ${output.height}; oy++) {`,
        "let part = 0.0;",
        `for (let ox = 0; ox < ${output.width}; ox++) {`,
        `if (${isInside(input, y, x)}) {`,
        `part += dy[${dyAt}] * x[${xAt}];`,
        "}",
        "}",
        "total += part;",
        "}",
        "}",
        "return total;",
      ];
    },
    [ROWS],
  );
  const folded = await gpu.kernel(columnSums("parts", weightSize));
  const columns = await gpu.kernel(columnSums("dy", output.size));
  const ofBias =
    bias === undefined || places === 1
      ? undefined
      : await gpu.kernel(channelSums({ count: output.channels, stride: places }, output.size));

  return {
    index: layer.index,
    forward: (x, { rows }) => forward.start([x, weights.values], [sizeOf(layer.outShape), rows]),
    backward: (_, dy, { rows }) => backward.start([dy, weights.values], [input.size, rows]),
    async gradients(x, dy, { rows }) {
      const parts = Math.min(PARTS, rows);
      const ofParts = await ofWeight.start([x, dy, rows], [weightSize, parts]);
      const found: Gradient[] = [
        { tensor: weight!, values: await folded.start([ofParts, parts], weightSize) },
      ];
      if (bias !== undefined) {
        const ofColumns = await columns.start([dy, rows], output.size);
        const values = ofBias ? await ofBias.start([ofColumns], output.channels) : ofColumns;
        found.push({ tensor: bias, values });
      }
      return found;
    },
  };
}

/** A sum over the rows of an array, for each of its columns. */
function columnSums(array: string, size: number): KernelSource {
  const lines = sumLines("total", "rows", (k) => ({ value: `${array}[${k} * ${size} + ${X}]` }));
  return new KernelText().build([...tables([array]), ROWS], [...lines, "return total;"]);
}
