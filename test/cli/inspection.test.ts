import { describe, expect, it } from "vitest";
import { renderInspection } from "../../src/cli/inspection.ts";
import { styleFor } from "../../src/cli/style.ts";
import { displayWidth } from "../../src/cli/text.ts";
import type { Inspection } from "../../src/pipeline/inspect.ts";
import type { Statistics } from "../../src/pipeline/statistics.ts";

const style = styleFor(false, {});
const statistics: Statistics = {
  ...{ count: 7_840_000, nan: 3, infinite: 0, zero: 6_342_000, negative: 0 },
  ...{ min: 0, max: 1, mean: 0.130712345 },
};
const digits: Inspection = {
  format: "arrow",
  bytes: 32_925_286,
  fields: [
    { name: "image", type: "fixed_shape_tensor<float32>[28, 28]", nullable: false, role: "computed" },
    { name: "weight", type: "float64", nullable: true, role: "plain" },
    { name: "label", type: "uint8", nullable: true, role: "plain" },
    { name: "odd", type: "map<utf8, list<float32>>", nullable: true, role: "skipped", reason: "is a map" },
  ],
  metadata: { source: "mnist" },
  rows: 10_000,
  batches: { count: 10, minRows: 1000, maxRows: 1000 },
  tensors: [
    { name: "image", dtype: "float32", shape: [28, 28], elements: 7_840_000, bytes: 31_360_000, statistics },
  ],
};
const array: Inspection = {
  format: "npy",
  bytes: 1_048_704,
  fields: [{ name: "", type: "float64[512, 256] in Fortran order", nullable: false, role: "computed" }],
  metadata: {},
  rows: 512,
  batches: { count: 1, minRows: 512, maxRows: 512 },
  tensors: [{ name: "", dtype: "float64", shape: [512, 256], elements: 131_072, bytes: 1_048_576 }],
};

describe("inspect as text", () => {
  it("reads like a page about the file", () => {
    expect(renderInspection(digits, "digits.arrow", 80, style)).toBe(
      `digits.arrow
  Arrow IPC file, 31.4 MiB, 10,000 rows in 10 batches of 1,000

4 columns
  name    type
  image   fixed_shape_tensor<float32>[28, 28] not null  tensor
  weight  float64                                       float
  label   uint8
  odd     map<utf8, list<float32>>                      skipped: is a map

1 tensor
  name   dtype    shape of a row   elements      size
  image  float32  28 x 28         7,840,000  29.9 MiB

Statistics
  name   min      mean  max  negative   zero    NaN  infinite
  image    0  0.130712    1        0%  80.9%  <0.1%        0%

Metadata
  source  mnist
`,
    );
  });

  it("of an npy file is about its one array", () => {
    expect(renderInspection(array, "-", 80, style)).toBe(
      `stdin
  npy array, float64[512, 256] in Fortran order, 1.00 MiB

1 tensor
  name   dtype    shape      elements      size
  array  float64  512 x 256   131,072  1.00 MiB
`,
    );
  });

  it("says when statistics come from a sample", () => {
    const tensors = digits.tensors.map((tensor) => ({ ...tensor, elements: 1e9 }));
    const text = renderInspection({ ...digits, tensors }, "x", 80, style);
    expect(text).toContain("From the first 64 MiB of each tensor; --statistics all reads every element.");
    expect(renderInspection(digits, "x", 80, style)).not.toContain("64 MiB");
  });

  it("says how batches differ in size", () => {
    const text = renderInspection(
      { ...digits, batches: { count: 3, minRows: 0, maxRows: 5000 } },
      "x",
      80,
      style,
    );
    expect(text).toContain("10,000 rows in 3 batches of 0 to 5,000");
  });

  it("fits into 40 columns", () => {
    const lines = renderInspection(digits, "digits.arrow", 40, style).split("\n");
    // A type is not broken: it is worth more whole.
    for (const line of lines.filter((each) => !each.includes("fixed_shape_tensor"))) {
      expect(displayWidth(line)).toBeLessThanOrEqual(40);
    }
  });

  it("lets no name or metadata of a file write to the terminal", () => {
    const evil = "\x1b[2J\u009b31m";
    const fields = [{ name: evil, type: evil, nullable: true, role: "skipped", reason: evil } as const];
    const tensors = digits.tensors.map((tensor) => ({ ...tensor, name: evil }));
    const text = renderInspection(
      { ...digits, fields, tensors, metadata: { [evil]: evil } },
      evil,
      80,
      style,
    );
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});
