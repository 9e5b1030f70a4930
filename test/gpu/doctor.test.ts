/** What is found out about the GPU for `sluice doctor`. Needs a GPU. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { describeGpu } from "../../src/gpu/doctor.ts";
import { temporaryDirectory } from "../support/directory.ts";

const directory = temporaryDirectory();
const DOCTOR = new URL("../../src/gpu/doctor.ts", import.meta.url).href;

it("the adapter, its limit, and three rates", async () => {
  const found = await describeGpu();
  if (!found.found) expect.unreachable(found.why);
  expect(found.adapter).not.toBe("");
  expect(found.arrayBytes).toBeGreaterThanOrEqual(128 * 2 ** 20);
  const { upload, compute, download } = found.rates;
  for (const rate of [upload, compute, download]) {
    expect(rate).toBeGreaterThan(1e5);
    expect(rate).toBeLessThan(1e14);
  }
});

it("or why there is none, and what to do", () => {
  const script = `
    const { describeGpu } = await import(${JSON.stringify(DOCTOR)});
    console.log(JSON.stringify(await describeGpu()));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    { encoding: "utf8", env: { ...process.env, NODE_PATH: directory.path("nothing") } },
  );
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    found: false,
    why: "A GPU needs the package webgpu, which is not installed",
    remedy: "Install both beside Sluice: npm install gpu.js webgpu. Or compute on the CPU: --device cpu.",
  });
});
