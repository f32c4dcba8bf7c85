/** The two files that say which class is painted how. */
import { pythonRepr } from "./python-repr.js";

export interface MappedClass {
  readonly title: string;
  /** Gray value 1..255, or 0xRRGGBB. */
  readonly value: number;
}

/** `class_mapping.json`: title to number, or to [r, g, b], in class order, a class a line. */
export function classMappingJson(classes: readonly MappedClass[], inColour: boolean): string {
  if (classes.length === 0) return "{}\n";
  // Written by hand, for an object would move titles such as "1" to the front.
  const lines = classes.map(({ title, value }) => `  ${JSON.stringify(title)}: ${inColour ? `[${channels(value).join(", ")}]` : value}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** `class_mapping.txt`: one line, as Python prints a dict: `{'Car': 1}` or `{'Car': (31, 119, 180)}`. */
export function classMappingText(classes: readonly MappedClass[], inColour: boolean): string {
  const entries = classes.map(({ title, value }) => `${pythonRepr(title)}: ${inColour ? `(${channels(value).join(", ")})` : value}`);
  return `{${entries.join(", ")}}\n`;
}

function channels(value: number): readonly number[] {
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}
