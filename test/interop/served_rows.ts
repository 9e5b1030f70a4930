/**
 * @file Prints the rows that training would be served, as JSON, for `test_train_data.py`. Each argument is a JSON object:
 * the path, the feature columns and the label.
 */
import { openDataset } from "../../src/train/data/dataset.ts";
import { serve } from "../train/data/served.ts";

const results = [];
for (const argument of process.argv.slice(2)) {
  const { path, features, label } = JSON.parse(argument) as { path: string; features: string; label: string };
  const options = { task: "classes", seed: 1, memory: 2 ** 28, validation: 1, skipNulls: true } as const;
  const data = await openDataset(path, { ...options, features, label });
  const { features: rows, targets } = await serve(data, data.open("validation", 0), 100);
  const classes = data.target.kind === "classes" ? data.target.classes : [];
  const labels = targets.map(([index]) => classes[index!]);
  results.push({ shape: data.featureShape, rows, labels, skipped: data.rows.skipped });
  await data.close();
}
process.stdout.write(JSON.stringify(results));
