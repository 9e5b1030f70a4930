/** @file What a worker does: read a window from its file, compute it in the arena, write it to its file, chunk by chunk. */
import { readSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { type FileSpan, type OtherReads, PIECE_STRIDE } from "../device.ts";
import { chunks } from "./chunks.ts";
import { type Kernel, runKernels } from "./kernels.ts";
import { Inbox } from "./posted.ts";
import type { Failure, Outcome, Task } from "./task.ts";

const { memory } = workerData as { memory: WebAssembly.Memory };
const arena = new Uint8Array(memory.buffer);
/** Of transforms that run at the same time, and of the last few. */
const MOST_POSTS = 32;
const inbox = new Inbox<readonly Kernel[]>(memory, MOST_POSTS, (list) => list);

export default function run(task: Task): Outcome {
  const { address, length, read, others, write, workspace } = task;
  const kernels = inbox.get(task.kernels);
  const readOthers = others && otherReader(others, address);
  let readTo = 0;
  let writtenTo = 0;
  for (const { end, otherEnd, ranges, done } of chunks(length, task.ranges, kernels)) {
    const failed = (read && transfer("read", readSync, read, address, readTo, end)) ?? readOthers?.(otherEnd);
    if (failed) return failed;
    readTo = end;
    runKernels(memory, kernels, address, ranges, workspace);
    const unwritten = write && transfer("write", writeSync, write, address, writtenTo, done);
    if (unwritten) return unwritten;
    writtenTo = done;
  }
  return { ok: true };
}

/** Reads the other input's pieces into the slot at `address`, so far as they are asked for and not there yet. */
function otherReader(
  { fd, path, pieces }: OtherReads,
  address: number,
): (end: number) => Failure | undefined {
  let at = 0;
  let done = 0;
  return (end) => {
    for (; at < pieces.length; at += PIECE_STRIDE, done = 0) {
      const [offset, length, place] = [pieces[at]!, pieces[at + 1]!, pieces[at + 2]!];
      const wanted = Math.min(length, end - place);
      if (wanted > done) {
        const failed = transfer("read", readSync, { fd, path, offset }, address + place, done, wanted);
        if (failed) return failed;
        done = wanted;
      }
      if (done < length) return undefined;
    }
    return undefined;
  };
}

type Call = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

/**
 * Moves the bytes of a span from `start` to `end`, which stand at `address + start` of the arena. Repeats the call until
 * all are through: the system may do less than it was asked for.
 */
function transfer(
  action: "read" | "write",
  call: Call,
  { fd, path, offset }: FileSpan,
  address: number,
  start: number,
  end: number,
): Failure | undefined {
  for (let done = start; done < end; ) {
    const byteOffset = offset + done;
    try {
      const moved = call(fd, arena, address + done, end - done, byteOffset);
      if (moved === 0) return { ok: false, action, path, byteOffset };
      done += moved;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { ok: false, action, cause: { name: "Error", code, message }, path, byteOffset };
    }
  }
  return undefined;
}

/** Answers as soon as the worker runs at all. */
export function ping(): true {
  return true;
}
