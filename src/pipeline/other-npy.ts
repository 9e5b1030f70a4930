/** @file x as an npy input of its own: its header is read, and compared with dy's. */
import { ColumnError, UsageError } from "../errors.ts";
import { DETECT_BYTES, detectFormat, openLayout } from "../formats/detect.ts";
import type { Steps } from "../formats/layout.ts";
import { type Feed, FileFeed, StreamFeed } from "./feed.ts";
import type { Source } from "./source.ts";

/** An npy input, at its first element. */
export interface OtherNpy {
  readonly feed: Feed;
  readonly path: string;
  /** As people write it: `float32[2, 3]`. */
  readonly type: string;
  /** Bytes before the elements. */
  readonly offset: number;
}

/** Reads up to the first element. @throws UsageError where it is no npy; and what its header is at fault for */
export async function openOther(source: Source): Promise<OtherNpy> {
  const { path } = source;
  const feed = source.kind === "file" ? new FileFeed(source) : new StreamFeed(source);
  const size = source.kind === "file" ? source.size : undefined;
  if (detectFormat(await feed.peek(DETECT_BYTES), { path }) !== "npy") {
    throw new UsageError("x is no npy file", {
      position: { path },
      remedy: "Arrow has x and dy as two columns of one input: name them with --input-column and --upstream.",
    });
  }
  const steps = openLayout("npy", { size, random: size !== undefined, path });
  let type = "";
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const { value: step, done } = steps.next(answer);
    if (done || step.step === "elements" || step.step === "batch") break;
    if (step.step === "peek") answer = await feed.peek(step.length);
    if (step.step === "schema") type = step.fields[0]!.type;
    if (step.step === "keep") await feed.skip(step.length);
  }
  return { feed, path, type, offset: feed.position };
}

/** The walk over dy, with x beside its elements. @throws ColumnError where they are not of one type, shape and order */
export function* withOther(steps: Steps, { path, type, offset }: OtherNpy, dyPath: string): Steps {
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const { value: step, done } = steps.next(answer);
    if (done) return;
    if (step.step === "schema" && step.fields[0]!.type !== type) {
      throw new ColumnError(`x (${path}) is ${type}, but dy (${dyPath}) is ${step.fields[0]!.type}`, {
        position: { path: dyPath },
        remedy: "Save both with one dtype, shape and order: dy is the gradient of what was made of x.",
      });
    }
    answer = yield step.step === "elements" ? { ...step, other: offset } : step;
  }
}
