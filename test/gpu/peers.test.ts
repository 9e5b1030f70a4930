/** The packages that a GPU needs: what is said where they are missing, too old or broken. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/directory.ts";

const directory = temporaryDirectory();
const PEERS = new URL("../../src/gpu/peers.ts", import.meta.url).href;

/** What loading each of the peers says in a process that finds packages in this directory alone. */
function load(nodePath: string): { message: string; remedy: string; code: string }[] {
  const script = `
    const { loadPeer } = await import(${JSON.stringify(PEERS)});
    const say = ({ message, remedy, code }) => ({ message, remedy, code });
    console.log(JSON.stringify(await Promise.all(["gpu.js", "webgpu"].map((name) => loadPeer(name).catch(say)))));
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...process.env, NODE_PATH: nodePath },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

function install(name: string, version: string, main: string): void {
  const target = directory.path(`found/${name}`);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), JSON.stringify({ name, version, main: "index.js" }));
  writeFileSync(join(target, "index.js"), main);
}

it("a package that is missing is named, with the command that installs it", () => {
  const missing = load(directory.path("nothing"));
  expect(missing.map(({ message }) => message)).toEqual([
    "A GPU needs the package gpu.js, which is not installed",
    "A GPU needs the package webgpu, which is not installed",
  ]);
  for (const { code, remedy } of missing) {
    expect(code).toBe("ERR_GPU");
    expect(remedy).toBe(
      "Install both beside Sluice: npm install gpu.js webgpu. Or compute on the CPU: --device cpu.",
    );
  }
});

it("one that is too old, or cannot be loaded, is named too", () => {
  install("webgpu", "0.2.9", "exports.create = () => {};");
  install("gpu.js", "2.24.1", "throw new Error('no such symbol\\nand more');");
  const [broken, old] = load(directory.path("found"));
  expect(broken).toMatchObject({ message: "The package gpu.js cannot be loaded: no such symbol" });
  expect(old).toEqual({
    code: "ERR_GPU",
    message: "The package webgpu is of version 0.2.9, and at least 0.6.2 is needed",
    remedy: "Install it beside Sluice: npm install webgpu@^0.6.2",
  });
});
