import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FunctionAssembler, ModuleAssembler, type ValueType } from "../../src/workers/assembler.ts";
import { ByteWriter } from "../../src/workers/byte-writer.ts";
import {
  EXTRACT_OPS,
  LANE_OPS,
  type LaneOp,
  MEMORY_OPS,
  type MemoryOp,
  SCALAR_MEMORY_OPS,
  SCALAR_OPS,
  type ScalarOp,
  SHIFT_OPS,
  type ShiftOp,
  VECTOR_OPS,
  type VectorOp,
} from "../../src/workers/opcodes.ts";

const names = <Table extends object>(table: Table) => Object.keys(table) as (keyof Table)[];

/** A module with one exported function `f`. */
function assemble(
  parameters: readonly ValueType[],
  results: readonly ValueType[],
  write: (code: FunctionAssembler) => void,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleAssembler();
  module.importSharedMemory("env", "memory", 1, 2);
  write(module.function(parameters, results, "f"));
  return module.bytes();
}

const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
function run(bytes: Uint8Array<ArrayBuffer>): (...values: number[]) => number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return exports.f as (...values: number[]) => number;
}

describe("LEB128", () => {
  it("writes the examples of the DWARF standard (4, figures 22 and 23)", () => {
    const unsigned = [2, 127, 128, 129, 12857].map((n) => [...new ByteWriter().u32(n).bytes()]);
    expect(unsigned).toEqual([[2], [0x7f], [0x80, 1], [0x81, 1], [0xb9, 0x64]]);
    const signed = [2, -2, 127, -127, 128, -128, 129, -129].map((n) => [...new ByteWriter().s32(n).bytes()]);
    expect(signed).toEqual([
      [2],
      [0x7e],
      [0xff, 0],
      [0x81, 0x7f],
      [0x80, 1],
      [0x80, 0x7f],
      [0x81, 1],
      [0xff, 0x7e],
    ]);
  });

  const integers = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)));

  it("gives back every unsigned integer, in at most five bytes", () => {
    fc.assert(
      fc.property(integers, (n) => {
        const bytes = new ByteWriter().u32(n).bytes();
        const value = bytes.reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);
        expect(value).toBe(n >>> 0);
        expect(bytes.length).toBeLessThanOrEqual(5);
        expect(bytes.findIndex((byte) => byte < 0x80)).toBe(bytes.length - 1);
      }),
    );
  });

  it("gives the engine every i32 constant unchanged", () => {
    fc.assert(
      fc.property(integers, (n) => {
        expect(run(assemble([], ["i32"], (code) => code.i32(n)))()).toBe(n);
      }),
    );
  });
});

describe("the assembler", () => {
  it("makes the module that the specification describes, byte for byte", () => {
    const module = new ModuleAssembler();
    module.function(["i32", "i32"], ["i32"], "add").get(0).get(1).op("i32.add");
    expect([...module.bytes()]).toEqual([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
      ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f], // types: (i32, i32) -> i32
      ...[3, 2, 1, 0], // functions: one of type 0
      ...[7, 7, 1, 3, 0x61, 0x64, 0x64, 0, 0], // exports: "add", function 0
      ...[10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b], // code: no locals, local.get 0, local.get 1, i32.add, end
    ]);
  });

  it("imports a shared memory with its limits, under names in UTF-8", () => {
    const module = new ModuleAssembler();
    module.importSharedMemory("é", "m", 1, 65_536);
    expect([...module.bytes().subarray(8)]).toEqual([
      ...[2, 12, 1], // imports: one
      ...[2, 0xc3, 0xa9, 1, 0x6d], // "é", "m"
      ...[2, 3, 1, 0x80, 0x80, 4], // memory, shared with a maximum, 1, 65536
    ]);
  });

  it("counts down in a loop, with branches out of it and back", () => {
    const bytes = assemble(["i32", "i32"], ["i32"], (code) => {
      const sum = code.local("i32");
      code.block().loop();
      code.get(0).i32(1).op("i32.lt_u").brIf(1);
      code.get(sum).get(1).op("i32.add").set(sum);
      code.get(0).i32(1).op("i32.sub").set(0);
      code.br(0).end().end();
      code.get(sum);
    });
    expect(run(bytes)(7, 6)).toBe(42);
    expect(run(bytes)(0, 6)).toBe(0);
  });

  it("numbers locals behind the parameters, whatever the order of their types", () => {
    const bytes = assemble(["i32"], ["i32"], (code) => {
      const locals = (["v128", "i32", "i32", "f64", "v128", "i32"] as const).map((type) => code.local(type));
      expect(locals).toEqual([1, 2, 3, 4, 5, 6]);
      code.get(0).tee(6).set(3);
      code.get(3).get(6).op("i32.add");
    });
    expect(run(bytes)(21)).toBe(42);
  });

  it("writes functions of any size", () => {
    const bytes = assemble(["i32"], ["i32"], (code) => {
      code.get(0);
      for (let i = 0; i < 30_000; i++) code.i32(i).op("i32.add");
    });
    expect(bytes.length).toBeGreaterThan(100_000);
    expect(run(bytes)(1)).toBe(1 + (30_000 * 29_999) / 2);
  });

  it("calls functions of its module, and returns from the middle of one", () => {
    const module = new ModuleAssembler();
    module.importSharedMemory("env", "memory", 1, 2);
    module.function([], []);
    const twice = module.function(["i32"], ["i32"]);
    twice.get(0).get(0).op("i32.add").return().i32(0);
    module.function(["i32"], ["i32"], "f").get(0).call(twice).call(twice);
    expect(run(module.bytes())(5)).toBe(20);
  });

  it("loads and stores vectors and lanes at large offsets", () => {
    const bytes = assemble(["i32"], [], (code) => {
      code.get(0).get(0).memory("v128.load32_splat", 1).memory("v128.store", 40_000);
      code.get(0).get(0).memory("v128.load", 40_000).memory("v128.store32_lane", 40_100, 2);
    });
    const words = new DataView(memory.buffer);
    words.setUint32(8, 0x12345678, true);
    run(bytes)(7);
    const at = [40_007, 40_011, 40_015, 40_019, 40_107, 40_111].map((address) =>
      words.getUint32(address, true),
    );
    expect(at).toEqual([0x12345678, 0x12345678, 0x12345678, 0x12345678, 0x12345678, 0]);
  });
});

