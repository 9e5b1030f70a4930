/**
 * @file The service of `js/serve.mjs`, by the kernels of the build under test: from one array of the arena into another.
 *
 *   node activations.mjs BUILD
 */
import { pathToFileURL } from "node:url";
import { makeInput, serve } from "./js/serve.mjs";

const [build] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${build}/${path}`).href);
const [
  { Arena },
  { compileKernel },
  { compileRowKernel, scratchOf },
  { fuse },
  { isRowWise },
  { resolveOps },
] = await Promise.all([
  load("workers/arena.js"),
  load("workers/compile.js"),
  load("workers/rows/compile.js"),
  load("ops/fuse.js"),
  load("ops/row-plan.js"),
  load("pipeline/chain.js"),
]);

/** Elements of a row, for softmax. */
const ROW = 1024;
const arena = new Arena();

await serve(async (op, elements) => {
  const [from, to] = [arena.allocate(4 * elements), arena.allocate(4 * elements)];
  new Float32Array(arena.memory.buffer, from, elements).set(makeInput(elements));
  // A second input that is only written keeps the first as it is.
  const program = { ...fuse(resolveOps(op)), inputs: 2, target: 1 };
  const rows = isRowWise(program);
  const code = (rows ? compileRowKernel : compileKernel)(program, "float32");
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    env: { memory: arena.memory },
  }).exports;
  if (!rows) return () => run(elements, from, to);
  const scratch = arena.allocate(scratchOf(program, "float32", ROW).full);
  return () => run(elements / ROW, ROW, scratch, from, to);
});
