/**
 * @file A small WebAssembly assembler: typed calls in, the bytes of a binary module out.
 *
 * Section numbers in the comments are those of the WebAssembly Core Specification 2.0
 * (https://webassembly.github.io/spec/core/binary/). It encodes and does not validate: the engine does.
 *
 * ```ts
 * const module = new ModuleAssembler();
 * const code = module.function(["i32", "i32"], ["i32"], "add");
 * code.get(0).get(1).op("i32.add");
 * const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()));
 * ```
 */
import { ByteWriter } from "./byte-writer.ts";
import {
  EXTRACT_OPS,
  type ExtractOp,
  LANE_OPS,
  type LaneOp,
  MEMORY_OPS,
  type MemoryOp,
  SCALAR_MEMORY_OPS,
  SCALAR_OPS,
  type ScalarMemoryOp,
  type ScalarOp,
  SHIFT_OPS,
  SHUFFLE,
  type ShiftOp,
  VECTOR_OPS,
  type VectorOp,
} from "./opcodes.ts";

/** 5.3.1 and 5.3.2: number and vector types. */
const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPES;

/** 5.5: the magic number and version 1. */
const HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
/** 5.5.2: sections come in this order. */
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
/** 5.4.8: what stands before the number of a vector instruction. */
const VECTOR_PREFIX = 0xfd;
/** 5.4.1: a block that leaves nothing on the stack. */
const EMPTY_BLOCK = 0x40;
const END = 0x0b;
const SCALARS = new Map<string, number>(Object.entries(SCALAR_OPS));
const VECTORS = new Map<string, number>(Object.entries({ ...VECTOR_OPS, ...SHIFT_OPS }));
const MEMORY = new Map<string, number>(Object.entries({ ...MEMORY_OPS, ...LANE_OPS }));

/** The body of one function. Every instruction is one call, in the order of the text format. */
export class FunctionAssembler {
  readonly #code = new ByteWriter();
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  /** Its number in the module, for `call`. */
  readonly index: number;

  constructor(parameters: number, index = 0) {
    this.#parameters = parameters;
    this.index = index;
  }

  /** Adds a local, zero at the start, and gives its index. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** An instruction without immediates. */
  op(name: ScalarOp | VectorOp | ShiftOp): this {
    const scalar = SCALARS.get(name);
    if (scalar === undefined) this.#vector(VECTORS.get(name)!);
    else this.#code.byte(scalar);
    return this;
  }

  i32(value: number): this {
    this.#code.byte(0x41).s32(value);
    return this;
  }

  /** A v128 constant: 16 bytes, lane 0 first. */
  v128(bytes: Uint8Array): this {
    this.#vector(0x0c);
    this.#code.append(bytes);
    return this;
  }

  /** Makes a vector of 16 bytes out of the 32 of two vectors, each by its number. */
  shuffle(bytes: readonly number[]): this {
    this.#vector(SHUFFLE);
    for (const byte of bytes) this.#code.byte(byte);
    return this;
  }

  get(local: number): this {
    this.#code.byte(0x20).u32(local);
    return this;
  }

  set(local: number): this {
    this.#code.byte(0x21).u32(local);
    return this;
  }

  tee(local: number): this {
    this.#code.byte(0x22).u32(local);
    return this;
  }

  /**
   * A load or store at the i32 address on the stack plus `offset` bytes, a sum that does not wrap. No alignment is
   * promised. `lane` is for the instructions that access one.
   */
  memory(name: MemoryOp | LaneOp, offset = 0, lane = 0): this {
    this.#vector(MEMORY.get(name)!);
    this.#code.byte(0).u32(offset);
    if (name in LANE_OPS) this.#code.byte(lane);
    return this;
  }

  /** The same for a scalar. */
  scalarMemory(name: ScalarMemoryOp, offset = 0): this {
    this.#code.byte(SCALAR_MEMORY_OPS[name]).byte(0).u32(offset);
    return this;
  }

