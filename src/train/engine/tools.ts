/** @file What a thread computes with: the shared memory as numbers, the matrix product, loops and kernels by name. */
import { compileMatmul, type MatmulCode } from "../../workers/matmul/compile.ts";
import { Matmul } from "../../workers/matmul/matmul.ts";
import { multiplyAdd } from "../../workers/multiply-add.ts";
import { compileLoops, type Loops } from "./loops.ts";

/** The code that a thread needs, as it crosses to a worker. */
export interface Codes {
  readonly matmul: MatmulCode;
  /** Modules by the names that the layers give them; each imports the memory as `env.memory`. */
  readonly modules: Map<string, Uint8Array<ArrayBuffer>>;
}

let matmul: MatmulCode | undefined;

/** Code to begin with, in the main thread: modules are compiled as they are asked for. */
export function newCodes(): Codes {
  matmul ??= compileMatmul(multiplyAdd());
  return { matmul, modules: new Map() };
}

export class Tools {
  /** The whole memory; number i of it is at byte address 4 i. */
  readonly singles: Float32Array;
  /** Number i is at byte address 8 i. */
  readonly doubles: Float64Array;
  readonly memory: WebAssembly.Memory;
  readonly matmul: Matmul;
  readonly loops: Loops;
  readonly #modules: Codes["modules"];
  readonly #instances = new Map<string, unknown>();

  constructor(memory: WebAssembly.Memory, codes: Codes) {
    this.memory = memory;
    this.singles = new Float32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
    this.matmul = new Matmul(memory, codes.matmul);
    this.#modules = codes.modules;
    this.loops = this.instance<Loops>("loops", compileLoops);
  }

  /** The exports of the module of that name; it is compiled where the thread was not given it. */
  instance<Exports>(name: string, compile: () => Uint8Array<ArrayBuffer>): Exports {
    let exports = this.#instances.get(name);
    if (!exports) {
      const code = this.#modules.get(name) ?? compile();
      this.#modules.set(name, code);
      const imports = { env: { memory: this.memory } };
      exports = new WebAssembly.Instance(new WebAssembly.Module(code), imports).exports;
      this.#instances.set(name, exports);
    }
    return exports as Exports;
  }

  floats(address: number, count: number): Float32Array {
    return this.singles.subarray(address / 4, address / 4 + count);
  }
}
