/**
 * @file The matrix product of float32, C[m, n] = A[m, k] * B[k, n], on matrices in shared memory, in whichever thread asks.
 *
 * ```ts
 * const code = compileMatmul(multiplyAdd());            // once, in the main thread; plain data
 * const matmul = new Matmul(memory, code);              // in each thread
 * // Y[rows, out] = X[rows, in] * W^T + bias, with W[out, in]
 * const packed = { address, depth: inputs };            // packedBytesB(inputs, outputs) bytes
 * matmul.packB({ address: w, stride: inputs, transposed: true }, inputs, outputs, packed);
 * const y = { address: …, stride: outputs };
 * matmul.multiply(rows, outputs, inputs, { address: x, stride: inputs }, packed, y, { bias, along: "columns" });
 * ```
 *
 * Each element of C has one order of additions, whoever computes it and whatever is computed beside it: k is cut into
 * blocks of equal depth (`depthOf`), each is summed from 0 upwards, and the sums are added one after the other to what the
 * product begins with. So a product has the same bits in any parts of its rows and columns.
 */

import type { MultiplyAdd } from "../multiply-add.ts";
import type { MatmulCode, MatmulFunctions } from "./compile.ts";
import { FLOAT_BYTES, type Matrix, PANEL_COLUMNS, PANEL_ROWS, type Packed } from "./layout.ts";

/** Most of k that is summed from 0: deep enough that what a tile costs beside its sums is little. */
const MOST_DEPTH = 512;

/** What the product is added to: 0, C as it is, or a bias, one number for each column of C or for each row. */
export type Start = "zero" | "add" | { readonly bias: number; readonly along: "columns" | "rows" };

export class Matmul {
  /** Which multiply-add it computes with: products of the two differ in their last bits. */
  readonly path: MultiplyAdd;
  readonly #functions: MatmulFunctions;

  constructor(memory: WebAssembly.Memory, { path, code }: MatmulCode) {
    this.path = path;
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.#functions = instance.exports as unknown as MatmulFunctions;
  }

  /**
   * Packs B[k, n], or a part of it: then `to` is that part (`partOfB`), and n is a multiple of `PANEL_COLUMNS` or reaches to
   * the last column. The missing columns of the last panel become 0.
   */
  packB(b: Matrix, k: number, n: number, to: Packed): void {
    const { packBAcross, packBAlong } = this.#functions;
    const pack = b.transposed ? packBAlong : packBAcross;
    pack(b.address, b.stride * FLOAT_BYTES, n, k, to.address, to.depth * PANEL_COLUMNS * FLOAT_BYTES);
  }

  /**
   * Packs A[m, k], or a part of it (`partOfA`), in the same way. It pays for a transposed A with long rows, which would be
   * read a few numbers here and a few there.
   */
  packA(a: Matrix, m: number, k: number, to: Packed): void {
    const { packAAcross, packAAlong } = this.#functions;
    const pack = a.transposed ? packAAcross : packAAlong;
    pack(a.address, a.stride * FLOAT_BYTES, m, k, to.address, to.depth * PANEL_ROWS * FLOAT_BYTES);
  }

  /**
   * C[m, n] = start + A[m, k] * B[k, n]. Only those elements of C are written, so threads may compute parts of one C at the
   * same time; only what is named is read. C must not overlap A, B or the bias. Lengths may be 0.
   *
   * @throws WebAssembly.RuntimeError where an operand reaches over the end of the memory
   */
  multiply(
    m: number,
    n: number,
    k: number,
    a: Matrix | Packed,
    b: Packed,
    c: Pick<Matrix, "address" | "stride">,
    start: Start = "zero",
  ): void {
    const { multiplyRows, multiplyColumns, fill } = this.#functions;
    const cStride = c.stride * FLOAT_BYTES;
    const bPanel = b.depth * PANEL_COLUMNS * FLOAT_BYTES;
    const byColumn = typeof start === "object" && start.along === "columns";
    if (typeof start === "object" && !byColumn) fill(m, n, c.address, cStride, start.bias);
    const [from, fromStride] = byColumn ? [start.bias, 0] : [c.address, cStride];
    const added = start === "zero" ? 0 : 1;
    const rest = [b.address, bPanel, c.address, cStride, from, fromStride, added] as const;
    const depth = depthOf(k);
    if ("depth" in a) {
      const [stride, panel] = [PANEL_ROWS * FLOAT_BYTES, a.depth * PANEL_ROWS * FLOAT_BYTES];
      multiplyColumns(m, n, k, depth, a.address, stride, panel, ...rest);
    } else if (a.transposed) {
      // Rows lie side by side, as in panels that follow each other at once.
      multiplyColumns(m, n, k, depth, a.address, a.stride * FLOAT_BYTES, PANEL_ROWS * FLOAT_BYTES, ...rest);
    } else {
      multiplyRows(m, n, k, depth, a.address, a.stride * FLOAT_BYTES, 0, ...rest);
    }
  }
}

/** Blocks of k have this depth, but the last, which may have less. It follows from k alone. */
function depthOf(k: number): number {
  return k === 0 ? 0 : Math.ceil(k / Math.ceil(k / MOST_DEPTH));
}
