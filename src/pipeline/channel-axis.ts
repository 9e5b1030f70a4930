/**
 * @file Channels on any axis. A format tells of the last axis; where an op's slopes are for another one, its channels take
 * their place here, before anything is prepared or cut.
 *
 * ```text
 *   shape (2, 3, 4), row-major    axis 1: 3 channels, 4 elements apart    0 0 0 0 1 1 1 1 2 2 2 2 0 0 0 0 ...
 * ```
 */
import { ColumnError, UsageError } from "../errors.ts";
import type { Channels, Steps, TensorColumn } from "../formats/layout.ts";
import { LAST_AXIS, type Program } from "../ops/program.ts";
import { isRowWise } from "../ops/row-plan.ts";

/** The walk, whose tensors have the channels that the program asks for. @throws as `withChannelsFor`, while walking */
export function alongAxis(steps: Steps, program: Program): Steps {
  return axisOf(program) === LAST_AXIS ? steps : walk(steps, program);
}

function* walk(steps: Steps, program: Program): Steps {
  let answer: Uint8Array = new Uint8Array(0);
  for (;;) {
    const { value: step, done } = steps.next(answer);
    if (done) return;
    answer = yield step.step === "schema"
      ? { ...step, tensors: withChannelsFor(program, step.tensors) }
      : step;
  }
}

/**
 * The tensors with the channels of the program's axis.
 *
 * @throws ColumnError where a tensor has no such axis, or not as many channels as there are values
 * @throws UsageError where the program also goes along the last axis
 */
export function withChannelsFor(program: Program, tensors: readonly TensorColumn[]): readonly TensorColumn[] {
  const axis = axisOf(program);
  if (axis === LAST_AXIS) return tensors;
  return tensors.map((tensor) => {
    const { name, values } = program.channels[0]!;
    const channels = channelsOf(tensor, axis, name);
    if (isRowWise(program) && axis !== tensor.shape.length - 1) {
      throw new UsageError(`${name} is for axis ${axis}, but another op of the chain is for the last axis`, {
        remedy: "Apply them one after the other.",
      });
    }
    if (channels.count === values.length) return { ...tensor, channels };
    throw new ColumnError(`${name} has ${values.length} values, but axis ${axis} has ${channels.count}`, {
      ...positionOf(tensor),
      remedy: `Give ${name} one value, or ${channels.count}.`,
    });
  });
}

const axisOf = ({ channels }: Program): number => channels[0]?.axis ?? LAST_AXIS;

function channelsOf(tensor: TensorColumn, axis: number, parameter: string): Channels {
  const { shape, order } = tensor;
  const index = axis < 0 ? axis + shape.length : axis;
  if (index < 0 || index >= shape.length) {
    const what = tensor.name === "" ? "the array" : "a row of the column";
    const axes = shape.length === 1 ? "1 axis" : `${shape.length} axes`;
    throw new ColumnError(`${parameter} is for axis ${axis}, but ${what} has ${axes}`, {
      ...positionOf(tensor),
      remedy:
        shape.length === 0
          ? `Give ${parameter} one value.`
          : `Use an axis from ${-shape.length} to ${shape.length - 1}.`,
    });
  }
  const placeOf = (each: number): number => order?.[each] ?? each;
  const within = shape.filter((_, each) => placeOf(each) > placeOf(index));
  const count = shape[index] ?? null;
  // Without channels of the last axis no element's place in its row is known from its index.
  if (count === null || tensor.channels === null || within.includes(null)) {
    const which = count === null ? "it" : "an axis after it";
    throw new ColumnError(`${parameter} is for axis ${axis}, but ${which} has no fixed length`, {
      ...positionOf(tensor),
      remedy: `Give ${parameter} one value.`,
    });
  }
  return {
    count,
    stride: Math.max(
      1,
      within.reduce<number>((product, length) => product * length!, 1),
    ),
  };
}

const positionOf = ({ name }: TensorColumn) => (name === "" ? {} : { position: { column: name } });
