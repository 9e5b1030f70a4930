/** @file Every example runs: the programs in `examples/`, and each ```ts block of the texts and of the docstrings. */
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { writeSamples } from "../examples/sample.ts";
import { type Block, docstringBlocks, examples, markdownBlocks } from "./support/blocks.ts";
import { temporaryDirectory } from "./support/directory.ts";

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const TSX = import.meta.resolve("tsx");
const env = {
  ...process.env,
  NO_COLOR: "1",
  FORCE_COLOR: undefined,
  TSX_TSCONFIG_PATH: root("tsconfig.json"),
};

const directory = temporaryDirectory();
symlinkSync(root("node_modules"), directory.path("node_modules"));
directory.write("package.json", '{ "type": "module" }');

/** Milliseconds: many programs run at once, and those that train start workers, which compile the sources, too. */
const TIMEOUT = 60_000;

/** Runs a program in a process of its own; what it prints. Rejects where it does not exit with 0. */
async function run(file: string, cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, file], {
    cwd,
    env,
    timeout: TIMEOUT,
  });
  return stdout;
}

describe.concurrent("the examples", { timeout: TIMEOUT }, () => {
  it.each(examples())("examples/%s runs", async (name) => {
    expect(await run(root(`examples/${name}`), directory.path("."))).not.toBe("");
  });
});

const blocks = [...markdownBlocks(), ...docstringBlocks()];

describe.concurrent("the code in the texts", { timeout: TIMEOUT }, () => {
  it.each(blocks.map((block) => [block.place, block]))(
    "%s runs, and prints what it says",
    async (_, block) => {
      const cwd = directory.path(nameOf(block));
      mkdirSync(cwd);
      writeSamples(cwd);
      const file = directory.write(join(nameOf(block), "block.ts"), runnable(block));
      const lines = (await run(file, cwd)).split("\n");
      const claims = lines.flatMap((line, i) =>
        line.startsWith(CLAIM) ? [[lines[i - 1], line.slice(CLAIM.length)]] : [],
      );
      for (const [printed, claimed] of claims) expect(printed).toBe(claimed);
    },
  );

  it("has the right types", async () => {
    const settings = {
      extends: root("tsconfig.json"),
      compilerOptions: {
        paths: { sluice: [root("src/index.ts")] },
        typeRoots: [root("node_modules/@types")],
        rewriteRelativeImportExtensions: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: [root("src/workers/webassembly.d.ts")],
      files: blocks.map((block) => directory.write(`${nameOf(block)}.ts`, withSamples(block.code))),
    };
    const config = directory.write("tsconfig.json", JSON.stringify(settings));
    const { stdout } = await promisify(execFile)(root("node_modules/.bin/tsc"), ["-p", config]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  });
});

const nameOf = ({ place }: Block): string => place.replace(/\W/g, "-");

/** Stands before what a block says that it prints, `console.log(x); // like this`, so that the two lines can be compared. */
const CLAIM = "claimed: ";

const withSamples = (code: string): string => code.replaceAll('"../examples/', `"${root("examples/")}`);

function runnable({ code }: Block): string {
  return withSamples(code)
    .replaceAll('"sluice"', JSON.stringify(root("src/index.ts")))
    .replace(/^( *console\.log\(.*\);) \/\/ (.*)$/gm, (_, call, claim) => {
      return `${call} console.log(${JSON.stringify(CLAIM + claim)});`;
    });
}
