/** @file A program on the GPU: kernels as text, and what goes from one to the next. The generators make it, the device runs it. */

/** A kernel as text, for gpu.js (`gpu-js.ts`). */
export interface KernelSource {
  /**
   * A function expression in the subset of JavaScript that gpu.js translates: `function (x, dy) { return …; }`. It gives
   * element `this.thread.x` of the output.
   */
  readonly source: string;
  /** Declarations of functions that it calls, `function name(a, b) { … }`, each after those that it calls itself. */
  readonly functions?: readonly string[];
  /** What it reads as `this.constants.name`. Arrays become buffers on the device. */
  readonly constants: Readonly<Record<string, KernelConstant>>;
  /** Of the function's arguments, in their order. */
  readonly arguments: readonly ArgumentKind[];
  /** The output is a plane, and element `this.thread.x + this.thread.y * width` of it is given. */
  readonly plane?: boolean;
}

/** A whole number that is an index or a count is an integer (i32); anything else is a float (f32). */
export type KernelConstant = Float32Array | { readonly float: number } | { readonly integer: number };

/**
 * `array` is read as `x[i]`, is of float32, and has at least as many elements as the output; a `table` may have fewer.
 * `integer` is i32, `float` is f32.
 */
export type ArgumentKind = "array" | "table" | "integer" | "float";

/** Elements of one tensor, flat, on which the kernels of a program run. Indices and their sums stay below 2^31. */
export interface Flat {
  readonly length: number;
  /**
   * Of programs with per-channel parameters or sums: element i is in channel `(channel + floor((within + i) / stride)) %
   * count`, where `0 <= channel < count` and `0 <= within < stride`. Otherwise 0.
   */
  readonly channel: number;
  readonly within: number;
  /** Of row-wise programs: the elements begin with a row, and `length` is a multiple of this. Otherwise 0. */
  readonly rowLength: number;
}

/**
 * One kernel of a program. Its arguments are the program's inputs (x, dy), then the results of the steps that it `reads`,
 * then the numbers that it `takes`. Count and stride of the channels are constants, for a tensor's never change.
 */
export interface KernelStep {
  readonly kernel: KernelSource;
  /** Indices of earlier steps. */
  readonly reads: readonly number[];
  readonly takes: readonly (keyof Flat)[];
  /** Elements of its result; at least 1. */
  resultLength(flat: Flat): number;
  readonly result:
    | { readonly kind: "output" }
    /** Only later steps read it. */
    | { readonly kind: "inner" }
    /** Adds what it gave to the sum `program.sums[index]`, of one number or one a channel. */
    | {
        readonly kind: "sum";
        readonly index: number;
        add(partial: Float32Array, flat: Flat, totals: Float64Array): void;
      };
}
