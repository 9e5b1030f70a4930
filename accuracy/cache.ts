/** @file Results of earlier runs, so that a run can go on where another ended: one file for each row and side. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Side } from "./rows.ts";
import type { Result } from "./verdict.ts";

export const CACHE = join(import.meta.dirname, "../node_modules/.cache/sluice-accuracy");

/** What was found earlier, if it was found of the same kernels. */
export function recall(ops: string, side: Side, fingerprint: string): Result | undefined {
  const path = pathOf(ops, side);
  if (!existsSync(path)) return undefined;
  const result = JSON.parse(readFileSync(path, "utf8")) as Result;
  return result.fingerprint === fingerprint ? result : undefined;
}

export function remember(result: Result): void {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(pathOf(result.ops, result.side), `${JSON.stringify(result, null, 2)}\n`);
}

function pathOf(ops: string, side: Side): string {
  const name = ops.replace(/\W+/g, "-").replace(/-$/, "");
  const suffix = createHash("sha256").update(ops).digest("hex").slice(0, 6);
  return join(CACHE, `${name}-${suffix}.${side}.json`);
}