describe("the engine accepts, with the operands of its type,", () => {
  const zero = new Uint8Array(16);
  const vectors = (count: number, code: FunctionAssembler) => {
    for (let i = 0; i < count; i++) code.v128(zero);
  };
  const one = /\.(neg|abs|sqrt|ceil|floor|nearest|demote_f64x2_zero|promote_low_f32x4)$/;
  const three = /\.(bitselect|relaxed_n?madd)$/;

  // Needs a flag before Node 22; simd.test.ts covers it.
  const plain = names(VECTOR_OPS).filter((name) => !/relaxed_n?madd|splat/.test(name));
  it.each<VectorOp>(plain)("%s", (name) => {
    const bytes = assemble([], ["v128"], (code) => {
      vectors(one.test(name) ? 1 : three.test(name) ? 3 : 2, code);
      code.op(name);
    });
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it.each<ShiftOp>(names(SHIFT_OPS))("%s", (name) => {
    expect(WebAssembly.validate(assemble([], ["v128"], (code) => code.v128(zero).i32(3).op(name)))).toBe(
      true,
    );
  });

  it.each<MemoryOp | LaneOp>([...names(MEMORY_OPS), ...names(LANE_OPS)])("%s", (name) => {
    const stores = name.includes("store");
    const bytes = assemble(["i32"], stores ? [] : ["v128"], (code) => {
      code.get(0);
      // A lane is loaded into a vector that is there.
      if (stores || name.endsWith("_lane")) code.v128(zero);
      code.memory(name, 300);
    });
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it("f64x2.splat", () => {
    const bytes = assemble(["f64"], ["v128"], (code) => code.get(0).op("f64x2.splat"));
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it.each(names(EXTRACT_OPS))("%s", (name) => {
    const bytes = assemble([], ["f64"], (code) => code.v128(zero).extract(name, 1));
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it.each(names(SCALAR_MEMORY_OPS))("%s", (name) => {
    const stores = name.includes("store");
    const type = name.split(".")[0] as "i32" | "f64";
    const bytes = assemble(["i32", type], stores ? [] : [type], (code) => {
      code.get(0);
      if (stores) code.get(1);
      code.scalarMemory(name, 300);
    });
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  const signatures: Readonly<Record<ScalarOp, readonly [ValueType[], ValueType[]]>> = {
    drop: [["i32"], []],
    "i32.eqz": [["i32"], ["i32"]],
    "i32.eq": [["i32", "i32"], ["i32"]],
    "i32.lt_u": [["i32", "i32"], ["i32"]],
    "i32.gt_u": [["i32", "i32"], ["i32"]],
    "i32.add": [["i32", "i32"], ["i32"]],
    "i32.sub": [["i32", "i32"], ["i32"]],
    "i32.mul": [["i32", "i32"], ["i32"]],
    "i32.div_u": [["i32", "i32"], ["i32"]],
    "i32.rem_u": [["i32", "i32"], ["i32"]],
    "f64.convert_i32_u": [["i32"], ["f64"]],
    "f64.add": [["f64", "f64"], ["f64"]],
  };
  it.each(names(SCALAR_OPS))("%s", (name) => {
    const [operands, results] = signatures[name];
    const bytes = assemble(operands, results, (code) => {
      for (const local of operands.keys()) code.get(local);
      code.op(name);
    });
    expect(WebAssembly.validate(bytes)).toBe(true);
  });
});
