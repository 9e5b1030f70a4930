/** @file Pooling as `nn.MaxPool2d` and `nn.AvgPool2d`; the gradient of a maximum goes to the first of equal ones. */
import { KernelText } from "../../../gpu/source.ts";
import type { Layer } from "../../network.ts";
import type { DeviceLayer, LayerContext } from "../layer.ts";
import { tables } from "./elementwise.ts";
import { inputAt, isInside, overWindow, overWindowsAt, placeLines, windowsOf } from "./sliding-windows.ts";

const Y = "this.thread.y";

export async function poolLayer({ gpu }: LayerContext, layer: Layer): Promise<DeviceLayer> {
  const windows = windowsOf(layer);
  const { input, output, kernel } = windows;
  const isMax = layer.spec.kind === "max_pool";
  const count = kernel[0] * kernel[1];
  const plane = (names: readonly string[], lines: (text: KernelText) => string[]) => {
    const text = new KernelText();
    const body = lines(text);
    return gpu.kernel({ ...text.build(tables(names), body), plane: true });
  };
  const at = (image: typeof input, y: string, x: string): string =>
    `${Y} * ${image.size} + ((channel | 0) * ${image.height} + ${y}) * ${image.width} + ${x}`;

  const forward = await plane(["x"], (text) => [
    ...placeLines(text, output),
    `let found = ${isMax ? text.hidden(Number.NEGATIVE_INFINITY) : "0.0"};`,
    ...overWindow(windows, "(row | 0)", "(column | 0)", (y, x) => {
      const value = `x[${at(input, y, x)}]`;
      return [isMax ? `found = ${text.call("most", "found", value)};` : `found += ${value};`];
    }),
    `return ${isMax ? "found" : `found / ${count}`};`,
  ]);
  const backward = await plane(isMax ? ["x", "dy", "y"] : ["dy"], (text) => [
    ...placeLines(text, input),
    "let total = 0.0;",
    ...overWindowsAt(text, windows, (y, x) => {
      const dy = `dy[${at(output, y, x)}]`;
      if (!isMax) return [`total += ${dy} / ${count};`];
      return [
        `const largest = y[${at(output, y, x)}];`,
        // Of the window's places, those before this one.
        "let before = 0.0;",
        ...earlier(y, x),
        `if (before === 0.0 && x[${at(input, "(row | 0)", "(column | 0)")}] === largest) {`,
        `total += ${dy};`,
        "}",
      ];
    }),
    "return total;",
  ]);

  /** Counts the places of the window before (ky, kx) that hold the largest. */
  function earlier(windowY: string, windowX: string): string[] {
    const [y, x] = inputAt(windows, windowY, windowX, "ey", "ex");
    return [
      `for (let ey = 0; ey < ${kernel[0]}; ey++) {`,
      `for (let ex = 0; ex < ${kernel[1]}; ex++) {`,
      `if (ey * ${kernel[1]} + ex < ky * ${kernel[1]} + kx && ${isInside(input, y, x)}) {`,
      `if (x[${at(input, y, x)}] === largest) {`,
      "before += 1.0;",
      "}",
      "}",
      "}",
      "}",
    ];
  }

  /** Of the last batch. */
  let y: Awaited<ReturnType<typeof forward.start>>;
  return {
    index: layer.index,
    async forward(x, { rows }) {
      y = await forward.start([x], [output.size, rows]);
      return y;
    },
    backward: (x, dy, { rows }) => backward.start(isMax ? [x, dy, y] : [dy], [input.size, rows]),
    gradients: async () => [],
  };
}
