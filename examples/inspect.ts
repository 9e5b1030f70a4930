/**
 * @file What is in a file of any size, in constant memory: the choice of columns for a transform, say.
 *
 *     npx tsx examples/inspect.ts [input]
 */
import { join } from "node:path";
import { inspect } from "sluice";
import { sampleDirectory } from "./sample.ts";

const [input = join(sampleDirectory(), "in.arrow")] = process.argv.slice(2);
const { format, rows, fields, tensors } = await inspect(input, { statistics: "all" });
console.log(`${format}, ${rows} rows`);
for (const { name, type, role } of fields) console.log(`  ${name}: ${type} (${role})`);
for (const { name, elements, statistics } of tensors) {
  console.log(`${name}: ${elements} elements from ${statistics?.min} to ${statistics?.max}`);
}
