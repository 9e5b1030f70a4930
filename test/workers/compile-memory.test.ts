import { describe, expect, it } from "vitest";
import type { Dtype } from "../../src/ops/dtype.ts";
import type { ElementArrays } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { compileKernel } from "../../src/workers/compile.ts";
import { expectSameBits } from "../support/bits.ts";
import { ARRAYS, bytesOf, instantiate, runOracle, table } from "../support/kernel.ts";

const PAGE = 65_536;
const whole = new WebAssembly.Memory({ initial: PAGE, maximum: PAGE, shared: true });
const at = (address: number, length: number): Uint8Array => new Uint8Array(whole.buffer, address, length);
const put = (address: number, bytes: Uint8Array): void => at(address, bytes.length).set(bytes);

/** Numbers of either sign, none of them twice in a row, exact in every dtype. */
function someElements<D extends Dtype>(dtype: D, length: number): ElementArrays[D] {
  const result = new ARRAYS[dtype](length);
  for (let i = 0; i < length; i++) {
    const number = ((i * 37) % 101) - 50;
    result[i] = dtype === "float16" ? 0x3c00 + ((i * 97) % 1024) + (i % 2) * 0x8000 : number / 4;
  }
  return result as ElementArrays[D];
}

const leaky = toProgram(e.where(e.gt(e.x, 0), e.x, e.mul(-0.3, e.x)));
const longer = fuse(parseChain("leaky_relu(-0.3) | add(0.7) | abs | sqrt | sub(0.5) | relu | mul(3)"));
const prelus = fuse(parseChain("prelu([0.5, 0.25, 3]) | prelu([-2, 0.125, 1])"));
const channels = { count: 3, stride: 2, first: 5 };

describe.each<Dtype>(["float16", "float32", "float64"])("a kernel for %s", (dtype) => {
  const width = ARRAYS[dtype].BYTES_PER_ELEMENT;

  it.each<[string, Program]>([
    ["leaky_relu", leaky],
    ["a longer chain", longer],
    ["two prelus", prelus],
  ])("computes %s for any count at any address, and touches no byte beside it", (_, program) => {
    const run = instantiate(compileKernel(program, dtype), whole);
    const guard = 64;
    for (let count = 0; count <= 70; count++) {
      const elements = someElements(dtype, count);
      const expected = runOracle(program, dtype, elements, channels);
      const tables = program.channels.map(({ values }) => bytesOf(table(dtype, values, count, channels)));
      for (let misalignment = 0; misalignment < 16; misalignment++) {
        const start = PAGE + misalignment;
        const used = at(start - guard, count * width + 2 * guard).fill(0xa5);
        used.set(bytesOf(elements), guard);
        const addresses = tables.map((_, i) => 2 * PAGE + 4096 * i + ((misalignment * (2 * i + 3)) % 16));
        for (const [i, bytes] of tables.entries()) put(addresses[i]!, bytes);
        run(count, start, ...addresses);
        const whatShouldBe = new Uint8Array(used.length).fill(0xa5);
        whatShouldBe.set(bytesOf(expected), guard);
        if (Buffer.compare(used, whatShouldBe) !== 0) {
          expect({ count, misalignment, bytes: [...used] }).toEqual({
            count,
            misalignment,
            bytes: [...whatShouldBe],
          });
        }
        for (const [i, bytes] of tables.entries()) expectSameBits(at(addresses[i]!, bytes.length), bytes);
      }
    }
  });

  it.each([
    ["across 2 GiB", (bytes: number) => 2 ** 31 - (bytes >> 1) - 3],
    ["from the last byte below 2 GiB", () => 2 ** 31 - 1],
    ["at the end of 4 GiB of memory", (bytes: number) => 2 ** 32 - bytes],
    ["at the beginning of the memory", () => 0],
  ])("computes an array %s, with its channels right before it", (_, startOf) => {
    for (const count of [1, 3, 64, 1000, 1027]) {
      const elements = someElements(dtype, count);
      const x = startOf(count * width);
      const program = x === 0 ? leaky : prelus;
      const tables = program.channels.map(({ values }) => bytesOf(table(dtype, values, count, channels)));
      const addresses = tables.map(({ length }, i) => x - (i + 1) * length - i);
      put(x, bytesOf(elements));
      for (const [i, bytes] of tables.entries()) put(addresses[i]!, bytes);
      instantiate(compileKernel(program, dtype), whole)(count, x, ...addresses);
      expectSameBits(at(x, count * width), bytesOf(runOracle(program, dtype, elements, channels)));
    }
  });

  it("reads channels from the end of 4 GiB of memory", () => {
    const count = 1003;
    const elements = someElements(dtype, count);
    const x = 2 ** 31 - 8;
    const tables = prelus.channels.map(({ values }) => bytesOf(table(dtype, values, count, channels)));
    const addresses = [2 ** 32 - tables[0]!.length, 2 ** 32 - 3 * tables[0]!.length];
    put(x, bytesOf(elements));
    for (const [i, bytes] of tables.entries()) put(addresses[i]!, bytes);
    instantiate(compileKernel(prelus, dtype), whole)(count, x, ...addresses);
    expectSameBits(at(x, count * width), bytesOf(runOracle(prelus, dtype, elements, channels)));
  });

  it("computes a memory that is one array from its first byte to its last", () => {
    const page = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const elements = someElements(dtype, PAGE / width);
    const bytes = new Uint8Array(page.buffer);
    bytes.set(bytesOf(elements));
    instantiate(compileKernel(leaky, dtype), page)(elements.length, 0);
    expectSameBits(bytes, bytesOf(runOracle(leaky, dtype, elements)));
  });

  it("traps at the end of the memory instead of going on at its beginning", () => {
    const run = instantiate(compileKernel(leaky, dtype), whole);
    const first = at(0, 64).fill(0xbf);
    expect(() => run(100, 2 ** 32 - 50 * width)).toThrow(/out of bounds/);
    expectSameBits(first, new Uint8Array(64).fill(0xbf));
  });

  it("does nothing for no elements, wherever they are not", () => {
    const run = instantiate(compileKernel(leaky, dtype), whole);
    expect(() => run(0, 2 ** 32 - 1)).not.toThrow();
    expect(() => run(0, 0)).not.toThrow();
  });
});
