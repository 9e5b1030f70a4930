import { expect, it } from "vitest";
import { float32Sample, NAMES, type Name, PLAIN, programOf, results, unit32 } from "./measure.ts";

/** The largest error in units of the last place of float32, little above what is found; 0.5 is the least possible. */
const BOUNDS: Readonly<Record<Name, number>> = {
  exp: 0.503,
  expm1: 0.51,
  log: 0.512,
  log1p: 0.512,
  sigmoid: 0.503,
  softplus: 0.504,
  tanh: 0.51,
};

it.each(NAMES)("%s rounds to little more than half a unit in float32, at every exponent", (name) => {
  const x = float32Sample();
  const y = results(programOf(name), "float32", x);
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const exact = PLAIN[name](x[i]!);
    const rounded = Math.fround(exact);
    if (!Number.isFinite(rounded)) expect(y[i], `${name}(${x[i]})`).toBe(rounded);
    else worst = Math.max(worst, Math.abs(y[i]! - exact) / unit32(exact));
  }
  expect(worst).toBeLessThan(BOUNDS[name]);
});
