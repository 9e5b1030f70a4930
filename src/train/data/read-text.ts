/** @file Reads strings: UTF-8 behind offsets or views, and the UTF-32 of npy. */
import { CorruptError, UnsupportedError } from "../../errors.ts";
import type { Rows, TextColumn, TextPlace } from "./column.ts";
import type { BlockReader } from "./data-file.ts";
import { toNumbers } from "./numbers.ts";

/** A longer string is no label. It is also how much text is read at once. */
const MOST_TEXT = 1024 * 1024;
const VIEW_BYTES = 16;
/** A view of up to so many bytes holds them itself. */
const INLINE = 12;

/** Calls `each` with the text of every row that is usable; `row` counts from the first one asked for. */
export async function readTexts(
  column: TextColumn,
  rows: Rows,
  usable: (row: number) => boolean,
  each: (row: number, text: string) => void,
  reader: BlockReader,
): Promise<void> {
  const { storage } = column;
  const place = column.place(rows.batch);
  if (storage === "view") return readViews(column, place, rows, usable, each, reader);
  if ("characters" in storage) return readUtf32(column, storage.characters, place, rows, each, reader);
  const { width } = storage;
  const bytes = await reader.bytes(column.file, place.first + rows.first * width, (rows.count + 1) * width);
  const offsets = toNumbers(width === 4 ? "int32" : "int64", bytes, 0, rows.count + 1);
  const [start, total] = place.data[0]!;
  for (let i = 0; i <= rows.count; i++) {
    if (offsets[i]! >= (i === 0 ? 0 : offsets[i - 1]!) && offsets[i]! <= total) continue;
    throw new CorruptError(`The offset of a string is ${offsets[i]}, of ${total} bytes of text`, {
      position: column.position(rows.batch, rows.first + Math.max(0, i - 1)),
    });
  }
  const text = Buffer.allocUnsafe(Math.min(MOST_TEXT, offsets[rows.count]! - offsets[0]!));
  for (let row = 0; row < rows.count; ) {
    const from = offsets[row]!;
    let end = row;
    while (end < rows.count && offsets[end + 1]! - from <= MOST_TEXT) end++;
    if (end === row) {
      if (usable(row)) throw tooLong(column, rows, row, offsets[row + 1]! - from);
      row++;
      continue;
    }
    await reader.read(column.file, start + from, text.subarray(0, offsets[end]! - from));
    for (; row < end; row++) {
      if (usable(row)) each(row, text.toString("utf8", offsets[row]! - from, offsets[row + 1]! - from));
    }
  }
}

/**
 * ```text
 *   short   | i32 length | up to 12 bytes of text                        |
 *   long    | i32 length | first 4 bytes | i32 buffer | i32 offset in it |
 * ```
 */
async function readViews(
  column: TextColumn,
  place: TextPlace,
  rows: Rows,
  usable: (row: number) => boolean,
  each: (row: number, text: string) => void,
  reader: BlockReader,
): Promise<void> {
  const bytes = await reader.bytes(
    column.file,
    place.first + rows.first * VIEW_BYTES,
    rows.count * VIEW_BYTES,
  );
  const views = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let row = 0, at = 0; row < rows.count; row++, at += VIEW_BYTES) {
    if (!usable(row)) continue;
    const length = views.readInt32LE(at);
    if (length >= 0 && length <= INLINE) {
      each(row, views.toString("utf8", at + 4, at + 4 + length));
      continue;
    }
    const [start, total] = place.data[views.readInt32LE(at + 8)] ?? [0, -1];
    const offset = views.readInt32LE(at + 12);
    if (length < 0 || offset < 0 || offset + length > total) {
      const position = column.position(rows.batch, rows.first + row);
      throw new CorruptError("A view points outside of the column's text", { position });
    }
    if (length > MOST_TEXT) throw tooLong(column, rows, row, length);
    const text = Buffer.allocUnsafe(length);
    await reader.read(column.file, start + offset, text);
    each(row, text.toString("utf8"));
  }
}

/** NumPy pads with zeros. */
async function readUtf32(
  column: TextColumn,
  characters: number,
  place: TextPlace,
  rows: Rows,
  each: (row: number, text: string) => void,
  reader: BlockReader,
): Promise<void> {
  const width = 4 * characters;
  if (width > MOST_TEXT) throw tooLong(column, rows, 0, width);
  const atOnce = Math.max(1, Math.floor(MOST_TEXT / Math.max(1, width)));
  const bytes = reader.take(width * Math.min(atOnce, rows.count));
  for (let done = 0; done < rows.count; done += atOnce) {
    const count = Math.min(atOnce, rows.count - done);
    await reader.read(
      column.file,
      place.first + (rows.first + done) * width,
      bytes.subarray(0, count * width),
    );
    const codes = new Uint32Array(bytes.buffer, bytes.byteOffset, count * characters);
    for (let row = 0; row < count; row++) {
      let text = "";
      for (const code of codes.subarray(row * characters, (row + 1) * characters)) {
        if (code > 0x10ffff) {
          const position = column.position(rows.batch, rows.first + done + row);
          throw new CorruptError("A string holds what is no character", { position });
        }
        text += String.fromCodePoint(code);
      }
      each(done + row, text.replace(/\0+$/, ""));
    }
  }
}

function tooLong(column: TextColumn, rows: Rows, row: number, bytes: number): UnsupportedError {
  return new UnsupportedError(`A label of ${bytes} bytes is longer than any class should be (${MOST_TEXT})`, {
    position: column.position(rows.batch, rows.first + row),
    remedy: "Name the column of the classes with --label.",
  });
}
