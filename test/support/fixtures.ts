/** @file The files in `test/fixtures`, which PyArrow and NumPy wrote (see make.py there). */
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../fixtures/", import.meta.url);

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

/** Names of the fixtures that end so. */
export function fixtures(...extensions: string[]): string[] {
  return readdirSync(FOLDER)
    .filter((name) => extensions.some((extension) => name.endsWith(extension)))
    .sort();
}

/** Where PyArrow found the values of each column that can be computed: for each batch, [byte offset, elements]. */
export function expectedRanges(): Record<string, Record<string, [number, number][]>[]> {
  return JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));
}
