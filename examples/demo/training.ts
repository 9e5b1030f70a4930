/** @file Act four: a network learns to read the digits, and is tested on 2,000 that it never saw. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC, tableToIPC } from "apache-arrow";
import { sluice } from "./command.ts";
import { PIXELS, readDigits } from "./digits-table.ts";
import { drawImages } from "./draw.ts";
import { count, say } from "./say.ts";
import { valuesOf } from "./verify.ts";

const LAYERS = "dense(384) | leaky_relu(0.01, learn=[0, 1]) | dropout(0.5) | dense(10)";
/** Beside the loss, against learning by heart: there are few digits for so many weights. */
const SETTINGS = [
  ...["--optimizer", "adamw(lr=3e-3, weight_decay=0.1)", "--schedule", "cosine(warmup=50)"],
  ...["--label-smoothing", "0.1", "--batch", "128", "--epochs", "20", "--seed", "1"],
];
/** Of the digits that it never saw, the share that it must know. */
const ENOUGH = 0.96;
const SHOWN = 10;

export async function showTraining(directory: string): Promise<void> {
  say.heading("4. Training on 8,000 of the digits");
  for (const part of ["train", "test"] as const) {
    writeFileSync(join(directory, `${part}.arrow`), tableToIPC(readDigits(part), "file"));
  }
  const columns = ["--features", "image", "--label", "label", "--layers", LAYERS];
  const seconds = await sluice(
    ["train", "train.arrow", ...columns, ...SETTINGS, "-o", "digits.safetensors"],
    directory,
  );
  say.line(
    `\nThe whole process took ${seconds.toFixed(1)} s. The 2,000 digits that it never saw, as a stream:`,
  );
  await sluice(
    ["predict", "digits.safetensors", "test.arrow", "out-logits.arrow", "--into", "logits"],
    directory,
  );

  const digits = readGuesses(readFileSync(join(directory, "out-logits.arrow")));
  const right = digits.filter(({ label, guesses }) => label === guesses[0]!.digit).length;
  if (right < ENOUGH * digits.length) {
    throw new Error(`Only ${right} of ${digits.length} digits are right; ${100 * ENOUGH} % were to be`);
  }
  const least = digits.toSorted((a, b) => a.guesses[0]!.share - b.guesses[0]!.share).slice(0, SHOWN);
  say.line(`\nThe ${SHOWN} of which it is least certain, and what it takes them for:\n`);
  const images = least.map(({ label, guesses, pixels }) => {
    const [first, second] = guesses.map(({ digit, share }) => `${digit} ${Math.round(100 * share)}%`);
    return { title: `${label}: ${first}, ${second}`, pixels };
  });
  for (const line of drawImages(images)) say.line(line);
  say.line("");
  say.verified(
    `${count(right)} of the ${count(digits.length)} digits that it never saw are right: ${((100 * right) / digits.length).toFixed(1)} %`,
  );
}

interface Digit {
  readonly label: number;
  readonly pixels: Float32Array;
  /** The likeliest first. */
  readonly guesses: readonly { readonly digit: number; readonly share: number }[];
}

function readGuesses(file: Uint8Array): Digit[] {
  const [images, logits] = [valuesOf(file, "image"), valuesOf(file, "logits")];
  return tableFromIPC(file).batches.flatMap((batch, b) =>
    Array.from({ length: batch.numRows }, (_, row) => ({
      label: Number(batch.getChild("label")!.get(row)),
      pixels: images[b]!.subarray(row * PIXELS, (row + 1) * PIXELS),
      guesses: softmax(logits[b]!.subarray(row * 10, (row + 1) * 10)),
    })),
  );
}

function softmax(logits: Float32Array): Digit["guesses"] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power, digit) => ({ digit, share: power / sum })).sort((a, b) => b.share - a.share);
}
