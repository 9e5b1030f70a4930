/** What the walk over two columns asks for: from a file it looks where it likes, from a pipe it goes front to back. */
import { describe, expect, it } from "vitest";
import { openLayout } from "../../../src/formats/detect.ts";
import type { Step } from "../../../src/formats/layout.ts";
import { ipc, type PairsOptions, pairs, valuesAt } from "../../support/pairs.ts";

const OPTIONS: PairsOptions = {
  ...{ dtype: "float64", nesting: [null], rows: [6], order: "x first" },
  ...{ inStruct: false, nulls: true, seed: 2 },
};

/** The steps of a walk, whose looks are answered from the bytes. */
function steps(options: PairsOptions, random: boolean): { bytes: Uint8Array; seen: readonly Step[] } {
  const bytes = ipc(pairs(options), "stream");
  const walk = openLayout("arrows", {
    ...{ columns: ["dy"], other: "x", random },
    ...(random ? { size: bytes.length } : {}),
  });
  const seen: Step[] = [];
  let at = 0;
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const { value: step, done } = walk.next(answer);
    if (done) return { bytes, seen };
    seen.push(step);
    if (step.step === "peek") answer = bytes.subarray(at, at + step.length);
    else if (step.step === "seek") at = step.offset;
    else if (step.step === "keep") at += step.length;
    else if (step.step === "elements") at += 8 * step.count;
  }
}

const elementsOf = (seen: readonly Step[]) =>
  seen.flatMap((step) => (step.step === "elements" ? [step] : []));

describe("two columns", () => {
  for (const order of ["x first", "dy first"] as const) {
    for (const random of [true, false]) {
      it(`${order}, ${random ? "in a file" : "in a pipe"}: dy's elements name the place of x's`, () => {
        const options = { ...OPTIONS, order };
        const { bytes, seen } = steps(options, random);
        const [own, ...more] = elementsOf(seen);
        expect(more).toEqual([]);
        const table = pairs(options);
        const x = valuesAt(table.batches[0]!, table.x);
        expect(own).toMatchObject({ tensor: 0, first: 0, count: x.length });
        const there = new Float64Array(bytes.slice(own!.other, own!.other! + x.byteLength).buffer);
        expect(there).toEqual(x);
      });
    }
  }

  it("are passed over once in a pipe, and x is retained where it comes first", () => {
    const { bytes, seen } = steps(OPTIONS, false);
    expect(seen.filter(({ step }) => step === "seek")).toEqual([]);
    const passed = seen.reduce(
      (sum, step) =>
        sum + (step.step === "keep" ? step.length : step.step === "elements" ? 8 * step.count : 0),
      0,
    );
    expect(passed).toBe(bytes.length);
    const retained = seen.filter((step) => step.step === "keep" && step.retain);
    expect(retained).toEqual([{ step: "keep", length: 8 * elementsOf(seen)[0]!.count, retain: true }]);
    const after = steps({ ...OPTIONS, order: "dy first" }, false).seen;
    expect(after.filter((step) => step.step === "keep" && step.retain)).toEqual([]);
  });
});
