/**
 * @file The arena: one shared WebAssembly memory per process, handed out in pieces. Kernels in every worker compute on
 * it in place; file reads and writes go straight to and from it.
 */
import { MemoryError } from "../errors.ts";
import { MOST_PAGES } from "./arena-import.ts";

const PAGE = 65_536;
/** Pieces begin on cache lines. */
const ALIGNMENT = 64;

interface Piece {
  address: number;
  length: number;
}

/** Takes and frees address ranges of a memory of fixed size: first fit, neighbours merged when freed. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  /** The whole memory as bytes. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly #free: Piece[];

  constructor(pages = MOST_PAGES) {
    this.memory = reserve(pages);
    this.bytes = new Uint8Array(this.memory.buffer as SharedArrayBuffer);
    // The first line stays unused, so that no piece has address 0.
    this.#free = [{ address: ALIGNMENT, length: this.bytes.length - ALIGNMENT }];
  }

  /** The address of `length` free bytes. Their contents are undefined. */
  allocate(length: number): number {
    const size = roundUp(Math.max(length, 1));
    const index = this.#free.findIndex((piece) => piece.length >= size);
    const piece = this.#free[index];
    if (!piece) {
      throw new MemoryError(`The arena has no ${size} bytes left of its ${this.bytes.length}`, {
        remedy: "Run fewer transforms at once, or give each less with --memory.",
      });
    }
    const { address } = piece;
    piece.address += size;
    piece.length -= size;
    if (piece.length === 0) this.#free.splice(index, 1);
    return address;
  }

  /** Gives back what `allocate(length)` returned. */
  free(address: number, length: number): void {
    const size = roundUp(Math.max(length, 1));
    let index = this.#free.findIndex((piece) => piece.address > address);
    if (index < 0) index = this.#free.length;
    this.#free.splice(index, 0, { address, length: size });
    this.#merge(index);
    this.#merge(index - 1);
  }

  /** Joins piece `index` and the next one, where they touch. */
  #merge(index: number): void {
    const piece = this.#free[index];
    const next = this.#free[index + 1];
    if (!piece || !next || piece.address + piece.length !== next.address) return;
    piece.length += next.length;
    this.#free.splice(index + 1, 1);
  }
}

function roundUp(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/**
 * A shared memory at its full size from the start: pages are backed by real memory only when touched, and a memory that
 * never grows has one buffer, which every thread may keep. Where address space is short, a smaller one.
 */
function reserve(pages: number): WebAssembly.Memory {
  for (let size = pages; ; size = Math.floor(size / 2)) {
    try {
      return new WebAssembly.Memory({ initial: size, maximum: size, shared: true });
    } catch (cause) {
      if (size > 1024) continue;
      throw new MemoryError(`No shared WebAssembly memory of ${size * PAGE} bytes could be reserved`, {
        cause,
        remedy: "Raise the limit on address space (ulimit -v).",
      });
    }
  }
}
