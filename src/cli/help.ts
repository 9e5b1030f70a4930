/** @file The help: examples first, then options, then exit codes. */
import { UsageError } from "../errors.ts";
import type { Run } from "./arguments.ts";
import {
  COMMANDS,
  type CommandName,
  type CommandSpec,
  findCommand,
  GLOBAL_OPTIONS,
  type OptionSpec,
  usageOf,
} from "./commands.ts";
import { EXIT } from "./exit.ts";
import { print } from "./print.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, wrap } from "./text.ts";

interface Page {
  readonly intro: string;
  /** A command, and what it does. */
  readonly examples: readonly (readonly [command: string, about: string])[];
  readonly notes?: readonly string[];
}

const OVERVIEW: Page = {
  intro:
    "Streams tensor files of any size through Leaky ReLU and other ops, on every core or on a GPU, in bounded memory.",
  examples: [
    ["sluice apply leaky_relu in.arrow out.arrow", "Leaky ReLU over every tensor column"],
    ["sluice apply 'mul(0.5) | leaky_relu(alpha=0.2)' in.npy out.npy", "a chain of ops, in one pass"],
    ["cat in.arrows | sluice apply relu - - > out.arrows", "as a filter in a pipe"],
    ["sluice grad leaky_relu --input-column x --upstream dy in.arrow out.arrow", "backward: dy becomes dx"],
    [
      "sluice train in.arrow --layers 'dense(64) | leaky_relu | dense(10)' -o m.safetensors",
      "train a network",
    ],
    ["sluice predict m.safetensors in.arrow out.arrow", "and use it"],
    ["sluice inspect in.arrow", "what is in a file"],
    ["sluice ops leaky_relu", "what an op computes"],
    ["sluice plot leaky_relu elu gelu", "their curves"],
  ],
};

