/** @file A training that never happened, with everything that a report can show. */
import type { Report } from "../../src/cli/training/report-page.ts";
import { History, spreadOf } from "../../src/train/history.ts";
import { keyOf, normalAt, uniformAt } from "../../src/train/random.ts";

const [STEPS, EPOCHS] = [600, 6];

export function madeUpReport(): Report {
  const history = new History();
  const noise = keyOf(3);
  for (let step = 0; step < STEPS; step++) {
    const loss = 0.12 + 2.1 * Math.exp(-step / 70) + 0.05 * Math.abs(normalAt(noise, step));
    const accuracy = Math.max(0.05, Math.min(1, 1 - loss / 2.5 + 0.02 * normalAt(noise, step + STEPS)));
    const gradientNorm =
      (0.4 + 3 * Math.exp(-step / 100)) * Math.exp(0.2 * normalAt(noise, step + 2 * STEPS));
    history.addStep({ loss, accuracy, gradientNorm, rate: 5e-4 * (1 + Math.cos((Math.PI * step) / STEPS)) });
    if ((step + 1) % 5 === 0) {
      const fading = Math.exp(-step / 100);
      history.addLayers({
        step: step + 1,
        layers: [
          { index: 0, gradientNorm: 0.3 + 2 * fading },
          {
            index: 1,
            dead: 0.08 * (1 - fading),
            learned: spreadOf(Float32Array.of(0.25 - 0.1 * (1 - fading))),
          },
          { index: 2, gradientNorm: 0.2 + 2.5 * fading },
          {
            index: 3,
            dead: 0.02,
            learned: spreadOf(
              Float32Array.from({ length: 12 }, (_, i) => 0.25 + ((i - 6) * (1 - fading)) / 40),
            ),
          },
          { index: 4, gradientNorm: 0.1 + fading },
        ],
      });
    }
    if ((step + 1) % (STEPS / EPOCHS) === 0) {
      const epoch = ((step + 1) * EPOCHS) / STEPS;
      const validation = { loss: 0.2 + 0.6 / epoch ** 2, accuracy: 0.97 - 0.2 / epoch ** 2 };
      history.addEpoch({ epoch, step: step + 1, training: { loss, accuracy }, validation });
    }
  }
  const bell = (from: number): { least: number; most: number; counts: number[] } => ({
    ...{ least: from, most: -from },
    counts: Array.from({ length: 40 }, (_, i) => Math.round(2000 * Math.exp(-(((i - 19.5) / 8) ** 2)))),
  });
  const classes = Array.from({ length: 10 }, (_, i) => String(i));
  return {
    title: "digits.safetensors",
    subtitle: "dense(256) | prelu | dense(64) | prelu(each) | dense(10)",
    facts: [
      ["accuracy, held out", "96.8%"],
      ["loss, held out", "0.1104"],
      ["steps", "600"],
      ["samples/s", "42,000"],
      ["time", "1.9 s"],
      ["parameters", "218,058"],
    ],
    history,
    layers: ["0 dense", "1 prelu", "2 dense", "3 prelu", "4 dense"],
    statistics: [0, 1, 2, 3, 4].map((layer) => ({
      layer,
      name: "",
      ...(layer % 2 === 0 ? { weights: bell(-0.2) } : {}),
      activations: bell(-3),
    })),
    assessed: {
      confusion: {
        classes,
        counts: classes.map((_, truth) =>
          classes.map((__, predicted) =>
            truth === predicted ? 190 + truth : Math.floor(12 * uniformAt(keyOf(truth), predicted) ** 6),
          ),
        ),
      },
      uncertain: Array.from({ length: 10 }, (_, i) => ({
        truth: String(i),
        guesses: [
          { name: String((i + 3) % 10), share: 0.4 + i / 100 },
          { name: String(i), share: 0.35 },
        ],
        features: ring(6 + i / 3),
      })),
    },
    featureShape: [28, 28],
    settings: [
      ["layers", "dense(256) | prelu | dense(64) | prelu(each) | dense(10)"],
      ["optimizer", "adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0)"],
      ["schedule", "cosine(floor=0, warmup=0)"],
      ["batch", "128"],
      ["label", "a <b> & c"],
    ],
  };
}

/** A picture of 28 x 28 pixels. */
function ring(radius: number): Float32Array {
  return Float32Array.from({ length: 784 }, (_, i) => {
    const away = Math.hypot((i % 28) - 13.5, Math.floor(i / 28) - 13.5) - radius;
    return Math.max(0, 1 - Math.abs(away) / 2.5);
  });
}
