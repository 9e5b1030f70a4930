/** @file The TypeScript blocks of the texts and of the docstrings, as programs that can be run and type-checked. */
import { readdirSync, readFileSync } from "node:fs";
import { documents } from "./markdown.ts";

export interface Block {
  /** `docs/ops.md:70`. */
  readonly place: string;
  /** A whole module. */
  readonly code: string;
}

const ROOT = new URL("../../", import.meta.url);

/** Every ```ts block of the Markdown files: whole programs as they stand. */
export function markdownBlocks(): Block[] {
  return documents().flatMap(({ path, text }) => blocksIn(text, path));
}

/** Every ```ts block in a docstring of the files that hold the public functions, with the imports it leaves out. */
export function docstringBlocks(): Block[] {
  const index = readFileSync(new URL("src/index.ts", ROOT), "utf8");
  const exports = index.replace(/^export type \{[^}]*\} from .*$/gm, "");
  const files = new Set([...exports.matchAll(/from "\.\/(.+)";/g)].map((match) => `src/${match[1]}`));
  return [...files].flatMap((path) => {
    const text = readFileSync(new URL(path, ROOT), "utf8");
    const comments = text.replace(/^(?! *\*).*$/gm, "").replace(/^ *\* ?/gm, "");
    return blocksIn(comments, path).map(({ place, code }) => ({
      place,
      code: withImports(code, exportsOf(index)),
    }));
  });
}

function blocksIn(text: string, path: string): Block[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => ({
    place: `${path}:${text.slice(0, match.index).split("\n").length + 1}`,
    code: match[1]!,
  }));
}

function exportsOf(index: string): string[] {
  const lists = [...index.matchAll(/export \{([^}]*)\}/g)].flatMap((match) => match[1]!.split(","));
  const namespaces = [...index.matchAll(/export \* as (\w+)/g)].map((match) => match[1]!);
  return [...lists, ...namespaces].map((name) => name.trim()).filter((name) => /^\w+$/.test(name));
}

/** What a docstring takes for granted. */
const GIVEN: readonly (readonly [name: string, source: string])[] = [
  ["pipeline", 'import { pipeline } from "node:stream/promises";'],
  ["createReadStream", 'import { createReadStream } from "node:fs";'],
  ["createWriteStream", 'import { createWriteStream } from "node:fs";'],
  ["table", 'import { sampleTable } from "../examples/sample.ts"; const table = sampleTable();'],
  ["response", "const response = { body: new Response(new Uint8Array(0)).body! };"],
];

function withImports(code: string, exports: readonly string[]): string {
  const uses = (name: string): boolean =>
    new RegExp(`\\b${name}\\b(?!:)`).test(code.replace(/\/\/.*$|"[^"]*"/gm, ""));
  const names = exports.filter((name) => uses(name) && !code.includes(`, ${name})`));
  const given = GIVEN.filter(([name]) => uses(name)).map(([, source]) => source);
  return `import { ${names.join(", ")} } from "sluice";\n${given.join("\n")}\n${code}`;
}

/** The programs in `examples/`, without what they share. */
export function examples(): string[] {
  return readdirSync(new URL("examples/", ROOT)).filter(
    (name) => name.endsWith(".ts") && name !== "sample.ts",
  );
}
