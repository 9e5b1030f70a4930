/** @file Positioned reads and writes of whole spans, off the main thread's time: the asynchronous twin of `entry.ts`. */
import { read, write } from "node:fs";
import { type FileSpan, type OtherReads, PIECE_STRIDE } from "../device.ts";
import { failure } from "./failure.ts";

type Call = (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  done: (error: NodeJS.ErrnoException | null, moved: number) => void,
) => void;

/** Fills `bytes` from the file. Throws TruncatedError where the file ends before, IoError where reading fails. */
export const readSpan = (span: FileSpan, bytes: Uint8Array): Promise<void> =>
  transfer("read", read, span, bytes);

/** Writes all of `bytes` to the file. Throws IoError. */
export const writeSpan = (span: FileSpan, bytes: Uint8Array): Promise<void> =>
  transfer("write", write, span, bytes);

/** Reads pieces of a file to their places in a slot's bytes. Throws like `readSpan`. */
export async function readPieces({ fd, path, pieces }: OtherReads, slot: Uint8Array): Promise<void> {
  for (let at = 0; at < pieces.length; at += PIECE_STRIDE) {
    const [offset, length, place] = [pieces[at]!, pieces[at + 1]!, pieces[at + 2]!];
    await readSpan({ fd, path, offset }, slot.subarray(place, place + length));
  }
}

async function transfer(
  action: "read" | "write",
  call: Call,
  span: FileSpan,
  bytes: Uint8Array,
): Promise<void> {
  const { path } = span;
  for (let done = 0; done < bytes.length; ) {
    const byteOffset = span.offset + done;
    const moved = await new Promise<number>((resolve, reject) => {
      call(span.fd, bytes, done, bytes.length - done, byteOffset, (cause, count) => {
        if (cause) reject(failure({ ok: false, action, cause, path, byteOffset }));
        else resolve(count);
      });
    });
    if (moved === 0) throw failure({ ok: false, action, path, byteOffset });
    done += moved;
  }
}
