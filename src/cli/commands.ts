/** @file The commands and their options, as data: the parser and the help both read this table, so they agree. */

export type CommandName =
  | "apply"
  | "grad"
  | "train"
  | "predict"
  | "inspect"
  | "ops"
  | "plot"
  | "doctor"
  | "help";

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What the value is called in the help; without it the option is a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly about: string;
}

export interface CommandSpec {
  readonly name: CommandName;
  /** As after `sluice apply`: `<ops> <input> <output>`; optional ones in brackets. */
  readonly operands: string;
  /** Fewest and most operands. */
  readonly arity: readonly [number, number];
  /** One line, for the overview. */
  readonly summary: string;
  readonly options: readonly OptionSpec[];
}

const HELP: OptionSpec = { name: "help", short: "h", about: "show this help" };
const VERSION: OptionSpec = { name: "version", about: "show the version" };

const json = (about: string): OptionSpec => ({ name: "json", about });

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [HELP, VERSION];

/** How a pass over a file runs and what it tells, whatever it computes. */
const PASS_OPTIONS: readonly OptionSpec[] = [
  {
    name: "format",
    value: "FORMAT",
    about: "format to write: arrow, arrows or npy. Default: by the output's name",
  },
  { name: "overwrite", about: "replace an output that exists" },
  { name: "workers", value: "N", about: "most worker threads. Default: one per core" },
  {
    name: "memory",
    value: "SIZE",
    about: "bound on the memory that data takes, such as 64MiB. Default: 256MiB",
  },
  {
    name: "device",
    value: "DEVICE",
    about:
      "cpu, gpu (needs the packages gpu.js and webgpu) or auto, the default: the CPU begins, and where the work goes on " +
      "for seconds, a GPU is timed and takes over if it is faster",
  },
  json("one JSON object of results on stdout, or on stderr when stdout carries data"),
  { name: "quiet", about: "no progress, no summary, no notes; errors only" },
  { name: "no-progress", about: "no progress bar" },
  HELP,
];

