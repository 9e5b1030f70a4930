/** Predictions on a GPU: those of the CPU to the precision of float32, whatever the windows. Needs a GPU. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { MemoryError } from "../../src/errors.ts";
import { predict } from "../../src/train/predict/predict.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { EVERY_LAYER, EVERY_LAYER_INPUT, modelOf, randomRows } from "../support/models.ts";
import { npyBytes, npyValues } from "../support/npy.ts";

vi.setConfig({ testTimeout: 120_000 });

const directory = temporaryDirectory();
const SIZE = 784;
/** Some windows of 2 MiB, and a part of one. */
const ROWS = 2001;
const values = randomRows(ROWS, SIZE);
const model = modelOf("dense(16) | leaky_relu(0.1) | dense(3)", [SIZE], {
  features: ["t"],
  target: { kind: "classes", classes: ["zero", "eins", "zwei"] },
});
const expected = model.predict(values);

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length);
  const worst = Math.max(
    ...Array.from(found, (value, i) => Math.abs(value - wanted[i]!) / (1 + Math.abs(wanted[i]!))),
  );
  expect(worst).toBeLessThan(1e-5);
}

it("an npy array of several windows has the outputs of the CPU", async () => {
  const input = directory.write("x.npy", npyBytes(values, [ROWS, SIZE]));
  const output = directory.path("y.npy");
  const { device, workers, elements } = await predict(model, input, output, { device: "gpu" });
  expect({ device, workers, elements }).toEqual({ device: "gpu", workers: 0, elements: 3 * ROWS });
  expectClose(npyValues(readFileSync(output)), expected);
});

it("a network with every layer has the outputs of the CPU, in the smallest windows", async () => {
  const every = modelOf(EVERY_LAYER, EVERY_LAYER_INPUT);
  const size = EVERY_LAYER_INPUT.reduce((product, length) => product * length, 1);
  const rows = randomRows(70, size);
  const input = directory.write("every.npy", npyBytes(rows, [70, ...EVERY_LAYER_INPUT]));
  const output = directory.path("every-y.npy");
  await predict(every, input, output, { device: "gpu", memory: "1MiB" });
  expectClose(npyValues(readFileSync(output)), every.predict(rows));
});

it("a network that does not fit in memory is an error that says how much would do, and leaves no output", async () => {
  const input = directory.write("small.npy", npyBytes(values.subarray(0, SIZE), [1, SIZE]));
  const output = directory.path("none.npy");
  const failing = predict(model, input, output, { device: "gpu", memory: "64KiB" });
  await expect(failing).rejects.toThrow(MemoryError);
  expect(existsSync(output)).toBe(false);
});
