import { describe, expect, it } from "vitest";
import {
  formatClock,
  formatCount,
  formatDuration,
  formatRate,
  formatRoundCount,
  formatShare,
  formatSize,
  formatSizeOf,
  plural,
} from "../../src/cli/units.ts";

describe("units", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10_239, "10.0 KiB"],
    [32_925_286, "31.4 MiB"],
    [310 * 2 ** 20, "310 MiB"],
    [1023.9 * 2 ** 20, "1.00 GiB"],
    [4 * 2 ** 30, "4.00 GiB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));

  it("shows progress in the unit of the total", () => {
    expect(formatSizeOf(300 * 2 ** 20, 4 * 2 ** 30)).toBe("0.29 / 4.00 GiB");
    expect(formatSizeOf(0, 0)).toBe("0 / 0 B");
  });

  it("leaves an unknown rate empty", () => {
    expect(formatRate(Number.NaN)).toBe("");
    expect(formatRate(5.31 * 2 ** 30)).toBe("5.31 GiB/s");
  });

  it.each([
    [7, "7"],
    [999_999, "999,999"],
    [7_840_000, "7.84 million"],
    [1_073_741_824, "1.07 billion"],
  ])("%d is counted as %s", (count, text) => expect(formatRoundCount(count)).toBe(text));

  it("groups digits by thousands", () => {
    expect([0, 100, 1000, 1_048_576, 12_345_678_901].map(formatCount)).toEqual([
      "0",
      "100",
      "1,000",
      "1,048,576",
      "12,345,678,901",
    ]);
  });

  it.each([
    [0.0031, "3 ms"],
    [0.41, "0.41 s"],
    [9.999, "10.0 s"],
    [59.96, "1 min 00 s"],
    [125, "2 min 05 s"],
    [3720, "1 h 02 min"],
  ])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("keeps a clock short", () => {
    expect([7, 725, 3723].map(formatClock)).toEqual(["0:07", "12:05", "1:02:03"]);
  });

  it("never rounds a share to none or all", () => {
    expect([0, 1, 500, 99_999, 100_000].map((part) => formatShare(part, 100_000))).toEqual([
      "0%",
      "<0.1%",
      "0.5%",
      ">99.9%",
      "100%",
    ]);
  });

  it("counts one and many", () => {
    expect([plural(1, "row"), plural(2, "row"), plural(0, "batch")]).toEqual([
      "1 row",
      "2 rows",
      "0 batches",
    ]);
  });
});
