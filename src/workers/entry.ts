/** @file What a worker does: read a window from its file, compute it in the arena, write it to its file. */
import { readSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { type FileSpan, type OtherReads, PIECE_STRIDE } from "../device.ts";
import { type Kernel, runKernels } from "./kernels.ts";
import { Inbox } from "./posted.ts";
import type { Outcome, Task } from "./task.ts";
import { inTurn } from "./turns.ts";

const { memory } = workerData as { memory: WebAssembly.Memory };
const arena = new Uint8Array(memory.buffer);
const words = new Int32Array(memory.buffer);
/** Of transforms that run at the same time, and of the last few. */
const MOST_POSTS = 32;
const kernels = new Inbox<readonly Kernel[]>(memory, MOST_POSTS, (list) => list);

export default function run(task: Task): Outcome {
  const bytes = arena.subarray(task.address, task.address + task.length);
  if (task.read) {
    const failed = transfer("read", readSync, task.read, bytes);
    if (failed) return failed;
  }
  if (task.others) {
    const failed = readPieces(task.others, task.address);
    if (failed) return failed;
  }
  runKernels(memory, kernels.get(task.kernels), task.address, task.ranges, task.workspace);
  const { write } = task;
  if (write) {
    const failed = inTurn(words, task.turns, () => transfer("write", writeSync, write, bytes));
    if (failed) return failed;
  }
  return { ok: true };
}

/** Reads the elements of the other input into the slot at `address`. */
function readPieces({ fd, path, pieces }: OtherReads, address: number): Outcome | undefined {
  for (let at = 0; at < pieces.length; at += PIECE_STRIDE) {
    const [offset, length, place] = [pieces[at]!, pieces[at + 1]!, address + pieces[at + 2]!];
    const failed = transfer("read", readSync, { fd, path, offset }, arena.subarray(place, place + length));
    if (failed) return failed;
  }
  return undefined;
}

type Call = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

/** Repeats a positioned call until all bytes are through: the system may do less than it was asked for. */
function transfer(
  action: "read" | "write",
  call: Call,
  span: FileSpan,
  bytes: Uint8Array,
): Outcome | undefined {
  for (let done = 0; done < bytes.length; ) {
    const byteOffset = span.offset + done;
    try {
      const moved = call(span.fd, bytes, done, bytes.length - done, byteOffset);
      if (moved === 0) return { ok: false, action, path: span.path, byteOffset };
      done += moved;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { ok: false, action, cause: { name: "Error", code, message }, path: span.path, byteOffset };
    }
  }
  return undefined;
}

/** Answers as soon as the worker runs at all. */
export function ping(): true {
  return true;
}
