/** @file One input through a program into one output: what `transform` and `grad` share. The main path of the package. */
import { AbortError, UsageError } from "../errors.ts";
import { DETECT_BYTES, detectFormat, formatOfPath, openLayout } from "../formats/detect.ts";
import type { Format } from "../formats/layout.ts";
import type { Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";
import { alongAxis } from "./channel-axis.ts";
import { type Feed, FileFeed, StreamFeed } from "./feed.ts";
import { flow } from "./flow.ts";
import type { Job } from "./job.ts";
import { openDevice } from "./open-device.ts";
import type { FileTransformOptions, TransformResult } from "./options.ts";
import { type OtherNpy, openOther, withOther } from "./other-npy.ts";
import { type Others, OthersInFile, OthersInOwnStream, OthersInStream } from "./others.ts";
import { ProgressMeter } from "./progress.ts";
import { abandonOutput, type Output, openSink, pathOf, type Sink, statOutput } from "./sink.ts";
import { abandonInput, type Input, identify, openSource, type Source } from "./source.ts";

/** What a program reads: what it changes, and for npy the other input. */
export interface Inputs {
  readonly main: Input;
  readonly other?: Input | undefined;
}

export interface Passed {
  readonly result: TransformResult;
  readonly program: Program;
  /** The program's sums, in its order. */
  readonly sums: readonly Float64Array[];
}

/**
 * Everything of the input goes to the output, the elements computed. Nothing is left open or half written, also where
 * `makeJob` throws.
 */
export async function pass(
  { main, other }: Inputs,
  output: Output,
  makeJob: () => Job,
  options: FileTransformOptions,
): Promise<Passed> {
  const { overwrite = false } = options;
  const waiting = other === undefined ? [main] : [main, other];
  const sources: Source[] = [];
  let sink: Sink | undefined;
  // Of our own, with one listener on the caller's, which may serve many passes at once.
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = (): void => {
    controller.abort(options.signal?.reason);
    // A stream may never answer; closed, it ends whatever waits for it.
    for (const source of sources) if (source.kind === "stream") void source.close();
    if (sink?.kind === "stream") void sink.discard(new AbortError(signal.reason));
  };
  const open = async (): Promise<Source> => {
    const source = await openSource(waiting.shift()!);
    sources.push(source);
    if (signal.aborted) throw new AbortError(signal.reason);
    await refuseSameFile(source, output);
    return source;
  };
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const job = makeJob();
    const source = await open();
    const otherSource = other === undefined ? undefined : await open();
    sink = await openSink(output, { overwrite, signal });
    const ends = { source, other: otherSource && (await openOther(otherSource)), sink, path: pathOf(output) };
    return await run(ends, job, { ...options, signal });
  } catch (error) {
    await (sink ? sink.discard(error as Error) : abandonOutput(output, error as Error));
    for (const input of waiting) await abandonInput(input);
    throw signal.aborted ? new AbortError(signal.reason) : error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    for (const source of sources) await source.close();
  }
}

interface Ends {
  readonly source: Source;
  readonly other: OtherNpy | undefined;
  readonly sink: Sink;
  /** Of the output. */
  readonly path: string | undefined;
}

/** Reads the source to its end, and commits the sink. */
async function run(
  { source, other, sink, path }: Ends,
  job: Job,
  { format, signal, onProgress }: FileTransformOptions,
): Promise<Passed> {
  const { text, program, memory, columns, otherColumn } = job;
  const random = source.kind === "file";
  const feed = random ? new FileFeed(source) : new StreamFeed(source);
  const size = random ? source.size : undefined;
  const inputFormat = detectFormat(await feed.peek(DETECT_BYTES), { path: source.path });
  if (program.inputs === 2) requireTwo(inputFormat, otherColumn, other, source.path);
  const outputFormat = format ?? defaultFormat(path, inputFormat);
  const layout = {
    columns,
    other: otherColumn,
    byRow: isRowWise(program),
    size,
    random,
    memory,
    to: outputFormat,
  };
  const own = alongAxis(openLayout(inputFormat, { ...layout, path: source.path }), program);
  const steps = other ? withOther(own, other, source.path) : own;
  const others = program.inputs === 2 ? othersOf(feed, other, memory) : undefined;

  const device = await openDevice({ ...job, expectedBytes: size });
  const meter = new ProgressMeter(size, device, onProgress);
  // Once each: of streams that follow one another every one has its schema, and often the same.
  const computed = new Set<string>();
  const skipped = new Map<string, TransformResult["skipped"][number]>();
  let sums: readonly Float64Array[] = [];
  try {
    await flow({
      ...{ steps, feed, device, sink, meter, signal, others },
      onSchema(schema) {
        for (const { role, name, reason = "" } of schema.fields) {
          if (role === "computed") computed.add(name);
          if (role === "skipped") skipped.set(JSON.stringify([name, reason]), { column: name, reason });
        }
        return device.prepare(program, schema.tensors);
      },
    });
    sums = device.sums();
    // Before the output is there: a report that throws must leave none.
    meter.finish();
    await sink.commit();
  } finally {
    device.close();
  }
  return {
    result: {
      ...meter.progress,
      ops: text,
      workers: device.workers,
      inputFormat,
      outputFormat,
      bytesWritten: meter.bytesWritten,
      columns: [...computed],
      skipped: [...skipped.values()],
    },
    program,
    sums,
  };
}

/** A program with two inputs: two columns of Arrow, or two npy inputs. */
function requireTwo(
  format: Format,
  otherColumn: string | undefined,
  otherNpy: OtherNpy | undefined,
  path: string,
): void {
  const position = { path };
  if (format === "npy" && !otherNpy) {
    throw new UsageError("An npy file holds one array, and a gradient needs two: x and dy", {
      position,
      remedy: "Give both: sluice grad <ops> x.npy dy.npy dx.npy (in the API: { x, dy } as input).",
    });
  }
  if (format !== "npy" && otherNpy) {
    throw new UsageError("Two inputs are for npy, and this one is Arrow", {
      position,
      remedy: "Give one input that holds x and dy, and name them with --input-column and --upstream.",
    });
  }
  if (format === "npy" || otherColumn !== undefined) return;
  throw new UsageError("It is not said which columns are x and dy", {
    position,
    remedy:
      "Name the input of the ops with --input-column and the gradient of their output with --upstream " +
      "(in the API: inputColumn and upstream).",
  });
}

/** Where x's elements come from. */
function othersOf(feed: Feed, other: OtherNpy | undefined, memory: number): Others {
  const from = other?.feed ?? feed;
  if (from instanceof FileFeed) return new OthersInFile(from.source, from === feed);
  return from === feed ? new OthersInStream(from, memory) : new OthersInOwnStream(from);
}

/** By the output's extension; a stream gets the Arrow stream format, which needs no end to be read; else as the input. */
export function defaultFormat(path: string | undefined, input: Format): Format {
  const byName = path === undefined ? undefined : formatOfPath(path);
  return byName ?? (path === undefined && input === "arrow" ? "arrows" : input);
}

/** Writing where one reads would lose what is not read yet. */
export async function refuseSameFile(source: Source, output: Output): Promise<void> {
  const path = pathOf(output);
  const stats = path === undefined ? undefined : await statOutput(path);
  const open = typeof output === "object" && "identity" in output ? output.identity : undefined;
  const identity = stats ? identify(stats) : open;
  if (identity === undefined || identity !== source.identity) return;
  throw new UsageError("The output is the input", {
    position: { path: source.path },
    remedy: "Write to another name, then move it to this one.",
  });
}