/** What is learned, how, and what is written. */
const TRAIN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "output",
    short: "o",
    value: "FILE",
    about: "the model, as safetensors; written at checkpoints and at the end. Required, but for --resume",
  },
  {
    name: "layers",
    value: "LAYERS",
    about: "the network, as in 'dense(256) | leaky_relu(0.01) | dense(10)'. Required, but for --resume",
  },
  {
    name: "features",
    value: "NAME",
    repeatable: true,
    about: "one tensor column, or several columns of numbers (repeatable). Default: the one tensor column",
  },
  { name: "label", value: "NAME", about: "the column to learn. Default: the one other column that can be" },
  {
    name: "loss",
    value: "LOSS",
    about: "cross_entropy (the default), mse, mae, huber(delta=1) or bce_with_logits",
  },
  {
    name: "optimizer",
    value: "OPTIMIZER",
    about: "sgd, adam, adamw or rmsprop with their settings. Default: 'adam(lr=0.001)'",
  },
  {
    name: "schedule",
    value: "SCHEDULE",
    about: "of the learning rate: constant (the default), step(epochs=10, gamma=0.1) or cosine(warmup=100)",
  },
  { name: "batch", value: "N", about: "rows of a step. Default: 128" },
  { name: "epochs", value: "N", about: "passes over the data. Default: 10" },
  { name: "validation", value: "SHARE", about: "share of the rows that are held out. Default: 0" },
  {
    name: "patience",
    value: "N",
    about: "stop after so many epochs without a lower loss on the rows held out, and keep the best weights",
  },
  {
    name: "seed",
    value: "N",
    about: "the order of rows, initial weights and dropout follow from it. Default: 0",
  },
  { name: "clip", value: "NORM", about: "largest norm of the gradient; a longer one is scaled down to it" },
  {
    name: "label-smoothing",
    value: "SHARE",
    about: "for cross_entropy: the share of the target that all classes get alike",
  },
  {
    name: "class-weights",
    value: "WEIGHTS",
    about: "what a row of each class counts: balanced, '1, 2' in the order of the classes, or 'cat=2, dog=1'",
  },
  { name: "weight", value: "NAME", about: "a column of row weights: numbers from 0" },
  { name: "skip-nulls", about: "leave out rows with a null in features, label or weight, and count them" },
  {
    name: "shuffle",
    value: "SIZE",
    about: "bytes of rows that are shuffled among each other; the order depends on it. Default: 64MiB",
  },
  {
    name: "checkpoint-every",
    value: "N",
    about: "steps from one checkpoint to the next. Default: at the end of an epoch, when 10 s have passed",
  },
  {
    name: "resume",
    value: "FILE",
    about: "go on where this model's training stands; what is not given stays as it was",
  },
  { name: "onnx", value: "FILE", about: "write the model as ONNX, too" },
  {
    name: "report",
    value: "FILE",
    about: "write a page with curves, histograms and the confusion matrix (HTML)",
  },
  { name: "log", value: "FILE", about: "write each step, epoch and checkpoint as a line of JSON" },
  { name: "overwrite", about: "replace outputs that exist" },
  { name: "workers", value: "N", about: "most worker threads. Default: one per core" },
  {
    name: "memory",
    value: "SIZE",
    about: "bound on the memory of rows, weights and activations, such as 512MiB. Default: 256MiB",
  },
  {
    name: "device",
    value: "DEVICE",
    about:
      "cpu, gpu (needs the packages gpu.js and webgpu) or auto, the default: where there is much to do, steps are timed " +
      "on both, and the faster one trains",
  },
  json("one JSON object of results on stdout"),
  { name: "quiet", about: "no progress, no summary, no notes; errors only" },
  { name: "no-progress", about: "no progress bar" },
  HELP,
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "apply",
    operands: "<ops> <input> <output>",
    arity: [3, 3],
    summary: "compute ops over the tensor columns; all else passes through byte for byte",
    options: [
      {
        name: "column",
        short: "c",
        value: "NAME",
        repeatable: true,
        about:
          "compute this column only (repeatable); column.child is a struct's child. Default: every tensor column. " +
          "A plain float column is computed only when it is named",
      },
      ...PASS_OPTIONS,
    ],
  },
  {
    name: "grad",
    operands: "<ops> <input> [dy.npy] <output>",
    arity: [3, 4],
    summary: "gradients of ops: the column of dy becomes dx; parameter gradients are told at the end",
    options: [
      { name: "input-column", value: "NAME", about: "the column of x, the input of the ops" },
      {
        name: "upstream",
        value: "NAME",
        about: "the column of dy, the gradient of the ops' output, which dx replaces",
      },
      {
        name: "from-output",
        about:
          "x is the output of the op instead of its input, as after an op in place. For leaky_relu and prelu with " +
          "slopes above 0, and relu",
      },
      ...PASS_OPTIONS,
    ],
  },
  {
    name: "train",
    operands: "<input>...",
    arity: [1, Number.POSITIVE_INFINITY],
    summary: "train a network on files of any size, on every core or a GPU",
    options: TRAIN_OPTIONS,
  },
  {
    name: "predict",
    operands: "<model> <input> <output>",
    arity: [3, 3],
    summary: "add a column of predictions; all else passes through byte for byte",
    options: [
      {
        name: "features",
        value: "NAME",
        repeatable: true,
        about:
          "one tensor column, or several columns of numbers (repeatable). Default: those that the model was trained on",
      },
      {
        name: "into",
        value: "NAME",
        about: "the new column, whose name must be free. Default: prediction",
      },
      { name: "argmax", about: "labels, in the type that they were learned in, instead of the outputs" },
      ...PASS_OPTIONS.filter(({ name }) => name !== "device"),
      {
        name: "device",
        value: "DEVICE",
        about: "cpu, gpu (needs the packages gpu.js and webgpu) or auto, the default, which is the cpu",
      },
    ],
  },
  {
    name: "inspect",
    operands: "<input>",
    arity: [1, 1],
    summary: "show the schema, tensors, batches, sizes and statistics of a file",
    options: [
      {
        name: "column",
        short: "c",
        value: "NAME",
        repeatable: true,
        about:
          "look at this column only (repeatable); a plain float column is looked at only when it is named",
      },
      {
        name: "statistics",
        value: "WHICH",
        about:
          "sample (the first 64 MiB of each tensor, the default), all (every element) or none (quickest)",
      },
      json("one JSON object on stdout"),
      HELP,
    ],
  },
  {
    name: "ops",
    operands: "[name]",
    arity: [0, 1],
    summary: "list the ops, or explain one: formula, gradient, parameters, curve",
    options: [json("one JSON object on stdout"), HELP],
  },
  {
    name: "plot",
    operands: "<ops>...",
    arity: [1, Number.POSITIVE_INFINITY],
    summary: "draw the curves of ops and chains, in the terminal or as a picture",
    options: [
      { name: "grad", about: "draw the derivatives, too" },
      {
        name: "output",
        short: "o",
        value: "FILE",
        about: "write a picture, .svg or .png, instead of text; - is SVG on stdout",
      },
      { name: "from", value: "X", about: "left end of the x axis. Default: -4" },
      { name: "to", value: "X", about: "right end of the x axis. Default: 4" },
      { name: "y-from", value: "Y", about: "lower end of the y axis of f(x). Default: by the curves" },
      { name: "y-to", value: "Y", about: "upper end of the y axis of f(x). Default: by the curves" },
      { name: "title", value: "TEXT", about: "heading of the picture" },
      {
        name: "theme",
        value: "THEME",
        about: "auto, light or dark. Default: auto, as the reader's screen is; PNG is light",
      },
      { name: "overwrite", about: "replace an output that exists" },
      json("one JSON object on stdout, or on stderr with -o -: the lines that are drawn, as points"),
      HELP,
    ],
  },
  {
    name: "doctor",
    operands: "",
    arity: [0, 0],
    summary: "check what this machine offers, and what is missing",
    options: [json("one JSON object on stdout"), HELP],
  },
  {
    name: "help",
    operands: "[command]",
    arity: [0, 1],
    summary: "explain a command",
    options: [HELP],
  },
];

export const findCommand = (name: string): CommandSpec | undefined =>
  COMMANDS.find((command) => command.name === name);

export const usageOf = (command: CommandSpec): string =>
  ["sluice", command.name, command.operands].filter(Boolean).join(" ");
