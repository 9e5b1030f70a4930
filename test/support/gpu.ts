/**
 * @file Whether there is a GPU for the tests in `test/gpu`: the packages of `test/gpu/package.json`, and an adapter. Asked in
 * a process of its own, once, before any test.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const TESTS = fileURLToPath(new URL("../gpu", import.meta.url));
const PACKAGES = join(TESTS, "node_modules");

/** Prints the name of the adapter. The instance must outlive the adapter. */
const ASK = `
  require("gpu.js");
  globalThis.dawn = require("webgpu").create([]);
  dawn.requestAdapter().then((adapter) => console.log(adapter ? adapter.info.description || "unnamed" : ""));
`;

export type Gpu = { readonly adapter: string } | { readonly why: string };

/** Makes the packages of `test/gpu` known to this process and all that it starts. */
export function findGpu(): Gpu {
  if (existsSync(PACKAGES)) {
    process.env.NODE_PATH = [PACKAGES, process.env.NODE_PATH].filter(Boolean).join(delimiter);
  }
  const roots = { paths: process.env.NODE_PATH?.split(delimiter) ?? [] };
  for (const name of ["gpu.js", "webgpu"]) {
    try {
      createRequire(import.meta.url).resolve(name, roots);
    } catch {
      return { why: `the package ${name} is not installed` };
    }
  }
  const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", ASK], { encoding: "utf8" });
  if (status !== 0) return { why: stderr.trim().split("\n").at(-1) ?? "WebGPU cannot be loaded" };
  return stdout.trim() === "" ? { why: "there is no adapter" } : { adapter: stdout.trim() };
}

/**
 * The tests that are left out: those in `test/gpu` whose first lines say "Needs a GPU". Says so in one line.
 *
 * @throws Error where SLUICE_REQUIRE_GPU is 1 and none is there
 */
export function testsWithoutGpu(): readonly string[] {
  const gpu = findGpu();
  if ("adapter" in gpu) return [];
  const how = "see docs/gpu.md";
  if (process.env.SLUICE_REQUIRE_GPU === "1") throw new Error(`The GPU tests cannot run: ${gpu.why}; ${how}`);
  const files = readdirSync(TESTS).filter((name) => name.endsWith(".test.ts"));
  const without = files.filter((name) => /\bneeds a GPU\b/i.test(headOf(join(TESTS, name))));
  console.error(`${without.length} files of GPU tests are left out: ${gpu.why}; ${how}.`);
  return without.map((name) => `test/gpu/${name}`);
}

const headOf = (path: string): string => readFileSync(path, "utf8").split("\n", 4).join("\n");
