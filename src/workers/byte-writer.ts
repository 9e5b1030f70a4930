/**
 * @file Bytes that grow at the end, with the encodings of the WebAssembly Core Specification 2.0, section 5.2 "Values".
 */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  append(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** 5.2.2: an unsigned 32-bit integer as LEB128, seven bits a byte, the lowest first. */
  u32(value: number): this {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    return this.byte(rest);
  }

  /** 5.2.2: a signed 32-bit integer; ends when what is left is the copied sign of the last byte. */
  s32(value: number): this {
    let rest = value | 0;
    for (; rest < -0x40 || rest > 0x3f; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    return this.byte(rest & 0x7f);
  }

  /** 5.2.4: the length of the UTF-8, then the UTF-8. */
  name(text: string): this {
    return this.sized(new TextEncoder().encode(text));
  }

  /** The length of some bytes, then the bytes: how sections, bodies and names stand in a module. */
  sized(bytes: Uint8Array): this {
    return this.u32(bytes.length).append(bytes);
  }

  /** What was written so far; later writes may change it. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}
