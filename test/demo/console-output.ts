/** What the demo prints: colours on a terminal, plain lines anywhere else. */

export interface ConsoleOutput {
  heading(text: string): void;
  /** What the demo itself does. */
  step(text: string): void;
  /** A line of the session's log, as its user sees it in Hub. */
  log(level: string, message: string): void;
  result(label: string, text: string): void;
  failure(text: string): void;
}

const CODES = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", blue: "34" } as const;
const LEVEL_COLOURS: Readonly<Record<string, keyof typeof CODES>> = { DEBUG: "dim", INFO: "blue", WARNING: "yellow", ERROR: "red" };

/** @param now milliseconds since the demo began */
export function createOutput(now: () => number): ConsoleOutput {
  const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const paint = (colour: keyof typeof CODES, text: string) => (coloured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const clock = () => paint("dim", `${(now() / 1000).toFixed(1).padStart(5)} s`);
  return {
    heading: (text) => print(`\n${paint("bold", text)}\n`),
    step: (text) => print(`${clock()}  ${paint("dim", text)}`),
    log: (level, message) => print(`${clock()}  ${paint(LEVEL_COLOURS[level] ?? "dim", level.padEnd(7))}  ${message}`),
    result: (label, text) => print(`  ${paint("green", label.padEnd(9))} ${text}`),
    failure: (text) => process.stderr.write(`\n${paint("red", "The demo failed:")} ${text}\n`),
  };
}
