/**
 * @file Plain data that many tasks need and that stay the same, posted once: they lie in the arena, and tasks say where. A
 * message that carried them would cost more than the work on a small window.
 */
import { deserialize, serialize } from "node:v8";
import type { Share } from "./budget.ts";

/** Where data lie in the arena, as `node:v8` serializes them. */
export interface Posted {
  /** Of these data alone, within a process. */
  readonly id: number;
  readonly address: number;
  readonly length: number;
}

let posts = 0;

/** @param share has the data until it is freed; no task may need them then */
export function post(data: unknown, share: Share): Posted {
  const bytes = serialize(data);
  return { id: posts++, address: share.put(bytes), length: bytes.length };
}

/** What a thread has made of posted data: of the last few, for each is read and made once. */
export class Inbox<Data, Made = Data> {
  readonly #memory: WebAssembly.Memory;
  readonly #most: number;
  readonly #make: (data: Data) => Made;
  readonly #made = new Map<number, Made>();

  constructor(memory: WebAssembly.Memory, most: number, make: (data: Data) => Made) {
    this.#memory = memory;
    this.#most = most;
    this.#make = make;
  }

  get({ id, address, length }: Posted): Made {
    const known = this.#made.get(id);
    if (known !== undefined) return known;
    // Copied, for what is made of it must not lie in shared memory.
    const made = this.#make(
      deserialize(new Uint8Array(this.#memory.buffer, address, length).slice()) as Data,
    );
    if (this.#made.size >= this.#most) this.#made.delete(this.#made.keys().next().value!);
    this.#made.set(id, made);
    return made;
  }
}