const PAGES: Readonly<Record<CommandName, Page>> = {
  apply: {
    intro:
      "Computes ops over the tensor columns of a file. Values are replaced in place: names, types, shapes, nulls and " +
      "all other columns stay as they are, byte for byte.",
    examples: [
      ["sluice apply leaky_relu in.arrow out.arrow", "every tensor column, alpha 0.01"],
      ["sluice apply 'leaky_relu(0.2)' in.arrow out.arrow", "with a parameter; the quotes are for the shell"],
      ["sluice apply 'mul(0.5) | leaky_relu(alpha=-0.1)' in.npy out.npy", "a chain, fused into one pass"],
      ["sluice apply relu -c embedding -c point.x in.arrow out.arrow", "these columns only"],
      ["cat in.arrows | sluice apply relu - - > out.arrows", "from a pipe, to a pipe or a file"],
      ["sluice apply relu in.arrow - | sluice inspect -", "to stdout: the Arrow stream format"],
      ["sluice apply relu --json in.arrow out.arrow | jq .seconds", "results for a script"],
    ],
    notes: [
      "<ops> is an op, or several joined by |. Parameters go by name or by position: leaky_relu(alpha=0.2), " +
        "leaky_relu(0.2). sluice ops lists them.",
      "<input> and <output> are paths, or - for stdin and stdout. The input's format is read from its content: Arrow " +
        "IPC file or stream, or npy. The output's format goes by its name (.arrow or .feather, .arrows, .npy) or by " +
        "--format; stdout carries the Arrow stream format unless --format says otherwise.",
      "The output is written beside its place and moved there at the end: a run that fails or is interrupted leaves no " +
        "output, and an existing one as it was.",
    ],
  },
  grad: {
    intro:
      "Sends gradients back through ops: dy, the gradient of their output, becomes dx, the gradient of their input, in " +
      "the same bytes. The gradients of the ops' parameters are summed over the whole file, to the same bits for any " +
      "number of workers and any --memory.",
    examples: [
      [
        "sluice grad leaky_relu --input-column x --upstream dy in.arrow out.arrow",
        "the column dy becomes dx",
      ],
      ["sluice grad 'prelu([0.1, 0.2])' x.npy dy.npy dx.npy", "of npy: x, dy and the output"],
      [
        "sluice grad 'mul(2) | leaky_relu' --json --input-column x --upstream dy in.arrow out.arrow | jq .gradients",
        "parameter gradients for a script",
      ],
      [
        "cat in.arrows | sluice grad relu --input-column x --upstream dy - - > out.arrows",
        "from a pipe, to a pipe or a file",
      ],
      [
        "sluice grad leaky_relu --from-output --input-column y --upstream dy in.arrow out.arrow",
        "y is what leaky_relu gave",
      ],
    ],
    notes: [
      "x and dy are two columns of one type and shape, named as for apply (column.child is a struct's child), or two npy " +
        "files of one dtype, shape and order. Everything but dy stays as it is, byte for byte, x included.",
      "From a pipe, x must be at hand where dy is: of each batch what lies between the two is held in memory, at most " +
        "--memory. The path of a file needs none of that.",
      "Parameter gradients go to stderr as a table, or with --json into the result. Numbers that JSON does not know are " +
        'strings there: "NaN", "Infinity", "-Infinity". Values under nulls are computed, and count in the sums.',
    ],
  },
  train: {
    intro:
      "Trains a network on Arrow files, or on a pair of npy files, of any size: layers, loss and optimiser by name, on " +
      "every core. Losses and weights are the same bits for any --workers, any --memory, and across a stop and --resume.",
    examples: [
      [
        "sluice train digits.arrow --layers 'dense(256) | leaky_relu | dense(10)' -o digits.safetensors",
        "a classifier: one tensor column, and a label",
      ],
      [
        "sluice train 'part-*.arrow' --features image --label digit --layers 'dense(10)' --validation 0.1 -o m.safetensors",
        "several files, columns by name, a tenth of the rows held out",
      ],
      [
        "sluice train x.npy y.npy --layers 'standardize | dense(64) | gelu | dense(1)' --loss mse -o m.safetensors",
        "a regression",
      ],
      [
        "sluice train digits.arrow --layers 'dense(10)' --report report.html --log run.jsonl -o m.safetensors",
        "with curves to look at",
      ],
      ["sluice train digits.arrow --resume digits.safetensors", "go on after Ctrl-C, or a crash"],
      ["sluice train digits.arrow --resume digits.safetensors --epochs 20", "and for longer than planned"],
    ],
    notes: [
      "Layers: dense(units), conv2d(channels, kernel), max_pool(kernel), avg_pool(kernel), dropout(rate), layer_norm, " +
        "batch_norm, standardize, flatten, reshape(1, 28, 28), and every op of sluice ops. leaky_relu(0.2, learn) learns " +
        "its slope, leaky_relu(learn=[0, 1]) within bounds, prelu(each) one for each channel.",
      "Labels are integers, booleans, strings or dictionaries; for mse, mae and huber they are numbers. The mapping of " +
        "classes is kept in the model.",
      "The model is written beside its place and moved there: whatever happens, the last checkpoint stays. Ctrl-C saves, " +
        "and exits with 130. See docs/training.md.",
    ],
  },
  predict: {
    intro:
      "Runs a trained model over a file or a stream of any size, and adds its predictions as a new column. All other " +
      "columns and metadata stay as they are, byte for byte.",
    examples: [
      ["sluice predict digits.safetensors in.arrow out.arrow --into logits", "the outputs of the network"],
      ["sluice predict digits.safetensors in.arrow out.arrow --into digit --argmax", "labels"],
      [
        "sluice predict m.safetensors in.arrow out.arrow --features width --features height --into area",
        "features from columns of other names",
      ],
      ["cat in.arrows | sluice predict digits.safetensors - - > out.arrows", "as a filter in a pipe"],
      ["sluice predict digits.safetensors x.npy labels.npy --argmax", "of an npy array another one"],
    ],
    notes: [
      "The new column is a fixed_size_list of float32 (a fixed_shape_tensor where the outputs have several axes, a float32 " +
        "column where there is one output). With --argmax it is int64, bool, or strings as a dictionary. Where a feature " +
        "of a row is null, its prediction is null.",
      "A name that is taken is an error: nothing is replaced.",
      "Batches of a file may have any size. Of a batch from a pipe the predictions and null bitmaps are held in memory, at " +
        "most --memory, and of several feature columns the values, too.",
    ],
  },
  inspect: {
    intro:
      "Shows what a tensor file holds: schema, tensors with dtype and shape, batches, sizes, and statistics of the " +
      "values. Reads any size in constant memory.",
    examples: [
      ["sluice inspect in.arrow", "statistics from the first 64 MiB of each tensor"],
      ["sluice inspect --statistics all in.arrow", "from every element"],
      ["sluice inspect --statistics none in.arrow", "the schema and sizes only"],
      ["cat in.arrows | sluice inspect -", "from a pipe"],
      ["sluice inspect --json in.npy | jq .tensors", "for a script"],
      ["sluice inspect digits.safetensors", "the layers of a model, and what it predicts"],
    ],
    notes: [
      "Roles: a tensor column is what apply computes unless told otherwise; float is a plain float column, computed " +
        "when it is named; kept is carried through; skipped looks like a tensor, but this version does not handle it.",
      "Statistics see the elements that apply would compute, those under nulls included.",
    ],
  },
  ops: {
    intro:
      "Lists the ops, or explains one: formula, gradient, accuracy, domain, whose semantics it has, parameters and their " +
      "defaults, its curve, and values.",
    examples: [
      ["sluice ops", "all of them"],
      ["sluice ops leaky_relu", "one, with examples"],
      ["sluice ops --json", "the catalog for a script"],
    ],
  },
  plot: {
    intro:
      "Draws the curves of ops and chains, and with --grad their derivatives: as text in the terminal, or as a picture " +
      "that is readable on light and dark paper, and without colour.",
    examples: [
      ["sluice plot leaky_relu", "in the terminal"],
      ["sluice plot 'leaky_relu(0.2)' elu gelu --grad", "several, with their derivatives"],
      ["sluice plot 'mul(2) | tanh' tanh --from -3 --to 3", "a chain, and a range of x"],
      ["sluice plot elu gelu silu -o curves.svg", "a picture; .png needs the package @resvg/resvg-js"],
      ["sluice plot gelu --json | jq .curves[0].value", "the points for a script"],
    ],
    notes: [
      "Each <ops> is an op or a chain, and one curve; a list of slopes gives a curve for each. Ops over rows, such as " +
        "softmax, have no curve.",
      "Lines end where a curve is torn: at jumps and poles, and where there is no value. In a picture a full dot is the " +
        "value at a jump, and a hollow one a limit that is not taken.",
    ],
  },
  doctor: {
    intro:
      "Checks what this machine offers: Node, cores, memory, SIMD, threads, a GPU; starts a worker and measures rates.",
    examples: [["sluice doctor", "one verdict a line; exits with 1 if something essential is missing"]],
  },
  help: {
    intro: "Explains a command.",
    examples: [["sluice help apply", "the same as sluice apply --help"]],
  },
};

