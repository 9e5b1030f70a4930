/** @file The layers are as docs/architecture.md says: imports go down only, and nothing heavy is loaded before it is needed. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
/** From the ground up. */
const LAYERS = ["errors.ts", "ops", "formats", "device.ts", "workers", "gpu", "pipeline", "train", "cli"];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && path !== "index.ts");

/** What a file imports: from the root of `src` where it is relative. */
function importsOf(path: string): { target: string; typeOnly: boolean }[] {
  const text = readFileSync(join(SRC, path), "utf8");
  const found = [...text.matchAll(/^(?:import|export) (type )?(?:[^"';]* from )?"([^"]+)";/gm)];
  return found.map(([, type, target]) => ({
    target: target!.startsWith(".") ? posix.join(posix.dirname(path), target!) : target!,
    typeOnly: type !== undefined,
  }));
}

const layerOf = (path: string): number => LAYERS.indexOf(path.split("/")[0]!);

it.each(files)("%s imports from its own layer and those below", (path) => {
  expect(layerOf(path)).toBeGreaterThanOrEqual(0);
  const above = importsOf(path).filter(({ target }) => layerOf(target) > layerOf(path));
  expect(above).toEqual([]);
});

it("formats know of ops only the dtypes, and nothing of what computes", () => {
  const own = files.filter((path) => path.startsWith("formats/")).flatMap(importsOf);
  const outside = own.map(({ target }) => target).filter((target) => !target.startsWith("formats/"));
  expect([...new Set(outside)].sort()).toEqual(["errors.ts", "ops/dtype.ts"]);
});

it("packages are imported when they are needed, not before", () => {
  const packages = ["apache-arrow", "piscina", "gpu.js", "webgpu"];
  const eager = files.filter((path) =>
    importsOf(path).some(({ target, typeOnly }) => !typeOnly && packages.includes(target)),
  );
  expect(eager).toEqual([]);
});

it("what computes on a GPU is imported when it is asked for, not before", () => {
  const isGpu = (path: string): boolean => path.split("/").includes("gpu");
  const eager = files.filter(
    (path) => !isGpu(path) && importsOf(path).some(({ target, typeOnly }) => !typeOnly && isGpu(target)),
  );
  expect(eager).toEqual([]);
});
