/** @file `predict`: a model over a file or a stream of any size. */
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { DeviceName } from "../../device.ts";
import { AbortError, UsageError } from "../../errors.ts";
import { DETECT_BYTES, detectFormat } from "../../formats/detect.ts";
import type { Format } from "../../formats/layout.ts";
import { Place } from "../../formats/place.ts";
import { FileFeed, StreamFeed } from "../../pipeline/feed.ts";
import { checkDevice, type DeviceChoice, type Progress } from "../../pipeline/options.ts";
import { defaultFormat, refuseSameFile } from "../../pipeline/pass.ts";
import { ProgressMeter } from "../../pipeline/progress.ts";
import { abandonOutput, type Output, openSink, pathOf, type Sink } from "../../pipeline/sink.ts";
import { parseSize } from "../../pipeline/size.ts";
import { abandonInput, type Input, identify, openSource, type Source } from "../../pipeline/source.ts";
import { Model } from "../model.ts";
import type { Trained } from "../trained.ts";
import { ArrowPrediction } from "./arrow.ts";
import { ArrowOutput } from "./arrow-output.ts";
import { ByteSink } from "./byte-sink.ts";
import { labelColumn, outputColumn } from "./column.ts";
import { CpuWindows } from "./cpu-windows.ts";
import { classesOf } from "./labels.ts";
import { readMessages } from "./messages.ts";
import { predictNpy } from "./npy.ts";
import { Predictor } from "./predictor.ts";
import type { WindowEngine, WindowEngineOptions } from "./window-engine.ts";

/** What `predict` takes. */
export interface PredictOptions {
  /** One tensor column, or several columns of numbers. Default: those that the model was trained on. */
  readonly features?: string | readonly string[] | undefined;
  /** The name of the new column; default: `prediction`. No column may have it already. Not for npy. */
  readonly into?: string | undefined;
  /** Labels, in the type that they were learned in, instead of the network's outputs. */
  readonly argmax?: boolean | undefined;
  /** `"auto"`, the default, is the CPU. */
  readonly device?: DeviceChoice | undefined;
  /** Most worker threads to use at once; default: `os.availableParallelism()`. */
  readonly workers?: number | undefined;
  /**
   * Bound on the memory of the network and its windows of rows, and on what is held of a batch from a stream, in bytes
   * or as `"256MiB"` (the default).
   */
  readonly memory?: number | string | undefined;
  /** Format to write; default: by the output's extension, else as the input. */
  readonly format?: Format | undefined;
  /** Replace an output that exists. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called at most some 20 times a second, and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** `elements` are numbers that the network gave. */
export interface PredictResult extends Progress {
  /** Worker threads that took part; 0 where the main thread did it all. */
  readonly workers: number;
  readonly inputFormat: Format;
  readonly outputFormat: Format;
  readonly bytesWritten: number;
  readonly features: readonly string[];
  /** The new column; undefined for npy. */
  readonly into: string | undefined;
  /** Rows with a null among their features: their prediction is null. */
  readonly nullRows: number;
  /** Rows with a NaN among their outputs; their label is that of the first NaN. */
  readonly nanRows: number;
}

const INTO = "prediction";
const MEMORY = "256MiB";

/**
 * Adds a column of predictions to every batch of `input`; all other columns and metadata pass through byte for byte. Of an
 * npy array the output is another one.
 *
 * The column holds the network's outputs, as `fixed_size_list<float32>` (a `fixed_shape_tensor` where they have several
 * axes, `float32` where there is one output), or with `argmax` labels: int64, bool, or strings as a dictionary. Where a
 * feature of a row is null, its prediction is null.
 *
 * @param model a model, or the path of one
 * @param input a path, a file URL, a Node Readable or an async iterable of bytes; Arrow IPC (file or stream) or npy
 * @param output a path, a file URL or a Node Writable. A file appears only when it is whole.
 * @throws SluiceError of the class that says what went wrong. Then there is no output file, one that was there is
 *   untouched, and streams that were given are destroyed.
 *
 * ```ts
 * await predict("digits.safetensors", "new.arrow", "out.arrow", { into: "digit", argmax: true });
 * ```
 */
export async function predict(
  model: Model | string,
  input: Input,
  output: Output,
  options: PredictOptions = {},
): Promise<PredictResult> {
  const { overwrite = false, signal } = options;
  let source: Source | undefined;
  let sink: Sink | undefined;
  // A stream may never answer; closed, it ends whatever waits for it.
  const onAbort = (): void => {
    if (source?.kind === "stream") void source.close();
    if (sink?.kind === "stream") void sink.discard(new AbortError(signal?.reason));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal?.aborted) throw new AbortError(signal.reason);
    const { trained } = typeof model === "string" ? await Model.load(model) : model;
    if (typeof model === "string") await refuseModel(model, output);
    source = await openSource(input);
    if (signal?.aborted) throw new AbortError(signal.reason);
    await refuseSameFile(source, output);
    sink = await openSink(output, { overwrite, signal });
    return await run(trained, source, sink, pathOf(output), options);
  } catch (error) {
    await (sink ? sink.discard(error as Error) : abandonOutput(output, error as Error));
    if (!source) await abandonInput(input);
    throw signal?.aborted ? new AbortError(signal.reason) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await source?.close();
  }
}