  /** Takes one lane of the vector on the stack. */
  extract(name: ExtractOp, lane: number): this {
    this.#vector(EXTRACT_OPS[name]);
    this.#code.byte(lane);
    return this;
  }

  /** Opens a block; a branch to it goes behind its `end`. */
  block(): this {
    this.#code.byte(0x02).byte(EMPTY_BLOCK);
    return this;
  }

  /** Opens a loop; a branch to it goes back to its beginning. */
  loop(): this {
    this.#code.byte(0x03).byte(EMPTY_BLOCK);
    return this;
  }

  end(): this {
    this.#code.byte(END);
    return this;
  }

  /** Branches to the block that is `depth` levels out. */
  br(depth: number): this {
    this.#code.byte(0x0c).u32(depth);
    return this;
  }

  brIf(depth: number): this {
    this.#code.byte(0x0d).u32(depth);
    return this;
  }

  /** Calls a function of the same module with the arguments on the stack. */
  call(callee: FunctionAssembler): this {
    this.#code.byte(0x10).u32(callee.index);
    return this;
  }

  return(): this {
    this.#code.byte(0x0f);
    return this;
  }

  /** 5.5.13: the locals as runs of one type, the instructions, and the end. */
  body(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const body = new ByteWriter().u32(runs.length);
    for (const { type, count } of runs) body.u32(count).byte(VALUE_TYPES[type]);
    return body.append(this.#code.bytes()).byte(END).bytes();
  }

  #vector(number: number): void {
    this.#code.byte(VECTOR_PREFIX).u32(number);
  }
}

interface Imported {
  readonly module: string;
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
}

interface Defined {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly exportedAs: string | undefined;
  readonly code: FunctionAssembler;
}

/** A module: imported shared memories, and functions. */
export class ModuleAssembler {
  readonly #memories: Imported[] = [];
  readonly #functions: Defined[] = [];

  /** Imports a shared memory of at least `minimum` and at most `maximum` pages of 64 KiB. */
  importSharedMemory(module: string, name: string, minimum: number, maximum: number): void {
    this.#memories.push({ module, name, minimum, maximum });
  }

  /** Adds a function, whose parameters are its first locals. */
  function(
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    exportedAs?: string,
  ): FunctionAssembler {
    const code = new FunctionAssembler(parameters.length, this.#functions.length);
    this.#functions.push({ parameters, results, exportedAs, code });
    return code;
  }

  /** 5.5.16: the magic number, the version, the sections. */
  bytes(): Uint8Array<ArrayBuffer> {
    const module = new ByteWriter().append(HEADER);
    const functions = [...this.#functions.entries()];

    section(module, SECTION.type, functions, (out, [, { parameters, results }]) => {
      out.byte(0x60);
      for (const types of [parameters, results]) {
        out.u32(types.length);
        for (const type of types) out.byte(VALUE_TYPES[type]);
      }
    });
    section(module, SECTION.import, this.#memories, (out, { module, name, minimum, maximum }) => {
      // Kind 2 is a memory. Limits 3 are "shared, with a maximum", from the threads proposal's binary format.
      out.name(module).name(name).byte(2).byte(3).u32(minimum).u32(maximum);
    });
    section(module, SECTION.function, functions, (out, [index]) => out.u32(index));
    const exported = functions.filter(([, { exportedAs }]) => exportedAs !== undefined);
    section(module, SECTION.export, exported, (out, [index, { exportedAs }]) => {
      out.name(exportedAs!).byte(0).u32(index);
    });
    section(module, SECTION.code, functions, (out, [, { code }]) => out.sized(code.body()));
    return module.bytes().slice();
  }
}

/** 5.5.2: a section is its number, its size and a vector of entries. An empty one is left out. */
function section<T>(
  module: ByteWriter,
  number: number,
  entries: readonly T[],
  write: (out: ByteWriter, entry: T) => void,
): void {
  if (entries.length === 0) return;
  const content = new ByteWriter().u32(entries.length);
  for (const entry of entries) write(content, entry);
  module.byte(number).sized(content.bytes());
}
