/**
 * @file Matrix products of the build under test, one thread, in a shared memory as the arena is.
 *
 *   node matmul.mjs BUILD, then one line "PATH KIND M N K REPEATS" on standard input for each measurement: GFLOP/s out
 *
 * PATH is plain or relaxed. KIND is
 * - tile: the microkernel alone on one tile, which stays in the first-level cache with all that it reads; M and N are ignored
 * - forward: C[m, n] = A[m, k] * B[k, n] + bias, with B packed before, as a layer's weights are
 * - weights: C[m, n] = A^T[m, k] * B[k, n], with A and B packed each time, as the gradient of a layer's weights is
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [build] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${build}/workers/${path}`).href);
const [{ Arena }, { ModuleAssembler }, { compileMatmul }, { Matmul }, { multiplyAdd }, kernels, layout] =
  await Promise.all([
    load("arena.js"),
    load("assembler.js"),
    load("matmul/compile.js"),
    load("matmul/matmul.js"),
    load("multiply-add.js"),
    load("matmul/microkernel.js"),
    load("matmul/layout.js"),
  ]);
multiplyAdd();

const MOST_BYTES = 16 * 1024 * 1024;
const TILE_DEPTH = 256;
const arena = new Arena();
const { memory } = arena;
const place = () => {
  const address = arena.allocate(MOST_BYTES);
  const numbers = new Float32Array(memory.buffer, address, MOST_BYTES / 4);
  for (let i = 0; i < numbers.length; i++) numbers[i] = (Math.imul(i, 2654435761) >>> 16) / 32768 - 1;
  return address;
};
const [a, b, c, bias, packedA, packedB] = Array.from({ length: 6 }, place);

/** A function that runs one microkernel again and again. */
function tileLoop(path) {
  const module = new ModuleAssembler();
  module.importSharedMemory("env", "memory", 1, 65_536);
  const { rows } = kernels.SHAPES[path];
  const kernel = kernels.writeMicrokernel(module, { rows, vectors: 2 }, "rows", path);
  const code = module.function(["i32"], [], "run");
  const values = { a, aStride: 4 * TILE_DEPTH, b: packedB, c, cStride: 4 * layout.PANEL_COLUMNS };
  const others = { from: c, fromStride: 0, added: 0, k: TILE_DEPTH, columns: layout.PANEL_COLUMNS };
  code.loop();
  for (const name of kernels.PARAMETERS) code.i32({ ...values, ...others }[name] | 0);
  code.call(kernel).get(0).i32(1).op("i32.sub").tee(0).brIf(0).end();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  return { run: exports.run, operations: 2 * rows * layout.PANEL_COLUMNS * TILE_DEPTH };
}

const paths = new Map();
function functionsOf(path) {
  if (!paths.has(path)) {
    paths.set(path, { matmul: new Matmul(memory, compileMatmul(path)), tile: tileLoop(path) });
  }
  return paths.get(path);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [path, kind, ...numbers] = line.split(" ");
  const [m, n, k, repeats] = numbers.map(Number);
  const { matmul, tile } = functionsOf(path);
  const result = { address: c, stride: n };
  const right = { address: packedB, depth: k };
  const left = { address: packedA, depth: k };
  const start = { bias, along: "columns" };
  let operations = 2 * m * n * k;
  if (kind === "forward") matmul.packB({ address: b, stride: k, transposed: true }, k, n, right);
  const begin = performance.now();
  if (kind === "tile") {
    operations = tile.operations;
    tile.run(repeats);
  }
  for (let i = 0; i < repeats && kind === "forward"; i++) {
    matmul.multiply(m, n, k, { address: a, stride: k }, right, result, start);
  }
  for (let i = 0; i < repeats && kind === "weights"; i++) {
    matmul.packA({ address: a, stride: m, transposed: true }, m, k, left);
    matmul.packB({ address: b, stride: n }, k, n, right);
    matmul.multiply(m, n, k, left, right, result);
  }
  console.log(((operations * repeats) / (performance.now() - begin) / 1e6).toFixed(3));
}
