/**
 * How a process ends that computes on the GPU: by itself, by a signal, by an error. Never by an abort.
 * Needs a GPU.
 */
import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";

const OPEN = new URL("../../src/gpu/open.ts", import.meta.url).href;
const GPU_JS = new URL("../../src/gpu/gpu-js.ts", import.meta.url).href;
const FUSE = new URL("../../src/ops/fuse.ts", import.meta.url).href;
const PARSE = new URL("../../src/ops/parse.ts", import.meta.url).href;

/** Computes windows, several at once, for as long as `goOn` says; prints a line when some of them are done. */
const WORK = `
  const [{ openGpuDevice }, { fuse }, { parseChain }] = await Promise.all(
    [${[OPEN, FUSE, PARSE].map((url) => JSON.stringify(url)).join(", ")}].map((url) => import(url)),
  );
  const device = await openGpuDevice({ memory: 2 ** 26 });
  await device.prepare(fuse(parseChain("mul(0.5) | leaky_relu(0.2)")), [
    { name: "t", dtype: "float32", shape: [null], channels: null },
  ]);
  let done = 0;
  const work = async (goOn) => {
    while (goOn()) {
      const slot = await device.acquire();
      const count = 2 ** 17;
      await device.run({ slot, length: 4 * count, ranges: Float64Array.of(0, count, 0, 0, 0) });
      device.release(slot);
      if (++done === 4) console.log("at work");
    }
  };
  const together = (goOn) => Promise.all([work(goOn), work(goOn), work(goOn), work(goOn)]);
`;

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs a script after WORK, and calls `atWork` when windows are under way. */
function run(
  script: string,
  atWork: (kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ending> {
  const args = ["--import", "tsx", "--input-type=module", "-e", WORK + script];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdout.once("data", () => atWork((signal) => child.kill(signal)));
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stderr }));
  });
}

describe("a process", () => {
  it("ends by itself when its windows are done, with the device closed or not", async () => {
    const clean = { code: 0, signal: null, stderr: "" };
    const few = "await together(() => done < 8);";
    const [closed, open] = await Promise.all([run(`${few} device.close();`), run(few)]);
    expect(closed).toEqual(clean);
    expect(open).toEqual(clean);
  });

  it("that is interrupted finishes its windows, and ends with 130", async () => {
    const script = `
      let stopped = false;
      process.once("SIGINT", () => { stopped = true; });
      await together(() => !stopped);
      device.close();
      process.exitCode = 130;
    `;
    expect(await run(script, (kill) => kill("SIGINT"))).toEqual({ code: 130, signal: null, stderr: "" });
  });

  it("may exit at once, in the middle of the GPU's work", async () => {
    const script = 'process.once("SIGINT", () => process.exit(130)); await together(() => true);';
    expect(await run(script, (kill) => kill("SIGINT"))).toEqual({ code: 130, signal: null, stderr: "" });
  });

  it("whose GPU is lost in the middle of the work hears of it, and ends by itself", async () => {
    const script = `
      const { openGpuJs } = await import(${JSON.stringify(GPU_JS)});
      const { queue } = await openGpuJs();
      setTimeout(() => queue.device.destroy(), 10);
      await together(() => true).catch(({ code, message }) => {
        if (code === "ERR_GPU" && message.startsWith("The GPU was lost")) process.exitCode = 3;
      });
      device.close();
    `;
    expect(await run(script)).toEqual({ code: 3, signal: null, stderr: "" });
  });

  it("that does not listen to the signal is ended by it", async () => {
    const ending = await run("await together(() => true);", (kill) => kill("SIGTERM"));
    expect(ending).toEqual({ code: null, signal: "SIGTERM", stderr: "" });
  });

  it("that throws in the middle of the work ends with 1", async () => {
    const script =
      'process.once("SIGUSR2", () => { throw new Error("on purpose"); }); await together(() => true);';
    const { code, signal, stderr } = await run(script, (kill) => kill("SIGUSR2"));
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain("Error: on purpose");
    expect(stderr).not.toMatch(/abort|signal|Segmentation|futex/i);
  });
});
