/**
 * @file Whether the tests of headless-gl can run: the package of `test/gl/package.json`, gpu.js beside it, and an OpenGL that
 * it can make a context of. Asked in a process of its own, once, before any test.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const TEST = "test/gpu/headless-gl.test.ts";
const PACKAGES = fileURLToPath(new URL("../gl/node_modules", import.meta.url));
const ASK = `
  require("gpu.js");
  if (!require("gl")(1, 1)) throw new Error("there is no OpenGL, or no X server");
`;

/** Where packages are looked for with headless-gl among them. */
function withGl(): string {
  return [existsSync(PACKAGES) ? PACKAGES : "", process.env.NODE_PATH].filter(Boolean).join(delimiter);
}

/** The same without it. */
export function withoutGl(): string {
  const paths = process.env.NODE_PATH?.split(delimiter) ?? [];
  return paths.filter((path) => path !== PACKAGES).join(delimiter);
}

/**
 * The test that is left out. Says so in one line; where it is not, headless-gl is made known to this process and all that it
 * starts.
 *
 * @throws Error where SLUICE_REQUIRE_GL is 1 and it cannot run
 */
export function testsWithoutGl(): readonly string[] {
  const NODE_PATH = withGl();
  const env = { ...process.env, NODE_PATH };
  const { status, stderr } = spawnSync(process.execPath, ["-e", ASK], { encoding: "utf8", env });
  if (status === 0) {
    process.env.NODE_PATH = NODE_PATH;
    return [];
  }
  const why = /^Error: (.*)$/m.exec(stderr)?.[1] ?? "headless-gl cannot be loaded";
  const how = "see docs/gpu.md";
  if (process.env.SLUICE_REQUIRE_GL === "1")
    throw new Error(`The tests of headless-gl cannot run: ${why}; ${how}`);
  console.error(`The tests of headless-gl are left out: ${why}; ${how}.`);
  return [TEST];
}
