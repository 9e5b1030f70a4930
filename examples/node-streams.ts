/**
 * @file A stage in a Node pipeline: compressed Arrow bytes in, compressed Arrow bytes out. A slow stage stops those before.
 *
 *     npx tsx examples/node-streams.ts
 */
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { createTransform } from "sluice";
import { sampleDirectory } from "./sample.ts";

const directory = sampleDirectory();
const path = (name: string): string => join(directory, name);

await pipeline(createReadStream(path("in.arrows")), createGzip(), createWriteStream(path("in.arrows.gz")));

await pipeline(
  createReadStream(path("in.arrows.gz")),
  createGunzip(),
  createTransform({ ops: "leaky_relu", columns: ["embedding"] }),
  createGzip(),
  createWriteStream(path("out.arrows.gz")),
);
console.log(`wrote ${(await stat(path("out.arrows.gz"))).size} bytes`);
