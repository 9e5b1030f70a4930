/** @file The texts say what the code does: tables are those of the code, links lead somewhere, every export is told of. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeSamples } from "../examples/sample.ts";
import { EXIT } from "../src/cli/exit.ts";
import { exitCodeOf } from "../src/cli/report-error.ts";
import * as sluice from "../src/index.ts";
import { signatureOf } from "../src/ops/definition.ts";
import { findOp } from "../src/ops/op.ts";
import { runCli } from "./support/cli.ts";
import { temporaryDirectory } from "./support/directory.ts";
import {
  anchors,
  documents,
  firstColumn,
  generatedPart,
  links,
  read,
  renderCatalog,
  renderCommands,
  renderGpuBounds,
} from "./support/markdown.ts";

const fromRoot = (path: string): URL => new URL(`../${path}`, import.meta.url);

/** Every name in the lists of `src/index.ts`, and the file that declares it. */
function exported(): { name: string; path: string }[] {
  const lists = readFileSync(fromRoot("src/index.ts"), "utf8").matchAll(
    /^export (?:type )?\{([^}]*)\} from "\.\/(.+)";/gm,
  );
  return [...lists].flatMap(([, names, file]) =>
    names!
      .split(",")
      .map((name) => name.replace(/\btype\b/, "").trim())
      .filter((name) => name !== "")
      // What op.ts hands on.
      .map((name) => ({ name, path: file === "ops/op.ts" ? "src/ops/definition.ts" : `src/${file}` })),
  );
}

const hasDocstring = (source: string, name: string): boolean =>
  new RegExp(
    `\\*/\\n(?://.*\\n)?export (?:async )?(?:function\\*?|class|const|interface|type) ${name}\\b`,
  ).test(source);

// To bring the generated parts up to date: UPDATE_DOCS=1 npx vitest run test/docs.test.ts
describe("docs/cli.md", () => {
  const document = read("docs/cli.md");
  const directory = temporaryDirectory();

  it("lists every command and option", () => {
    expect(generatedPart("docs/cli.md", "commands", renderCommands())).toBe(renderCommands());
  });

  it("lists every exit code", () => {
    expect(firstColumn(document, "## Exit codes").map(Number)).toEqual(Object.values(EXIT));
  });

  it("lists what --json gives", async () => {
    writeSamples(directory.path("."));
    const { stdout } = await runCli(["apply", "relu", "in.arrow", "out.arrow", "--json"], {
      cwd: directory.path("."),
    });
    const named = firstColumn(document, "## Results for scripts").flatMap((cell) => cell.split(", "));
    expect(named.map((key) => key.replaceAll("`", "")).sort()).toEqual(
      Object.keys(JSON.parse(String(stdout))).sort(),
    );
  });
});

describe("docs/ops.md", () => {
  it("lists the catalog", () => {
    expect(generatedPart("docs/ops.md", "catalog", renderCatalog())).toBe(renderCatalog());
  });
});

describe("docs/gpu.md", () => {
  it("lists how far off ops may be", () => {
    expect(generatedPart("docs/gpu.md", "gpu-bounds", renderGpuBounds())).toBe(renderGpuBounds());
  });
});

describe("docs/errors.md", () => {
  const source = readFileSync(fromRoot("src/errors.ts"), "utf8");
  const classes = [...source.matchAll(/^export class (\w+) extends SluiceError[\s\S]*?super\("(\w+)"/gm)];

  it.each(classes.map(([, name, code]) => [name!, code!]))("tells of %s", (name, code) => {
    const rows = read("docs/errors.md").text.split("\n");
    const own = rows.filter((line) => line.startsWith(`| \`${name}\` | \`${code}\` |`));
    const error = new sluice.SluiceError(code as sluice.ErrorCode, "");
    expect(own.map((line) => line.split("|").at(-2)?.trim())).toEqual([String(exitCodeOf(error))]);
  });
});

describe("the texts", () => {
  it.each(documents().map((document) => [document.path, document]))(
    "%s links to what is there",
    (path, document) => {
      const broken = links(document).filter((link) => {
        const [file = "", fragment] = link.split("#");
        const target = file === "" ? path : join(dirname(path), file);
        if (!existsSync(new URL(`../${target}`, import.meta.url))) return true;
        return fragment !== undefined && !anchors(read(target)).includes(fragment);
      });
      expect(broken).toEqual([]);
    },
  );

  it("are there for everything that the package exports: a docstring", () => {
    const bare = exported().filter(
      ({ path, name }) => !hasDocstring(readFileSync(fromRoot(path), "utf8"), name),
    );
    expect(bare).toEqual([]);
  });

  it("of the ops as functions are their signatures and summaries", () => {
    const source = readFileSync(fromRoot("src/pipeline/eager-ops.ts"), "utf8");
    const told = [
      ...source.matchAll(/^\/\*\* (.*) \*\/$(?:\n\/\/.*)?\nexport const \w+ = eager.*\(catalog\.(\w+)\);$/gm),
    ];
    const ops = told.map(([, text, name]) => [text, findOp(name!)!] as const);
    expect(ops).toHaveLength(source.match(/^export const/gm)!.length);
    for (const [text, op] of ops) expect(text).toBe(`\`${signatureOf(op)}\`: ${op.summary}`);
  });

  it("tell of everything that the package exports", () => {
    const text = documents()
      .map((document) => document.text)
      .join("\n");
    const untold = Object.keys(sluice).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(untold).toEqual([]);
  });
});
