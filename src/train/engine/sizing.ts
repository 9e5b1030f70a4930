/** @file How many slots an engine has, and whether it fits in memory. */
import { MemoryError } from "../../errors.ts";
import { type Network, sizeOf, tensorsOf } from "../network.ts";

/** One is trained while the other one is filled. */
export const GROUPS = 2;
/** A group of steps should take about so long: handing it to the workers then costs nothing beside it. */
const GROUP_SECONDS = 0.05;
/** Additions and multiplications of one core, roughly; a step takes some time beside its products. */
const PER_SECOND = 5e10;
const STEP_SECONDS = 1e-4;
const MOST_SLOTS = 64;
const FLOAT_BYTES = 4;
/** Of the arena. */
const MOST_BYTES = 2 ** 32;
const MIB = 2 ** 20;

/** Slots of a group that are worth having. */
export function usefulSlots({ layers }: Network, batch: number, workers: number): number {
  // A product forward, and two backward; each takes a multiplication and an addition.
  const work = layers.reduce((total, { spec, tensors, outShape }) => {
    const [weight] = tensors;
    if (!weight || (spec.kind !== "dense" && spec.kind !== "conv2d")) return total;
    const uses = spec.kind === "conv2d" ? sizeOf(outShape.slice(1)) : 1;
    return total + 6 * batch * sizeOf(weight.shape) * uses;
  }, 0);
  const seconds = STEP_SECONDS + work / (PER_SECOND * Math.max(1, workers));
  return Math.max(1, Math.min(MOST_SLOTS, Math.ceil(GROUP_SECONDS / seconds)));
}

/**
 * As many slots of a group as fit.
 *
 * @param bytesOf the bytes of an engine with so many slots in all
 * @throws MemoryError where not even one for each group fits
 */
export function fittingSlots(memory: number, bytesOf: (slots: number) => number, useful: number): number {
  const least = bytesOf(GROUPS);
  if (least > memory) throw tooLittle(memory, least);
  const each = (bytesOf(GROUPS + MOST_SLOTS) - least) / MOST_SLOTS;
  const more = Math.floor((memory - least) / each / GROUPS);
  return Math.min(useful, 1 + more);
}

/**
 * Refuses what no memory could hold, before anything is made that grows with it.
 *
 * @param arrays of a parameter: its values, its gradient, those of the optimiser
 * @throws MemoryError
 */
export function checkPossible(network: Network, batch: number, arrays: number): void {
  const ofParameters = tensorsOf(network).reduce((total, { shape }) => total + sizeOf(shape), 0);
  const ofRows = network.layers.reduce((total, { outShape }) => total + sizeOf(outShape), 0);
  const least =
    FLOAT_BYTES * (arrays * ofParameters + batch * (ofRows + GROUPS * sizeOf(network.inputShape)));
  if (least <= MOST_BYTES) return;
  throw new MemoryError(
    `The network and its batch take ${text(least)} of memory, more than ${text(MOST_BYTES)}`,
    {
      remedy: "Take smaller layers, or train with a smaller --batch.",
    },
  );
}

function tooLittle(memory: number, least: number): MemoryError {
  return new MemoryError(`The network and its batch do not fit in ${text(memory)} of memory`, {
    remedy: `Give ${text(least)} or more beside the memory of the data, with --memory, or train with a smaller --batch.`,
  });
}

const text = (bytes: number): string => `${Math.max(0, Math.ceil(bytes / MIB))}MiB`;
