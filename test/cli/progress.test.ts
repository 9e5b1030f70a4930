import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgressLine } from "../../src/cli/progress.ts";
import { type ProgressState, renderBar, renderProgress } from "../../src/cli/progress-text.ts";
import { styleFor } from "../../src/cli/style.ts";
import { displayWidth } from "../../src/cli/text.ts";
import type { Progress } from "../../src/pipeline/options.ts";

const GiB = 2 ** 30;
const plain = styleFor(false, { LANG: "C.UTF-8" });
const ascii = styleFor(false, { LANG: "C" });
const half: ProgressState = {
  ...{ bytes: 2 * GiB, totalBytes: 4 * GiB, rows: 524_288, rate: 1 * GiB, seconds: 2 },
  device: [],
};

describe("the progress line", () => {
  it("shows op, bar, percentage, sizes, rate and time left", () => {
    expect(renderProgress("leaky_relu(0.2)", half, 79, plain)).toBe(
      "leaky_relu(0.2)  ▕███████       ▏   50%  2.00 / 4.00 GiB  1.00 GiB/s  0:02 left",
    );
  });

  it("keeps the bar, the rate and the time left in 40 columns", () => {
    expect(renderProgress("leaky_relu(0.2)", half, 39, plain)).toBe(
      "▕████    ▏   50%  1.00 GiB/s  0:02 left",
    );
  });

  it("without a total shows bytes, rate, time and rows", () => {
    expect(renderProgress("relu", { ...half, totalBytes: undefined }, 79, plain)).toBe(
      "relu  2.00 GiB  1.00 GiB/s   0:02  524,288 rows",
    );
  });

  it("says what computes, and why, where there is room beside a bar", () => {
    const state = { ...half, device: ["on the GPU (GPU 8.12 GB/s, CPU 5.31 GB/s)", "on the GPU"] };
    const lines = [120, 79, 60].map((width) => renderProgress("relu", state, width, plain));
    expect(lines).toEqual([
      "relu  ▕███████████▌           ▏   50%  2.00 / 4.00 GiB  1.00 GiB/s  0:02 left  on the GPU (GPU 8.12 GB/s, CPU 5.31 GB/s)",
      "relu  ▕██████▌      ▏   50%  2.00 / 4.00 GiB  1.00 GiB/s  0:02 left  on the GPU",
      "relu  ▕███   ▏   50%  2.00 / 4.00 GiB  1.00 GiB/s  0:02 left",
    ]);
    expect(renderProgress("relu", { ...state, totalBytes: undefined }, 79, plain)).toBe(
      "relu  2.00 GiB  1.00 GiB/s   0:02  524,288 rows  on the GPU",
    );
  });

  it("fits any width, whatever the figures", () => {
    const state = fc.record({
      bytes: fc.integer({ min: 0, max: 2 ** 50 }),
      totalBytes: fc.option(fc.integer({ min: 0, max: 2 ** 50 }), { nil: undefined }),
      rows: fc.nat(),
      rate: fc.option(fc.double({ min: 0, max: 2 ** 40, noNaN: true }), { nil: undefined }),
      seconds: fc.double({ min: 0, max: 1e5, noNaN: true }),
      device: fc.array(fc.string(), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.string(), state, fc.integer({ min: 20, max: 200 }), (label, each, width) => {
        for (const style of [plain, ascii]) {
          expect(displayWidth(renderProgress(label, each, width, style))).toBeLessThanOrEqual(width);
        }
      }),
    );
  });

  it("stands still while its figures change", () => {
    const widths = [0, 0.07, 0.5, 0.999, 1].map((share) => {
      const line = renderProgress("relu", { ...half, bytes: share * 4 * GiB }, 100, plain);
      return displayWidth(line);
    });
    expect(new Set(widths).size).toBe(1);
  });
});

describe("the bar", () => {
  it("fills by eighths of a cell", () => {
    expect(renderBar(0, 6, plain)).toBe("▕    ▏");
    expect(renderBar(5 / 32, 6, plain)).toBe("▕▋   ▏");
    expect(renderBar(17 / 32, 6, plain)).toBe("▕██▏ ▏");
    expect(renderBar(1, 6, plain)).toBe("▕████▏");
  });

  it("is plain where the terminal has no block characters", () => {
    expect(renderBar(0.5, 6, ascii)).toBe("[##--]");
  });
});

describe("the line on a terminal", () => {
  let written = "";
  let now = 0;
  let resize: () => void = () => {};
  const terminal = {
    columns: 80,
    write: (text: string) => (written += text),
    on: (_: "resize", listener: () => void) => (resize = listener),
    off: () => (resize = () => {}),
  };
  const progress = (bytes: number): Progress => ({
    ...{ bytes, totalBytes: 1000, rows: 1, batches: 1, elements: 1 },
    ...{ seconds: 1, bytesPerSecond: bytes, device: "cpu", deviceApi: undefined, deviceReason: undefined },
  });

  beforeEach(() => {
    vi.useFakeTimers();
    written = "";
    now = 0;
    terminal.columns = 80;
  });
  afterEach(() => void vi.useRealTimers());

  const open = (): ProgressLine => new ProgressLine(terminal, "relu", plain, () => now);

  it("draws nothing for a run that is over at once", () => {
    const line = open();
    line.update(progress(1000));
    now = 100;
    vi.advanceTimersByTime(100);
    line.close();
    expect(written).toBe("");
  });

  it("draws in place by its own clock, and leaves nothing behind", () => {
    const line = open();
    line.update(progress(500));
    now = 1000;
    vi.advanceTimersByTime(100);
    expect(written).toMatch(/^\rrelu .* 50% .*0:01 left/);
    line.close();
    expect(written.endsWith("\r\x1b[K")).toBe(true);
    written = "";
    vi.advanceTimersByTime(1000);
    line.close();
    expect(written).toBe("");
  });

  it("never hides the cursor, so that nothing can leave it hidden", () => {
    const line = open();
    line.update(progress(500));
    now = 1000;
    line.draw();
    line.close();
    expect(written).not.toContain("\x1b[?25l");
  });

  it("takes the rate of the last seconds", () => {
    const line = open();
    for (now = 1000; now <= 20_000; now += 100) {
      // Fast at first, then a tenth of that.
      line.update(progress(now <= 10_000 ? now / 50 : 200 + (now - 10_000) / 500));
      written = "";
      line.draw();
    }
    expect(written).toContain("2 B/s");
    line.close();
  });

  it("clears the lines that a narrower terminal folds it into", () => {
    const line = open();
    line.update(progress(500));
    now = 1000;
    line.draw();
    const width = displayWidth(written.replace(/^\r/, ""));
    written = "";
    terminal.columns = 30;
    resize();
    expect(written.startsWith(`\x1b[${Math.ceil(width / 30) - 1}A\r\x1b[J`)).toBe(true);
    line.close();
  });
});
