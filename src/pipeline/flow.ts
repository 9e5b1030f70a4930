/**
 * @file The flow of windows: cut, computed, written. Many are under way at once, as many as the device has slots; a file
 * takes them in any order at their places, a stream in theirs. The first thing that goes wrong stops it all.
 */
import type { Device } from "../device.ts";
import { AbortError } from "../errors.ts";
import type { Steps } from "../formats/layout.ts";
import type { Feed } from "./feed.ts";
import type { Others } from "./others.ts";
import type { ProgressMeter } from "./progress.ts";
import type { Sink } from "./sink.ts";
import { type CutterEvents, type CutWindow, type SchemaStep, WindowCutter } from "./windows.ts";

export interface Flow {
  readonly steps: Steps;
  readonly feed: Feed;
  readonly device: Device;
  readonly sink: Sink;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal | undefined;
  /** Prepares the device for the tensors of a schema, and gives their grains; no window is under way meanwhile. */
  onSchema(schema: SchemaStep): Promise<readonly number[]>;
  /** For a program with two inputs: x's elements. */
  readonly others?: Others | undefined;
}

/** Settles when nothing is under way any more. Rejects with the first error; the caller discards the output. */
export async function flow(job: Flow): Promise<void> {
  const { steps, feed, device, sink, meter, signal, others } = job;
  const underWay = new Set<Promise<void>>();
  let written: Promise<unknown> = Promise.resolve();
  let stop: (error: unknown) => void = () => {};
  let stopped = false;
  const failed = new Promise<never>((_, reject) => {
    stop = (error) => {
      stopped = true;
      reject(error);
    };
  });

  const pass = async (window: CutWindow): Promise<void> => {
    try {
      if (stopped) return;
      if (sink.kind === "file") {
        await device.run({ ...window, write: { fd: sink.fd, path: sink.path, offset: window.outputOffset } });
      } else {
        const before = written;
        const computed = device.run(window);
        // A window is written when it is computed and all before it are written.
        const own = Promise.all([computed, before]).then(() =>
          stopped ? undefined : sink.write(window.slot.bytes.subarray(0, window.length)),
        );
        written = own;
        // The slot is free only when nobody works in it, even where an earlier window's write has failed.
        await Promise.allSettled([computed, own]);
        await own;
      }
      meter.add(window.tally, window.length);
    } finally {
      device.release(window.slot);
    }
  };

  const events: CutterEvents = {
    async onSchema(schema) {
      await Promise.all(underWay);
      return job.onSchema(schema);
    },
    settle: () => Promise.all(underWay),
    onWindow(window) {
      if (stopped) {
        device.release(window.slot);
        return false;
      }
      const passing = pass(window)
        .catch(stop)
        .finally(() => underWay.delete(passing));
      underWay.add(passing);
      return true;
    },
  };
  const cutter = new WindowCutter(feed, device, events, others);

  const onAbort = (): void => stop(new AbortError(signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const done = cutter.run(steps).then(async (rest) => {
    await Promise.all(underWay);
    meter.add(rest, 0);
  });
  try {
    await Promise.race([done, failed]);
    if (stopped) await failed;
  } catch (error) {
    stopped = true;
    // A stream that waits for bytes, or for room, would keep the flow from ending. Files stay open: workers use them.
    if (feed.source.kind === "stream") await feed.source.close();
    if (sink.kind === "stream") await sink.discard(error as Error);
    await Promise.allSettled([done]);
    await Promise.allSettled(underWay);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
