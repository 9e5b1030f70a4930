/** @file What a device may take of the arena, and what it has taken. */
import { MemoryError } from "../errors.ts";
import type { Arena } from "./arena.ts";

/** A piece of the arena. */
export interface Piece {
  readonly address: number;
  readonly length: number;
}

/** Pieces of the arena that are given back together. */
export class Share {
  readonly pieces: Piece[] = [];
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  get bytes(): number {
    return this.pieces.reduce((total, { length }) => total + length, 0);
  }

  /** The address of a new piece. */
  allocate(length: number): number {
    const address = this.#arena.allocate(length);
    this.pieces.push({ address, length });
    return address;
  }

  /** The address of a new piece that holds `bytes`. */
  put(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    this.#arena.bytes.set(bytes, address);
    return address;
  }

  free(): void {
    for (const { address, length } of this.pieces.splice(0)) this.#arena.free(address, length);
  }
}

/** The memory of a device: what its program needs is taken first, and the slots have what is left. */
export class Budget {
  readonly #memory: number;
  readonly #needs: readonly Share[];

  /** @param needs all that is not slots */
  constructor(memory: number, needs: readonly Share[]) {
    this.#memory = memory;
    this.#needs = needs;
  }

  /** Bytes that nothing but slots may take. */
  get left(): number {
    return this.#needs.reduce((left, { bytes }) => left - bytes, this.#memory);
  }

  /** Throws MemoryError where fewer than `needed` bytes are left: it says how many would do. */
  check(needed: number, problem: string, column?: string): void {
    const missing = needed - this.left;
    if (missing <= 0) return;
    throw new MemoryError(`${problem} in memory`, {
      position: column === undefined ? {} : { column },
      remedy: `Give ${missing} bytes more with --memory: ${Math.ceil((this.#memory + missing) / 1024)}KiB.`,
    });
  }
}
