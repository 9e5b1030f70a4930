/**
 * @file The package compiled to JavaScript, as users run it: once for the sources as they are, kept for the next run. The
 * command starts three times as fast as from TypeScript, and tests of whole processes start it often.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HOUR = 3_600_000;
const CACHE = join(ROOT, "node_modules", ".cache");

/** The directory that holds `dist/` and `package.json`. */
export function build(): string {
  const name = `sluice-${digest()}`;
  const target = join(CACHE, name);
  if (existsSync(target)) return target;
  mkdirSync(CACHE, { recursive: true });
  const own = mkdtempSync(join(CACHE, "building-"));
  copyFileSync(join(ROOT, "package.json"), join(own, "package.json"));
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const options = ["-p", "tsconfig.build.json", "--declaration", "false", "--outDir", join(own, "dist")];
  try {
    execFileSync(process.execPath, [compiler, ...options], { cwd: ROOT, stdio: "pipe" });
  } catch (error) {
    // What does not type-check is compiled all the same; `npm run types` is the place to hear of it.
    if (!existsSync(join(own, "dist", "cli", "main.js"))) throw error;
  }
  try {
    renameSync(own, target);
  } catch {
    // Another test file was sooner.
    rmSync(own, { recursive: true });
  }
  for (const old of readdirSync(CACHE)) {
    // One that is younger may be in use.
    const unused = Date.now() - statSync(join(CACHE, old)).mtimeMs > HOUR;
    if (/^(sluice|building)-/.test(old) && unused) rmSync(join(CACHE, old), { recursive: true, force: true });
  }
  return target;
}

function digest(): string {
  const hash = createHash("sha1");
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(ROOT, "src", file)));
  return hash.digest("hex").slice(0, 16);
}
