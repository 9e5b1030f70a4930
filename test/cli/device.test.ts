/** `--device`, where the packages of the GPU device are not installed: as most people have it. */
import { describe, expect, it } from "vitest";
import { expectSameBits } from "../support/bits.ts";
import { runCli } from "../support/cli.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { npyBytes } from "../support/npy.ts";

const directory = temporaryDirectory();
const input = directory.write("in.npy", npyBytes(new Float32Array(2 ** 18).fill(-1)));
/** Nowhere but in the checkout's own `node_modules`, where they are not. */
const env = { NODE_PATH: undefined };
const apply = (...more: readonly string[]) =>
  runCli(["apply", "leaky_relu(0.5)", input, directory.path("out.npy"), "--overwrite", ...more], { env });
const halved = npyBytes(new Float32Array(2 ** 18).fill(-0.5));

describe("--device gpu without its packages", () => {
  it("says what to install, and leaves no output", async () => {
    const { code, stderr } = await apply("--device", "gpu");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sluice: A GPU needs the package webgpu, which is not installed\n {2}Install both .*npm install/,
    );
    expect(directory.names()).toEqual(["in.npy"]);
  });

  it("tells a script", async () => {
    const { code, stdout } = await apply("--device", "gpu", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      error: { code: "ERR_GPU", remedy: expect.stringContaining("npm install") },
    });
  });
});

describe("--device auto without them", () => {
  it("computes on the CPU, and says why", async () => {
    const result = await runCli(["apply", "leaky_relu(0.5)", input, directory.path("auto.npy"), "--json"], {
      env: { ...env, SLUICE_AUTO_AFTER: "0" },
    });
    expect(JSON.parse(result.stdout.toString())).toMatchObject({
      device: "cpu",
      deviceReason: "A GPU needs the package webgpu, which is not installed",
    });
    expectSameBits(directory.read("auto.npy"), halved);
  });

  it("does not even look for them where there is little to do", async () => {
    const { stdout } = await apply("--json");
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{ device: "cpu", deviceReason: "too little work for a GPU" },
    });
  });
});

it("the command ends with its work, even where the compiler of a GPU would keep the process", async () => {
  // What keeps it is the same: a handle that stays open.
  const keep = `data:text/javascript,${encodeURIComponent("setInterval(() => {}, 1000)")}`;
  const { code, stdout } = await runCli(
    ["apply", "leaky_relu(0.5)", input, directory.path("kept.npy"), "--json"],
    { env: { ...env, NODE_OPTIONS: `--import=${keep}` } },
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout.toString())).toMatchObject({ elements: 2 ** 18 });
});

it("--device cpu gives no reason", async () => {
  const { stdout } = await apply("--device", "cpu", "--json");
  expect(JSON.parse(stdout.toString())).toMatchObject({ device: "cpu", deviceReason: null });
});

it("doctor says what to install, and that Sluice works all the same", async () => {
  const { code, stdout } = await runCli(["doctor", "--json"], { env });
  const { sound, gpu, checks } = JSON.parse(stdout.toString());
  expect({ code, sound }).toEqual({ code: 0, sound: true });
  expect(gpu).toMatchObject({ found: false, remedy: expect.stringContaining("npm install") });
  expect(checks).toContainEqual(expect.objectContaining({ name: "GPU", verdict: "note" }));
});
