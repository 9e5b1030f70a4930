/**
 * @file What a Node user would write without Sluice, and write well: batch by batch, computed in place, pieces of 1 MiB to
 * the file (Node's default is 16 KiB, which takes nearly twice as long), and a pause whenever the file falls behind (the
 * writer itself asks for none, and would keep the whole file in memory).
 *
 *   node apache-arrow.mjs INPUT OUTPUT
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { RecordBatchFileWriter, RecordBatchReader } from "apache-arrow";

const [input, output] = process.argv.slice(2);
const reader = await RecordBatchReader.from(await open(input));
const writer = new RecordBatchFileWriter();
const file = createWriteStream(output);
const written = pipeline(writer.toNodeStream({ highWaterMark: 1024 * 1024 }), file);

for await (const batch of reader) {
  leakyRelu(batch.getChild("tensor").data[0].children[0].values, 0.01);
  writer.write(batch);
  while (file.writableNeedDrain) await once(file, "drain");
}
writer.close();
await written;

function leakyRelu(values, alpha) {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    values[i] = value > 0 ? value : alpha * value;
  }
}
