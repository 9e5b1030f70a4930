/**
 * @file Record batches of apache-arrow in and out, for a job that has them in memory already.
 *
 *     npx tsx examples/record-batches.ts
 */
import { Table } from "apache-arrow";
import { transformBatches } from "sluice";
import { sampleTable } from "./sample.ts";

const table = sampleTable();
const batches = [];
for await (const batch of transformBatches(table.batches, { ops: "leaky_relu(0.5)", columns: ["price"] })) {
  batches.push(batch);
}
const result = new Table(batches);
// The input is not changed, and all other columns are shared with it.
console.log("before", ...table.getChild("price")!.slice(0, 7));
console.log("after ", ...result.getChild("price")!.slice(0, 7));
