/**
 * @file What a training went through, in bounded memory: curves over its steps, a line for each epoch, and what its layers
 * looked like from time to time. It travels in checkpoints, so that a report shows all of a training that was resumed.
 */

/** Points of a curve; when there are more, neighbours become one. */
const MOST_POINTS = 1024;

/** One number a step, as means over so many steps that there are never more than `MOST_POINTS` of them. */
export class Curve {
  /** Steps of one point. */
  #width: number;
  readonly #sums: number[];
  /** Steps in all. */
  #steps: number;

  constructor({ width, sums, steps }: CurveData = { width: 1, sums: [], steps: 0 }) {
    [this.#width, this.#steps] = [width, steps];
    this.#sums = sums.map((sum) => sum ?? Number.NaN);
  }

  add(value: number): void {
    if (this.#steps === this.#width * MOST_POINTS) this.#halve();
    const point = Math.floor(this.#steps++ / this.#width);
    this.#sums[point] = (this.#sums[point] ?? 0) + value;
  }

  /** Each point: the middle of its steps, counted from 1, and the mean over them. */
  points(): [step: number, value: number][] {
    return this.#sums.map((sum, i) => {
      const first = i * this.#width;
      const count = Math.min(this.#width, this.#steps - first);
      return [first + (count + 1) / 2, sum / count];
    });
  }

  toJSON(): CurveData {
    return { width: this.#width, sums: [...this.#sums], steps: this.#steps };
  }

  #halve(): void {
    for (let i = 0; 2 * i < this.#sums.length; i++) {
      this.#sums[i] = this.#sums[2 * i]! + (this.#sums[2 * i + 1] ?? 0);
    }
    this.#sums.length = Math.ceil(this.#sums.length / 2);
    this.#width *= 2;
  }
}

export interface CurveData {
  readonly width: number;
  /** `null` for NaN, which JSON does not know. */
  readonly sums: readonly (number | null)[];
  readonly steps: number;
}

/** Loss and accuracy over some rows. */
export interface Score {
  /** The mean over rows, by their weights. */
  readonly loss: number;
  /** The share of rows whose class is the one with the largest output; undefined where there are no classes. */
  readonly accuracy?: number;
}

/** What a step gave. */
export interface StepRecord extends Score {
  /** Of all gradients as one vector, before clipping. */
  readonly gradientNorm: number;
  /** The learning rate. */
  readonly rate: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Steps done at its end. */
  readonly step: number;
  /** Over its steps, while the weights changed. */
  readonly training: Score;
  /** At its end, over the rows held out. */
  readonly validation?: Score;
}

/** What the layers look like after a step; only layers of which there is something to tell. */
export interface LayersRecord {
  readonly step: number;
  readonly layers: readonly LayerRecord[];
}

export interface LayerRecord {
  readonly index: number;
  /** Of the gradients of its own tensors as one vector. */
  readonly gradientNorm?: number;
  /** Of an activation: the share of units that were 0 for every row of the batch. */
  readonly dead?: number;
  /** Of an op: what it learned, one value or one for each channel. */
  readonly learned?: Spread;
}

/** Some numbers: all of them where they are few, else the least, the quartiles and the most. */
export interface Spread {
  /** How many there are. */
  readonly count: number;
  readonly values: readonly number[];
}

const FEW = 8;

export function spreadOf(numbers: Float32Array): Spread {
  const { length: count } = numbers;
  if (count <= FEW) return { count, values: [...numbers] };
  const sorted = numbers.toSorted();
  return { count, values: [0, 1, 2, 3, 4].map((i) => sorted[Math.round((i / 4) * (count - 1))]!) };
}

/** What a training went through. */
export class History {
  readonly loss: Curve;
  readonly accuracy: Curve;
  readonly gradientNorm: Curve;
  readonly rate: Curve;
  readonly epochs: EpochRecord[];
  readonly layers: LayersRecord[];

  constructor(data?: HistoryData) {
    this.loss = new Curve(data?.loss);
    this.accuracy = new Curve(data?.accuracy);
    this.gradientNorm = new Curve(data?.gradientNorm);
    this.rate = new Curve(data?.rate);
    this.epochs = [...(data?.epochs ?? [])];
    this.layers = [...(data?.layers ?? [])];
  }

  addStep({ loss, accuracy, gradientNorm, rate }: StepRecord): void {
    this.loss.add(loss);
    if (accuracy !== undefined) this.accuracy.add(accuracy);
    this.gradientNorm.add(gradientNorm);
    this.rate.add(rate);
  }

  addEpoch(record: EpochRecord): void {
    this.epochs.push(record);
  }

  addLayers(record: LayersRecord): void {
    this.layers.push(record);
    // Every second one stays.
    if (this.layers.length > MOST_LAYER_RECORDS)
      this.layers.splice(0, Infinity, ...this.layers.filter((_, i) => i % 2 === 1));
  }

  toJSON(): HistoryData {
    const { loss, accuracy, gradientNorm, rate, epochs, layers } = this;
    return {
      ...{ loss: loss.toJSON(), accuracy: accuracy.toJSON() },
      ...{ gradientNorm: gradientNorm.toJSON(), rate: rate.toJSON() },
      ...{ epochs: [...epochs], layers: [...layers] },
    };
  }
}

/** Records of the layers that are kept. */
const MOST_LAYER_RECORDS = 400;

/** A history as plain JSON. */
export interface HistoryData {
  readonly loss: CurveData;
  readonly accuracy: CurveData;
  readonly gradientNorm: CurveData;
  readonly rate: CurveData;
  readonly epochs: readonly EpochRecord[];
  readonly layers: readonly LayersRecord[];
}
