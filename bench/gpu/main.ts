/**
 * @file `npm run bench:gpu`: the GPU device beside the CPU device, and PyTorch with CUDA where there is a Python that has it.
 * Needs the packages gpu.js and webgpu and a Vulkan driver (docs/gpu.md), and nothing else.
 */
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { writeTensorFile } from "../inputs.ts";
import { spread } from "../statistics.ts";
import { checkSpace, openWorkspace } from "../workspace.ts";
import { arithmetic, CHAINS } from "./chains.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import type { AutoOutcome, ChainOutcome, Device } from "./outcome.ts";
import { gigabytes, renderReport } from "./report.ts";
import { Sluice } from "./sluice.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Of the GPU device. */
const WINDOW = 8 * 2 ** 20;
/** Elements of a row. */
const WIDTH = 1024;

async function main(options: Options): Promise<void> {
  const { size, rounds, quick, build, directory: parent } = options;
  if (build === undefined) execFileSync("npm", ["run", "build", "--silent"], { cwd: ROOT, stdio: "inherit" });
  const sluice = new Sluice(resolve(build ?? join(ROOT, "dist")));
  const { adapter, rates } = await sluice.findGpu();
  say(adapter);

  const directory = openWorkspace(parent);
  checkSpace(directory, 4 * size);
  const [input, half, output] = ["in", "half", "out"].map((name) => join(directory, `${name}.arrow`)) as [
    string,
    string,
    string,
  ];
  const shape = { format: "arrow", batches: 1, width: WIDTH } as const;
  writeTensorFile(input, { ...shape, rows: size / 4 / WIDTH });
  writeTensorFile(half, { ...shape, rows: size / 8 / WIDTH });

  const names = Object.keys(CHAINS).flatMap((op) => options.lengths.map((length) => ({ op, length })));
  const torch = measureTorch(
    options,
    names.map(({ op, length }) => `${op}:${length}`),
  );
  const chains: ChainOutcome[] = [];
  for (const [i, { op, length }] of names.entries()) {
    const seconds: Record<Device, number[]> = { cpu: [], gpu: [] };
    for (let round = 0; round <= rounds; round++) {
      for (const device of ["cpu", "gpu"] as const) {
        const applied = await sluice.apply(CHAINS[op]!(length), input, output, device);
        if (round > 0) seconds[device].push(applied.seconds);
      }
    }
    const rate = (device: Device): number => size / spread(seconds[device]).median;
    const beside = torch.rates?.[i];
    chains.push({ ops: `${op} x ${length}`, cpu: rate("cpu"), gpu: rate("gpu"), torch: beside });
    say(`${op} x ${length}: CPU ${gigabytes(rate("cpu"))} GB/s, GPU ${gigabytes(rate("gpu"))} GB/s`);
  }

  // What does not grow with the file, such as the start, is in both.
  const [whole, part] = [
    await sluice.profile("leaky_relu", input, output),
    await sluice.profile("leaky_relu", half, output),
  ];
  const windows = size / 2 / WINDOW;
  const host = { ours: (whole.ours - part.ours) / windows, others: (whole.others - part.others) / windows };

  const auto: AutoOutcome[] = [];
  for (let ops = 1; ops <= options.longest; ops *= 2) {
    const { device, deviceReason } = await sluice.apply(arithmetic(ops), input, output, "auto");
    auto.push({ ops, device, reason: deviceReason ?? "" });
    say(`auto, ${ops} operations: ${device}, ${deviceReason}`);
    if (device === "gpu") break;
  }
  console.log(
    renderReport({ adapter, rates, size, rounds, quick, chains, host, auto, withoutTorch: torch.why }),
  );
}

/** Bytes per second of each chain, or why there are none. */
function measureTorch(
  { python, size, rounds }: Options,
  chains: readonly string[],
): { readonly rates?: readonly { pageable: number; pinned: number }[]; readonly why?: string } {
  if (python === undefined) return { why: "no --python was given" };
  const script = join(import.meta.dirname, "torch_cuda.py");
  try {
    const text = execFileSync(python, [script, String(size / 4), String(rounds), ...chains], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const seconds = JSON.parse(text) as { readonly pageable: number; readonly pinned: number }[];
    return {
      rates: seconds.map(({ pageable, pinned }) => ({ pageable: size / pageable, pinned: size / pinned })),
    };
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    return { why: stderr.trim().split("\n").at(-1) || message };
  }
}

function say(text: string): void {
  console.error(text);
}

const options = parseOptions(process.argv.slice(2));
if (!options) console.log(USAGE);
else await main(options);
