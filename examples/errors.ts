/**
 * @file What goes wrong, told apart by class and code: where it is, and what to do about it.
 *
 *     npx tsx examples/errors.ts
 */
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { ColumnError, OpSyntaxError, SluiceError, transform } from "sluice";
import { sampleDirectory } from "./sample.ts";

const directory = sampleDirectory();
const input = join(directory, "in.arrow");
const output = join(directory, "out.arrow");

async function attempt(ops: string, columns?: readonly string[]): Promise<void> {
  try {
    await transform(input, output, { ops, columns });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    console.log(`\n${error.code}: ${error.message}\n-> ${error.remedy}`);
    if (error instanceof OpSyntaxError) console.log("   at character", error.index);
    if (error instanceof ColumnError) console.log("   in column", error.position.column);
  }
}

await attempt("leaky_rel(0.1)");
await attempt("leaky_relu(beta=0.1)");
await attempt("relu", ["embeding"]);
await attempt("relu", ["id"]);
await truncate(input, 1000);
await attempt("relu");
