/**
 * @file Writes the Arrow files of a run: columns that are fixed-size lists of float32, all with the same numbers. apache-arrow encodes the
 * metadata; the bodies are written here, because its writer cannot make a batch of 2 GiB or more.
 *
 * ```text
 *   file    "ARROW1\0\0" | schema message | batch message, body | … | end mark | footer | its length | "ARROW1"
 *   stream                 schema message | batch message, body | … | end mark
 * ```
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { Field, FixedSizeList, Float32, Message, Schema } from "apache-arrow";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import { BufferRegion, FieldNode, RecordBatch } from "apache-arrow/ipc/metadata/message";
import { BLOCK, BLOCK_ELEMENTS } from "./values.ts";

export interface TensorFile {
  readonly format: "arrow" | "arrows";
  readonly batches: number;
  /** Of one batch. */
  readonly rows: number;
  /** Elements of one row of a column. */
  readonly width: number;
  /** Default: one, `tensor`. */
  readonly columns?: readonly string[];
}

const MAGIC = "ARROW1";
/** Bodies begin at a multiple of this, as the format recommends. */
const ALIGNMENT = 64;
/** Messages are gathered up to this size before they are written. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Writes the file at `path`. Gives the byte offset of every batch's elements in the last column; elements count on from
 * batch to batch.
 */
export function writeTensorFile(
  path: string,
  { format, batches, rows, width, columns = ["tensor"] }: TensorFile,
): number[] {
  const element = Field.new("item", new Float32(), false);
  const schema = new Schema(columns.map((name) => Field.new(name, new FixedSizeList(width, element), false)));
  const count = rows * width;
  const columnBytes = pad(count * 4);
  const bodyBytes = columns.length * columnBytes;
  const batch = new RecordBatch(
    rows,
    columns.flatMap(() => [new FieldNode(rows, 0), new FieldNode(count, 0)]),
    columns.flatMap((_, index) => [
      new BufferRegion(0, 0),
      new BufferRegion(0, 0),
      new BufferRegion(index * columnBytes, count * 4),
    ]),
    null,
  );
  const message = frame(Message.encode(Message.from(batch, bodyBytes)));

  const out = new GatheringWriter(path);
  if (format === "arrow") out.write(Buffer.from(MAGIC.padEnd(8, "\0")));
  // Padded so that the first body is aligned; all that follows is then, too.
  out.write(frame(Message.encode(Message.from(schema)), out.position));
  const blocks: FileBlock[] = [];
  const offsets: number[] = [];
  for (let index = 0; index < batches; index++) {
    blocks.push(new FileBlock(message.length, bodyBytes, out.position));
    out.write(message);
    offsets.push(out.position + bodyBytes - columnBytes);
    for (let column = 0; column < columns.length; column++) {
      writeElements(out, index * count, count);
      out.write(new Uint8Array(columnBytes - count * 4));
    }
  }
  out.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
  if (format === "arrow") {
    const footer = Footer.encode(new Footer(schema, undefined, blocks, []));
    const length = Buffer.alloc(4);
    length.writeInt32LE(footer.length);
    out.write(Buffer.concat([footer, length, Buffer.from(MAGIC)]));
  }
  out.close();
  return offsets;
}

/** Continuation mark, length, metadata, padding: the frame of a message that begins at `position` of its file. */
function frame(metadata: Uint8Array, position = 0): Uint8Array {
  const length = pad(position + 8 + metadata.length) - position;
  const framed = Buffer.alloc(length);
  framed.writeInt32LE(-1, 0);
  framed.writeInt32LE(length - 8, 4);
  framed.set(metadata, 8);
  return framed;
}

function writeElements(out: GatheringWriter, first: number, count: number): void {
  for (let done = 0; done < count; ) {
    const start = (first + done) % BLOCK_ELEMENTS;
    const part = Math.min(count - done, BLOCK_ELEMENTS - start);
    out.write(new Uint8Array(BLOCK.buffer, start * 4, part * 4));
    done += part;
  }
}

function pad(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** Makes few large writes of many small ones. */
class GatheringWriter {
  position = 0;
  readonly #fd: number;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #gathered = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "wx");
  }

  write(bytes: Uint8Array): void {
    this.position += bytes.length;
    if (this.#gathered + bytes.length > PIECE_BYTES) this.#flush();
    if (bytes.length > PIECE_BYTES) {
      this.#writeAll(bytes);
    } else {
      this.#piece.set(bytes, this.#gathered);
      this.#gathered += bytes.length;
    }
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#writeAll(this.#piece.subarray(0, this.#gathered));
    this.#gathered = 0;
  }

  #writeAll(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
  }
}