const EXIT_CODES: readonly (readonly [code: string, about: string])[] = [
  ["0", "done"],
  ["1", "failed: bad data, a read or write, memory, a GPU, a training"],
  ["2", "used wrongly: an unknown option or op, a value that cannot be"],
  ["130", "interrupted: Ctrl-C, SIGTERM or SIGHUP"],
  ["141", "the reader of stdout went away, as with | head"],
];

const ENVIRONMENT: readonly (readonly [name: string, about: string])[] = [
  ["NO_COLOR", "no colour"],
  ["FORCE_COLOR", "colour, terminal or not"],
  ["SLUICE_DEBUG=1", "stack traces with errors"],
  ["SLUICE_MULTIPLY_ADD=plain", "no relaxed SIMD: slower, other bits in training"],
];

export const run: Run = async ([name]) => {
  const command = name === undefined ? undefined : findCommand(name);
  if (name !== undefined && command === undefined) {
    throw new UsageError(`there is no command ${JSON.stringify(name)}`, {
      remedy: `The commands are ${COMMANDS.map((each) => each.name).join(", ")}. For an op: sluice ops ${name}`,
    });
  }
  return showHelp(command, "stdout");
};

export async function showHelp(command: CommandSpec | undefined, to: "stdout" | "stderr"): Promise<number> {
  const stream = process[to];
  await print(renderHelp(command, widthOf(stream), styleFor(stream.isTTY === true)), to);
  return EXIT.done;
}

/** `sluice --help`, or with a command `sluice apply --help`. `width`: cells of a line. */
export function renderHelp(command: CommandSpec | undefined, width: number, style: Style): string {
  const page = command === undefined ? OVERVIEW : PAGES[command.name];
  const options = command?.options ?? GLOBAL_OPTIONS;
  const measure = measureOf(width);
  const table = (rows: readonly (readonly [string, string])[]): string =>
    renderTable(
      [{ title: "" }, { title: "", wrapAt: 30 }],
      rows.map(([term, about]) => [style.cyan(term), about]),
      { width: measure, style, titles: false },
    );
  const heading = (text: string): string => `\n${style.bold(text)}\n`;

  const parts = [
    `${style.bold("Usage:")} ${command === undefined ? "sluice <command> [options]" : `${usageOf(command)} [options]`}\n\n`,
    `${wrap(page.intro, measure).join("\n")}\n`,
    heading("Examples"),
    renderExamples(page.examples, measure, style),
  ];
  for (const note of page.notes ?? []) parts.push(`\n${wrap(note, measure).join("\n")}\n`);
  if (command === undefined) {
    parts.push(
      heading("Commands"),
      table(COMMANDS.map((each) => [usageOf(each).slice("sluice ".length), each.summary])),
    );
  }
  parts.push(heading("Options"), table(options.map((option) => [termOf(option), option.about])));
  parts.push(heading("Exit codes"), table(EXIT_CODES));
  if (command === undefined) {
    parts.push(heading("Environment"), table(ENVIRONMENT));
    parts.push(`\n${wrap("sluice help <command> tells more of each.", measure).join("\n")}\n`);
  }
  return parts.join("");
}

/** Command and remark on one line where all fit so, else the remark above its command, as in a shell script. */
function renderExamples(examples: Page["examples"], width: number, style: Style): string {
  const longest = Math.max(...examples.map(([command]) => command.length));
  const beside = examples.every(([, about]) => 2 + longest + 4 + about.length <= width);
  return examples
    .map(([command, about]) =>
      beside
        ? `  ${style.cyan(command.padEnd(longest))}  ${style.dim(`# ${about}`)}\n`
        : `  ${style.dim(`# ${about}`)}\n  ${style.cyan(command)}\n`,
    )
    .join("");
}

function termOf({ name, short, value }: OptionSpec): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}
