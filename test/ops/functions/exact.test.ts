import { expect, it } from "vitest";
import { NAMES, type Name, programOf, results, table, unit64 } from "./measure.ts";

/** The largest error in units of the last place of float64, little above what is found. */
const BOUNDS: Readonly<Record<Name, number>> = {
  exp: 1.01,
  expm1: 0.95,
  log: 0.85,
  log1p: 0.85,
  sigmoid: 1.9,
  softplus: 1.6,
  tanh: 0.85,
};

it.each(NAMES)("%s is as exact in float64 as promised, at the hardest points", (name) => {
  const rows = table(name);
  const got = results(
    programOf(name),
    "float64",
    Float64Array.from(rows, ([x]) => x!),
  );
  expect(rows.length).toBeGreaterThan(150);
  for (const [i, [x, y, rest]] of rows.entries()) {
    if (!Number.isFinite(y)) {
      expect(got[i], `${name}(${x})`).toBe(y);
      continue;
    }
    const error = Math.abs((got[i]! - y!) / unit64(y!) - rest!);
    expect(error, `${name}(${x}) is ${y}, not ${got[i]}`).toBeLessThan(BOUNDS[name]);
  }
});
