/** @file The directory that the demo works in, and its end: whatever happens, nothing is left behind. */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The big file, its output and one copy, with some room beside them. */
const NEEDED_BYTES = 3.5 * 2 ** 30;

/** Makes the directory, in the first of these places that has room, and sees to its end. */
export function openWorkspace(places = [tmpdir(), process.cwd()]): string {
  const place = places.find((each) => roomIn(each) >= NEEDED_BYTES);
  if (place === undefined) {
    throw new Error(
      `The demo needs 3.5 GiB of free disk in ${places.join(" or ")}. Set TMPDIR to another place.`,
    );
  }
  const directory = mkdtempSync(join(place, "sluice-demo-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function roomIn(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