async function run(
  trained: Trained,
  source: Source,
  sink: Sink,
  path: string | undefined,
  { features, into, argmax = false, device = "auto", format, signal, onProgress, ...options }: PredictOptions,
): Promise<PredictResult> {
  checkDevice(device);
  const feed = source.kind === "file" ? new FileFeed(source) : new StreamFeed(source);
  const inputFormat = detectFormat(await feed.peek(DETECT_BYTES), { path: source.path });
  const outputFormat = format ?? defaultFormat(path, inputFormat);
  requireSameKind(inputFormat, outputFormat, source.path);
  const classes = argmax ? classesOf(trained) : undefined;
  const total = source.kind === "file" ? source.size : undefined;
  const name: DeviceName = device === "gpu" ? "gpu" : "cpu";
  const meter = new ProgressMeter(total, { name, reason: undefined }, onProgress);
  const memory = parseSize(options.memory ?? MEMORY, "memory");
  const workers = checkWorkers(options.workers ?? availableParallelism());
  const engine = await openWindows(name, trained, { workers, memory });
  const predictor = new Predictor(trained.network, engine, argmax);
  const bytes = new ByteSink(sink, signal);
  const given = features === undefined ? trained.features : [features].flat();
  const told = { features: [] as readonly string[], into: undefined as string | undefined, nullRows: 0 };
  try {
    if (inputFormat === "npy" || outputFormat === "npy") {
      if (features !== undefined || into !== undefined) throw noColumns(source.path);
      await predictNpy(feed, bytes, predictor, classes, meter);
    } else {
      told.into = into ?? INTO;
      const job = {
        ...{ predictor, into: told.into, memory, signal },
        column: classes ? labelColumn(classes) : outputColumn(trained.network.outputShape),
        features: given.length > 0 ? given : undefined,
      };
      const place = new Place(source.path, total);
      const arrow = new ArrowPrediction(feed, new ArrowOutput(bytes, outputFormat, place), meter, job);
      await readMessages(feed, inputFormat, arrow);
      [told.features, told.nullRows] = [arrow.names, arrow.nullRows];
    }
    // Before the output is there: a report that throws must leave none.
    meter.finish();
    await sink.commit();
  } finally {
    await predictor.close();
  }
  const { bytesWritten } = meter;
  const { nanRows, workers: used } = predictor;
  return { ...meter.progress, workers: used, inputFormat, outputFormat, bytesWritten, ...told, nanRows };
}

async function openWindows(
  device: DeviceName,
  { network, tensors }: Trained,
  options: WindowEngineOptions,
): Promise<WindowEngine> {
  if (device === "cpu") return new CpuWindows(network, tensors, options);
  // Loaded where it is asked for: the kernels of a GPU are no part of anything else here.
  const { GpuWindows } = await import("../gpu/gpu-windows.ts");
  return GpuWindows.open(network, tensors, options);
}

function checkWorkers(workers: number): number {
  if (Number.isInteger(workers) && workers >= 1) return workers;
  throw new UsageError(`workers is ${workers}`, { remedy: "Give a whole number from 1." });
}

/** An array has no room for a column, and a table no place for an array. */
function requireSameKind(input: Format, output: Format, path: string): void {
  if ((input === "npy") === (output === "npy")) return;
  throw new UsageError(
    input === "npy"
      ? "Predictions of an npy array are an npy array"
      : "The input is Arrow, and so is the output",
    { position: { path }, remedy: `Name the output .${input === "npy" ? "npy" : "arrow or .arrows"}.` },
  );
}

function noColumns(path: string): UsageError {
  return new UsageError("An npy array has no columns to name", {
    position: { path },
    remedy: "Leave out --features and --into (in the API: features and into).",
  });
}

/** The model is read before the output is written, but it would be gone. */
async function refuseModel(model: string, output: Output): Promise<void> {
  const path = pathOf(output);
  const [own, other] = [
    await stat(model),
    path === undefined ? undefined : await stat(path).catch(() => undefined),
  ];
  if (!other || identify(own) !== identify(other)) return;
  throw new UsageError("The output is the model", {
    position: { path: model },
    remedy: "Write to another name.",
  });
}
