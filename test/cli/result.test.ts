import { describe, expect, it } from "vitest";
import { renderNotes, renderSummary } from "../../src/cli/result.ts";
import { styleFor } from "../../src/cli/style.ts";
import type { TransformResult } from "../../src/pipeline/options.ts";

const style = styleFor(false, { LANG: "C.UTF-8" });
const result: TransformResult = {
  ...{
    ops: "relu",
    device: "cpu",
    deviceApi: undefined,
    deviceReason: "too little work for a GPU",
    workers: 2,
  },
  ...{ inputFormat: "arrow", outputFormat: "arrow" },
  ...{ bytes: 4 * 2 ** 30, totalBytes: 4 * 2 ** 30, bytesWritten: 4 * 2 ** 30, rows: 1_048_576, batches: 64 },
  ...{ elements: 2 ** 30, seconds: 0.8, bytesPerSecond: 5 * 2 ** 30, columns: ["x"], skipped: [] },
};

describe("the summary", () => {
  it("is one line with rows, elements, bytes, time and rate", () => {
    expect(renderSummary(result, "out.arrow", 100, style)).toBe(
      "out.arrow: 1,048,576 rows, 1.07 billion elements, 4.00 GiB in 0.80 s, 5.00 GiB/s\n",
    );
  });

  it("gives up the path's directory first, then elements, rows and rate", () => {
    const lines = [85, 60, 40, 29].map((width) =>
      renderSummary(result, "a/directory/out.arrow", width, style),
    );
    expect(lines).toEqual([
      "out.arrow: 1,048,576 rows, 1.07 billion elements, 4.00 GiB in 0.80 s, 5.00 GiB/s\n",
      "out.arrow: 1,048,576 rows, 4.00 GiB in 0.80 s, 5.00 GiB/s\n",
      "out.arrow: 4.00 GiB in 0.80 s\n",
      "out.arr…: 4.00 GiB in 0.80 s\n",
    ]);
  });

  it("says what computed, and why, where that took a while or was the GPU", () => {
    const lines = [
      { ...result, seconds: 1 },
      { ...result, device: "gpu", deviceReason: undefined } as const,
    ].map((each) => renderSummary(each, "out.arrow", 200, style).split("/s, ")[1]);
    expect(lines).toEqual(["on the CPU (too little work for a GPU)\n", "on the GPU\n"]);
  });

  it("speaks of stdout, and leaves out rows where there are none", () => {
    const { rows: _, ...rest } = result;
    expect(renderSummary({ ...rest, rows: 0, elements: 1 }, "-", 100, style)).toBe(
      "stdout: 1 element, 4.00 GiB in 0.80 s, 5.00 GiB/s\n",
    );
  });
});

describe("a note", () => {
  it("names each column that was left alone, and why", () => {
    const skipped = [{ column: "odd\x1b[2J", reason: "is a map" }];
    expect(renderNotes({ ...result, skipped }, style)).toBe(
      'sluice: column "odd\\u001b[2J" passed through as it is: is a map\n',
    );
  });
});
