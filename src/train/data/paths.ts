/**
 * @file The files that paths and patterns name. A pattern has `*`, `?`, `[a-z]`, `{a,b}`, or `**` for any directories,
 * as in a shell; it is here because not every Node has one, and not every shell expands them.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ioError, UsageError } from "../../errors.ts";

const MAGIC = /[*?[\]{}]/;

/** The path itself, or the files that a pattern matches, in the order of their names. @throws UsageError for none */
export async function expandPath(path: string): Promise<string[]> {
  // A file may be named like a pattern.
  if (!MAGIC.test(path) || existsSync(path)) return [path];
  const found = new Set<string>();
  for (const pattern of expandBraces(path)) {
    const segments = pattern.split("/");
    const root = pattern.startsWith("/") ? "/" : "";
    for (const match of await walk(
      root,
      segments.filter((segment) => segment !== ""),
    ))
      found.add(match);
  }
  if (found.size > 0) return [...found].sort();
  throw new UsageError("No file matches the pattern", {
    position: { path },
    remedy: "Check the pattern and the directory that it starts in.",
  });
}

/** `a{b,c}d` as `abd` and `acd`; braces may be nested. */
function expandBraces(pattern: string): string[] {
  const match = /\{([^{}]*)\}/.exec(pattern);
  if (match === null) return [pattern];
  const [before, after] = [pattern.slice(0, match.index), pattern.slice(match.index + match[0].length)];
  return match[1]!.split(",").flatMap((choice) => expandBraces(before + choice + after));
}

/** The files below `directory` that the segments match. */
async function walk(directory: string, [segment, ...rest]: readonly string[]): Promise<string[]> {
  if (segment === undefined) return [];
  if (!MAGIC.test(segment)) {
    const path = join(directory, segment);
    if (rest.length > 0) return walk(path, rest);
    return existsSync(path) ? [path] : [];
  }
  const entries = await list(directory);
  const found: string[] = [];
  if (segment === "**") {
    found.push(...(await walk(directory, rest)));
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
      found.push(...(await walk(join(directory, entry.name), [segment, ...rest])));
    }
    return found;
  }
  const expression = expressionOf(segment);
  for (const entry of entries) {
    if (!expression.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (rest.length > 0) found.push(...(await walk(path, rest)));
    else if (!entry.isDirectory()) found.push(path);
  }
  return found;
}

/** What is no directory, or is none any more, has no entries. */
async function list(directory: string) {
  try {
    return await readdir(directory === "" ? "." : directory, { withFileTypes: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw ioError(cause as NodeJS.ErrnoException, "list the directory", { path: directory });
  }
}

/** Names that begin with a dot are matched only by a dot. */
function expressionOf(segment: string): RegExp {
  const source = segment.replace(/\*+|\?|\[(!|\^)?(\]?[^\]]*)\]|[\\^$.|+(){}[\]]/g, (part, not, set) => {
    if (part.startsWith("*")) return ".*";
    if (part === "?") return ".";
    if (set !== undefined) return `[${not ? "^" : ""}${set.replace(/[\\\]^[]/g, "\\$&")}]`;
    return `\\${part}`;
  });
  try {
    return new RegExp(`^${segment.startsWith(".") ? "" : "(?!\\.)"}${source}$`, "su");
  } catch (cause) {
    throw new UsageError(`${JSON.stringify(segment)} is no pattern of file names`, { cause });
  }
}
