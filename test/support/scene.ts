/** @file A directory per test, and the proof that what went wrong in it left it as it was. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";

export interface Scene {
  readonly root: string;
  path(name: string): string;
  /** Writes a file; gives its path. */
  write(name: string, bytes: Uint8Array | string): string;
  read(name: string): Buffer;
  names(): string[];
  /** Runs `act`, and checks that every file and directory is afterwards the very same: bytes, inode, mode and time. */
  untouched<T>(act: () => Promise<T>): Promise<T>;
}

/** Call it in a test; the directory goes with the test. */
export function scene(parent = tmpdir()): Scene {
  const root = mkdtempSync(join(parent, "sluice-failure-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string): string => join(root, name);
  return {
    root,
    path,
    write(name, bytes) {
      mkdirSync(join(path(name), ".."), { recursive: true });
      writeFileSync(path(name), bytes);
      return path(name);
    },
    read: (name) => readFileSync(path(name)),
    names: () => readdirSync(root).sort(),
    async untouched(act) {
      const before = snapshot(root);
      const result = await act();
      expect(snapshot(root)).toEqual(before);
      return result;
    },
  };
}

/** What is in a directory, as text that shows in a diff. */
function snapshot(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(root, name);
    const stats = lstatSync(path);
    const bytes = stats.isFile() && stats.size < 2 ** 26 ? readFileSync(path) : "";
    const digest = createHash("sha1").update(bytes).digest("hex").slice(0, 12);
    // A directory's time changes with a temporary file that came and went, as it may.
    const time = stats.isDirectory() ? "" : stats.mtimeMs;
    found[name] =
      `${stats.mode.toString(8)} inode ${stats.ino}, ${stats.isDirectory() ? "" : stats.size} bytes, ${digest}, ${time}`;
  }
  return found;
}
