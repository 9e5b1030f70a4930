/**
 * @file What a Node user would write without Sluice, and write well: batch by batch, computed in place, and never more
 * batches in memory than the output takes (the writer itself asks for no pause, so this waits for the file).
 *
 *   node apache-arrow.mjs INPUT OUTPUT
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { RecordBatchFileWriter, RecordBatchReader } from "apache-arrow";

const [input, output] = process.argv.slice(2);
const file = createWriteStream(output);

async function* computed() {
  const reader = await RecordBatchReader.from(await open(input));
  for await (const batch of reader) {
    leakyRelu(batch.getChild("tensor").data[0].children[0].values, 0.01);
    yield batch;
    while (file.writableNeedDrain) await once(file, "drain");
  }
}

function leakyRelu(values, alpha) {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    values[i] = value > 0 ? value : alpha * value;
  }
}

await pipeline(computed(), RecordBatchFileWriter.throughNode(), file);
