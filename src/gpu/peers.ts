/**
 * @file The optional peers gpu.js, webgpu (Dawn) and gl (headless-gl): loaded when a GPU is asked for, from where Node's
 * `require` finds them. Together they are some 200 MB, and most runs need none.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { GpuError } from "../errors.ts";

/**
 * The oldest versions that work: gpu.js has its WebGPU mode since 2.24; Dawn before webgpu 0.6.2 keeps Node from exiting;
 * no headless-gl before 8.1.6 was tried.
 */
const OLDEST = { "gpu.js": "2.24.0", webgpu: "0.6.2", gl: "8.1.6" } as const;
export type Peer = keyof typeof OLDEST;

const INSTALL = "Install both beside Sluice: npm install gpu.js webgpu. Or compute on the CPU: --device cpu.";

/**
 * Unlike `import`, it also looks where NODE_PATH says. gl is the one that gpu.js finds: two copies of it in a process each
 * believe that their own context is the current one, and results are of the wrong one.
 */
function resolve(name: Peer): string {
  const from = createRequire(import.meta.url);
  return name === "gl" ? createRequire(from.resolve("gpu.js")).resolve(name) : from.resolve(name);
}

/** The package's exports. @throws GpuError where it is not installed, too old, or not for this machine */
export async function loadPeer<Exports>(name: Peer): Promise<Exports> {
  const path = find(name);
  // gpu.js brings an old webgpu of its own, and that one is found where no other is installed.
  const version = versionOf(path, name);
  if (version && isOlder(version, OLDEST[name])) {
    throw new GpuError(
      `The package ${name} is of version ${version}, and at least ${OLDEST[name]} is needed`,
      {
        remedy: `Install it beside Sluice: npm install ${name}@^${OLDEST[name]}`,
      },
    );
  }
  try {
    const found = (await import(pathToFileURL(path).href)) as Exports & { default?: Exports };
    return found.default ?? found;
  } catch (cause) {
    throw new GpuError(`The package ${name} cannot be loaded: ${firstLine((cause as Error).message)}`, {
      cause,
      remedy: "Install it anew, or compute on the CPU: --device cpu.",
    });
  }
}

function find(name: Peer): string {
  try {
    return resolve(name);
  } catch (cause) {
    throw new GpuError(`A GPU needs the package ${name}, which is not installed`, { cause, remedy: INSTALL });
  }
}

/** Of the package that a file belongs to. */
function versionOf(path: string, name: Peer): string | undefined {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    try {
      const found = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
      if (found.name === name) return String(found.version);
    } catch {}
  }
  return undefined;
}

function isOlder(version: string, than: string): boolean {
  const [own, other] = [version, than].map((text) =>
    text.split(".").map((part) => Number.parseInt(part, 10)),
  );
  const at = own!.findIndex((part, i) => part !== other![i]);
  return at >= 0 && own![at]! < other![at]!;
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!;
