/**
 * @file The same with web streams: the body of a response, computed on its way.
 *
 *     npx tsx examples/web-streams.ts
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { createWebTransform } from "sluice";
import { sampleDirectory } from "./sample.ts";

/** Stands for a `fetch`. */
const response = new Response(await readFile(join(sampleDirectory(), "in.arrows")));

const body = response.body!.pipeThrough(createWebTransform({ ops: "leaky_relu(0.2)" }));
const table = tableFromIPC(new Uint8Array(await new Response(body).arrayBuffer()));
console.log(`${table.numRows} rows; the first embedding is ${table.getChild("embedding")?.get(0)}`);
