/**
 * @file A list of Blocks (File.fbs): where the messages of a file are, kept in the bytes that a footer holds.
 *
 * A file of a million batches has a million blocks; as objects they would take ten times the memory.
 *
 * ```text
 *   Block, 24 bytes   | i64 offset | i32 metadata length | 4 bytes padding | i64 body length |
 * ```
 * `offset` is that of the message's first byte (its prefix), and the metadata length counts the prefix.
 */

export const BLOCK_BYTES = 24;

export class Blocks {
  length = 0;
  #bytes: Uint8Array;
  #view: DataView;

  /** Takes `length` blocks from `bytes`, or starts an empty list. */
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength / BLOCK_BYTES;
  }

  add(offset: number, metadataLength: number, bodyLength: number): void {
    const at = this.length * BLOCK_BYTES;
    if (at === this.#bytes.byteLength) this.#grow();
    this.#view.setBigInt64(at, BigInt(offset), true);
    this.#view.setInt32(at + 8, metadataLength, true);
    this.#view.setBigInt64(at + 16, BigInt(bodyLength), true);
    this.length++;
  }

  offset(index: number): number {
    return this.#int64(index * BLOCK_BYTES);
  }

  metadataLength(index: number): number {
    return this.#view.getInt32(index * BLOCK_BYTES + 8, true);
  }

  bodyLength(index: number): number {
    return this.#int64(index * BLOCK_BYTES + 16);
  }

  end(index: number): number {
    return this.offset(index) + this.metadataLength(index) + this.bodyLength(index);
  }

  /** The blocks as a footer holds them. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length * BLOCK_BYTES);
  }

  /** As a number; beyond 2^53 it is inexact, but still beyond any file. */
  #int64(at: number): number {
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  #grow(): void {
    const bytes = new Uint8Array(Math.max(64 * BLOCK_BYTES, this.#bytes.byteLength * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
