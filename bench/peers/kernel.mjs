/**
 * @file The same service as `kernel.c`, by the kernel of the build under test, in a shared memory as the arena is.
 *
 *   node kernel.mjs BUILD MOST_BYTES, then one line "BYTES REPEATS" on standard input for each measurement
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [build, most] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${build}/${path}`).href);
const [{ Arena }, { compileKernel }, { fuse }, { resolveOps }] = await Promise.all([
  load("workers/arena.js"),
  load("workers/compile.js"),
  load("ops/fuse.js"),
  load("pipeline/chain.js"),
]);

const arena = new Arena();
const address = arena.allocate(Number(most));
const x = new Float32Array(arena.memory.buffer, address, Number(most) / 4);
for (let i = 0; i < x.length; i++) x[i] = (Math.imul(i, 2654435761) >>> 16) / 32768 - 1;

// A slope just above 1 keeps the values away from 0, where subnormal numbers would slow the loop down.
const code = compileKernel(fuse(resolveOps("leaky_relu(alpha=1.0001)")), "float32");
const { run } = new WebAssembly.Instance(new WebAssembly.Module(code), {
  env: { memory: arena.memory },
}).exports;

for await (const line of createInterface({ input: process.stdin })) {
  const [bytes, repeats] = line.split(" ").map(Number);
  const start = performance.now();
  for (let i = 0; i < repeats; i++) run(bytes / 4, address);
  console.log(((performance.now() - start) / repeats).toFixed(6));
}
