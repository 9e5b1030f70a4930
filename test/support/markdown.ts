/** @file The texts of the project as tests read them: code blocks, links, tables, and the parts that are generated. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { COMMANDS, GLOBAL_OPTIONS, type OptionSpec, usageOf } from "../../src/cli/commands.ts";
import { type Bound, onAnyDevice, opBounds, UNDERFLOW } from "../../src/gpu/functions/bounds.ts";
import { signatureOf } from "../../src/ops/definition.ts";
import { allOps } from "../../src/ops/op.ts";

const ROOT = new URL("../../", import.meta.url);

/** Path from the root, and text. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** README, CONTRIBUTING, CHANGELOG and `docs/*.md`. */
export function documents(): Document[] {
  const names = [".", "docs"].flatMap((directory) =>
    readdirSync(new URL(`${directory}/`, ROOT))
      .filter((name) => name.endsWith(".md"))
      .map((name) => (directory === "." ? name : `${directory}/${name}`)),
  );
  return names.map(read);
}

export const read = (path: string): Document => ({ path, text: readFileSync(new URL(path, ROOT), "utf8") });

/** What stands between `<!-- generated: NAME -->` and `<!-- end -->`; replaces it first where UPDATE_DOCS is set. */
export function generatedPart(path: string, name: string, expected: string): string {
  const { text } = read(path);
  const start = `<!-- generated: ${name} -->\n`;
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf("<!-- end -->", from);
  if (from < start.length || to < 0) throw new Error(`${path} has no generated part ${name}`);
  if (!process.env.UPDATE_DOCS) return text.slice(from, to);
  writeFileSync(new URL(path, ROOT), text.slice(0, from) + expected + text.slice(to));
  return expected;
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;

/** The commands with their options, for `docs/cli.md`. */
export function renderCommands(): string {
  const sections = COMMANDS.map((command) => {
    const head = `### sluice ${command.name}\n\n\`${usageOf(command)}\`: ${command.summary}.\n\n`;
    return `${head}${renderOptions(command.options)}\n`;
  });
  return `\n${sections.join("")}### Without a command\n\n${renderOptions(GLOBAL_OPTIONS)}\n`;
}

function renderOptions(options: readonly OptionSpec[]): string {
  const rows = options.map(({ name, short, value, about }) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`;
    return row(short === undefined ? `\`${long}\`` : `\`-${short}\`, \`${long}\``, about);
  });
  return row("option", "") + row("---", "---") + rows.join("");
}

/** The ops, for `docs/ops.md`. */
export function renderCatalog(): string {
  const rows = allOps().map((op) =>
    row(`\`${signatureOf(op)}\``, op.summary, `\`${op.formula}\``, op.gradient, op.domain, op.source),
  );
  const head =
    row("op", "computes", "formula", "gradient", "for", "semantics of") +
    row(..."------".split("").map(() => "---"));
  return `\n${head}${rows.join("")}\n`;
}

/** How far off ops may be on a GPU, for `docs/gpu.md`. */
export function renderGpuBounds(): string {
  const rows = Object.entries(opBounds).map(([name, { value, gradient }]) =>
    row(`\`${name}\``, ...[value, gradient, onAnyDevice(value), onAnyDevice(gradient)].map(renderBound)),
  );
  const head = row("op", "value", "gradient", "value, any device", "gradient, any device");
  return `\n${head}${row(..."-----".split("").map(() => "---"))}${rows.join("")}\n`;
}

/** In units in the last place; what underflow takes away is not worth a cell. */
function renderBound({ ulp, absolute }: Bound): string {
  return absolute > 2 * UNDERFLOW ? `${ulp}, and 2^${Math.log2(absolute)}` : String(ulp);
}

/** The text of the first cell of each row of the first table after `heading`, without its backquotes. */
export function firstColumn({ text }: Document, heading: string): string[] {
  const lines = text.slice(text.indexOf(heading)).split("\n");
  const start = lines.findIndex((line) => line.startsWith("| ---")) + 1;
  const rows = lines.slice(start, start + lines.slice(start).findIndex((line) => !line.startsWith("|")));
  return rows.map((line) => line.split(" | ")[0]!.slice(2));
}

/** Where the relative links of a document go, with their fragments. */
export function links({ text }: Document): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  const found = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
    (match) => match[1] ?? match[2]!,
  );
  return found.filter((link) => !/^[a-z]+:/.test(link));
}

/** The fragments that a document's headings have on GitHub. */
export function anchors({ text }: Document): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
