/** @file A directory for one test file, gone when it is done. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

export interface TemporaryDirectory {
  /** The path of a name in it. */
  path(name: string): string;
  /** Writes a file; gives its path. */
  write(name: string, bytes: Uint8Array | string): string;
  read(name: string): Buffer;
  /** The names in it, hidden ones too. */
  names(): string[];
}

/** Call it at the top of a test file. */
export function temporaryDirectory(): TemporaryDirectory {
  const root = mkdtempSync(join(tmpdir(), "sluice-test-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string): string => join(root, name);
  return {
    path,
    write(name, bytes) {
      writeFileSync(path(name), bytes);
      return path(name);
    },
    read: (name) => readFileSync(path(name)),
    names: () => readdirSync(root),
  };
}
