/** @file `transform`: one input through a chain of ops into one output. The main path of the whole package. */
import { AbortError, UsageError } from "../errors.ts";
import { DETECT_BYTES, detectFormat, formatOfPath, openLayout } from "../formats/detect.ts";
import type { FieldSummary, Format } from "../formats/layout.ts";
import { describeChain, fuse } from "../ops/fuse.ts";
import { openDevice } from "../workers/open.ts";
import { resolveOps } from "./chain.ts";
import { FileFeed, StreamFeed } from "./feed.ts";
import { flow } from "./flow.ts";
import type { FileTransformOptions, TransformResult } from "./options.ts";
import { ProgressMeter } from "./progress.ts";
import { abandon, type Output, openSink, pathOf, type Sink, statOutput } from "./sink.ts";
import { parseSize } from "./size.ts";
import { type Input, identify, openSource, type Source } from "./source.ts";

const DEFAULT_MEMORY = "256MiB";

/**
 * Computes a chain of ops on the tensors of `input` and writes everything to `output`: the tensor elements changed, all
 * other bytes as they were.
 *
 * @param input a path, a file URL, a Node Readable or an async iterable of bytes; Arrow IPC (file or stream) or npy
 * @param output a path, a file URL or a Node Writable. A file appears only when it is whole.
 * @throws SluiceError of the class that says what went wrong; see `errors.ts`. Then there is no output file, one that was
 *   there is untouched, and streams that were given are destroyed, as `stream.pipeline` does.
 *
 * ```ts
 * const result = await transform("in.arrow", "out.arrow", { ops: "leaky_relu(alpha=0.1)", columns: ["embedding"] });
 * console.log(`${result.elements} elements in ${result.seconds} s`);
 * ```
 */
export async function transform(
  input: Input,
  output: Output,
  options: FileTransformOptions,
): Promise<TransformResult> {
  const job = checkOptions(options);
  const { overwrite = false, signal } = options;
  let source: Source | undefined;
  let sink: Sink | undefined;
  // A stream may never answer; closed, it ends whatever waits for it.
  const onAbort = (): void => {
    if (source?.kind === "stream") void source.close();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    source = await openSource(input);
    if (signal?.aborted) throw new AbortError(signal.reason);
    await refuseSameFile(source, output);
    sink = await openSink(output, { overwrite, signal });
    return await run({ source, sink, path: pathOf(output) }, job, options);
  } catch (error) {
    await (sink ? sink.discard(error as Error) : abandon(output, error as Error));
    throw signal?.aborted ? new AbortError(signal.reason) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await source?.close();
  }
}

type Job = ReturnType<typeof checkOptions>;

export function checkOptions({ ops, memory, workers, device = "auto" }: FileTransformOptions) {
  if (device !== "auto" && device !== "cpu") {
    throw new UsageError(`There is no device ${JSON.stringify(device)}`, { remedy: 'Use "auto" or "cpu".' });
  }
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
    throw new UsageError(`workers is ${workers}`, { remedy: "Give a whole number from 1." });
  }
  const chain = resolveOps(ops);
  return {
    text: describeChain(chain),
    program: fuse(chain),
    workers,
    memory: parseSize(memory ?? DEFAULT_MEMORY, "memory"),
  };
}

/** Reads the source to its end, and commits the sink. */
async function run(
  { source, sink, path }: { source: Source; sink: Sink; path: string | undefined },
  { text, program, workers, memory }: Job,
  { columns, format, signal, onProgress }: FileTransformOptions,
): Promise<TransformResult> {
  const random = source.kind === "file";
  const feed = random ? new FileFeed(source) : new StreamFeed(source);
  const size = random ? source.size : undefined;
  const inputFormat = detectFormat(await feed.peek(DETECT_BYTES), { path: source.path });
  const outputFormat = format ?? defaultFormat(path, inputFormat);
  const steps = openLayout(inputFormat, { columns, size, random, to: outputFormat, path: source.path });

  const device = await openDevice({ workers, memory, expectedBytes: size });
  const meter = new ProgressMeter(size, onProgress);
  const fields: FieldSummary[] = [];
  try {
    await flow({
      ...{ steps, feed, device, sink, meter, signal },
      async onSchema(schema) {
        fields.push(...schema.fields);
        await device.prepare(program, schema.tensors);
      },
    });
    await sink.commit();
  } finally {
    device.close();
  }
  return {
    ...meter.finish(),
    ops: text,
    device: device.name,
    workers: device.workers,
    inputFormat,
    outputFormat,
    bytesWritten: meter.bytesWritten,
    columns: [...new Set(fields.filter(({ role }) => role === "computed").map(({ name }) => name))],
    skipped: fields.flatMap(({ role, name, reason = "" }) =>
      role === "skipped" ? [{ column: name, reason }] : [],
    ),
  };
}

/** By the output's extension; a stream gets the Arrow stream format, which needs no end to be read; else as the input. */
function defaultFormat(path: string | undefined, input: Format): Format {
  const byName = path === undefined ? undefined : formatOfPath(path);
  return byName ?? (path === undefined && input === "arrow" ? "arrows" : input);
}

/** Writing where one reads would lose what is not read yet. */
async function refuseSameFile(source: Source, output: Output): Promise<void> {
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
