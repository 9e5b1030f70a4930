/** @file The options that forward and backward share, checked: what is to be computed, with what, of which columns. */
import { UsageError } from "../errors.ts";
import { describeChain, fuse } from "../ops/fuse.ts";
import type { BoundOp } from "../ops/op.ts";
import type { Program } from "../ops/program.ts";
import { resolveOps } from "./chain.ts";
import { checkDevice, type DeviceChoice, type TransformOptions } from "./options.ts";
import { parseSize } from "./size.ts";

const DEFAULT_MEMORY = "256MiB";

export interface Job {
  /** The chain, as text. */
  readonly text: string;
  readonly program: Program;
  readonly device: DeviceChoice;
  readonly workers: number | undefined;
  /** Bytes. */
  readonly memory: number;
  readonly columns: readonly string[] | undefined;
  /** The column that is read beside the computed one, for a program with two inputs. */
  readonly otherColumn: string | undefined;
}

/** @throws OpSyntaxError, UsageError */
export function forwardJob(options: TransformOptions): Job {
  const { columns } = options;
  return { ...jobOf(options, fuse), columns, otherColumn: undefined };
}

/** What `link` makes of the chain, and the resources to do it with. */
export function jobOf(
  { ops, memory, workers, device = "auto" }: TransformOptions,
  link: (chain: readonly BoundOp[]) => Program,
): Pick<Job, "text" | "program" | "device" | "workers" | "memory"> {
  checkDevice(device);
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
    throw new UsageError(`workers is ${workers}`, { remedy: "Give a whole number from 1." });
  }
  const chain = resolveOps(ops);
  return {
    text: describeChain(chain),
    program: link(chain),
    device,
    workers,
    memory: parseSize(memory ?? DEFAULT_MEMORY, "memory"),
  };
}
