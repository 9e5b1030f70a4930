/**
 * @file File to file, with progress and a way to stop: the workers read, compute and write their own pieces.
 *
 *     npx tsx examples/file-to-file.ts [input] [output]
 */
import { join } from "node:path";
import { AbortError, transform } from "sluice";
import { sampleDirectory } from "./sample.ts";

const directory = sampleDirectory();
const [input = join(directory, "in.arrow"), output = join(directory, "out.arrow")] = process.argv.slice(2);

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());

try {
  const result = await transform(input, output, {
    ops: "mul(0.5) | leaky_relu(alpha=0.1)",
    memory: "64MiB",
    signal: controller.signal,
    onProgress({ bytes, totalBytes = bytes, bytesPerSecond }) {
      const percent = Math.round((100 * bytes) / Math.max(totalBytes, 1));
      console.error(`${percent}%, ${(bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s`);
    },
  });
  console.log(`computed ${result.columns.join(", ")}: ${result.elements} elements in ${result.rows} rows`);
} catch (error) {
  if (!(error instanceof AbortError)) throw error;
  // There is no output file, and one that was there before is as it was.
  console.log("stopped");
}
