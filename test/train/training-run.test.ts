import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { TrainingRun, type TrainProgress } from "../../src/train/training-run.ts";

const progress = (kind: "steps" | "epoch", step: number): TrainProgress => ({
  ...{ kind, epoch: 1, epochs: 1, step, steps: 9, loss: 1, accuracy: undefined, rate: 1 },
  ...{ validation: undefined, samplesPerSecond: 1, secondsLeft: 1 },
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function stepsOf(run: TrainingRun<unknown>): Promise<number[]> {
  const steps: number[] = [];
  for await (const { step } of run) steps.push(step);
  return steps;
}

test("iterating gives all progress from the start, to several loops, and ends with the training", async () => {
  const run = new TrainingRun(async (tell) => {
    for (const step of [1, 2, 3]) {
      tell(progress("steps", step));
      await turn();
    }
    return "result";
  });
  expect(await Promise.all([stepsOf(run), stepsOf(run)])).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(await run.result).toBe("result");
  expect(await stepsOf(run)).toEqual([]);
});

test("steps that nobody took in time are left out, epochs are not", async () => {
  const run = new TrainingRun(async (tell) => {
    for (const step of [1, 2]) tell(progress("steps", step));
    tell(progress("epoch", 2));
    for (const step of [3, 4]) tell(progress("steps", step));
    tell(progress("epoch", 4));
    for (const step of [5, 6]) tell(progress("steps", step));
  });
  expect(await stepsOf(run)).toEqual([2, 4, 6]);
});

test("iterating throws what the training throws, after its progress", async () => {
  const run = new TrainingRun(async (tell) => {
    tell(progress("epoch", 1));
    throw new Error("broken");
  });
  const seen: number[] = [];
  const loop = (async () => {
    for await (const { step } of run) seen.push(step);
  })();
  await expect(loop).rejects.toThrow("broken");
  await expect(run.result).rejects.toThrow("broken");
  expect(seen).toEqual([1]);
});

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUN = new URL("../../src/train/training-run.ts", import.meta.url).href;

test.each([
  ["nobody looks at", "", 1, "it broke"],
  ["is only iterated", "try { for await (const _ of run); } catch {}", 0, ""],
  ["is only awaited", "await run.result.catch(() => {})", 0, ""],
])("a failed training that %s: %j ends the process with %i", (_, look, code, message) => {
  const script = `
    import { TrainingRun } from ${JSON.stringify(RUN)};
    const run = new TrainingRun(async () => { throw new Error("it broke"); });
    ${look}`;
  const node = ["--import", "tsx", "--input-type=module", "-e", script];
  const { status, stderr } = spawnSync(process.execPath, node, { cwd: ROOT, encoding: "utf8" });
  expect(stderr).toContain(message);
  expect(status).toBe(code);
});

test("leaving the loop does not stop the training", async () => {
  let steps = 0;
  const run = new TrainingRun(async (tell) => {
    for (; steps < 5; steps++) {
      tell(progress("steps", steps));
      await turn();
    }
    return steps;
  });
  for await (const _ of run) break;
  expect(await run.result).toBe(5);
});
