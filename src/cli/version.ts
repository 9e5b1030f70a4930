/** @file `sluice --version`. */
import { readFileSync } from "node:fs";
import { EXIT } from "./exit.ts";
import { print } from "./print.ts";

/** The version in package.json, which lies two levels up from here in the sources and in the build alike. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String((manifest as { readonly version?: unknown }).version);
}

export async function showVersion(): Promise<number> {
  await print(`sluice ${version()}\n`);
  return EXIT.done;
}
