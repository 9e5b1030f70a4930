/**
 * @file The service of `js/serve.mjs`, by the kernels of the build under test: from one array of the arena into another.
 *
 *   node activations.mjs BUILD
 */
import { pathToFileURL } from "node:url";
import { makeInput, serve } from "./js/serve.mjs";

const [build] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${build}/${path}`).href);
const [{ Arena }, { compileKernel }, { fuse }, { resolveOps }] = await Promise.all([
  load("workers/arena.js"),
  load("workers/compile.js"),
  load("ops/fuse.js"),
  load("pipeline/chain.js"),
]);

const arena = new Arena();

await serve(async (op, elements) => {
  const [from, to] = [arena.allocate(4 * elements), arena.allocate(4 * elements)];
  new Float32Array(arena.memory.buffer, from, elements).set(makeInput(elements));
  // A second input that is only written keeps the first as it is.
  const code = compileKernel({ ...fuse(resolveOps(op)), inputs: 2, target: 1 }, "float32");
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    env: { memory: arena.memory },
  }).exports;
  return () => run(elements, from, to);
});
