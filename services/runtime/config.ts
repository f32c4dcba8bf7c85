/**
 * Typed configuration from environment variables. Every key is declared once, with its default, unit and meaning; a process reads all
 * keys of its roles in one go and reports all mistakes at once.
 */
import { readFileSync } from "node:fs";

export interface Key<T> {
  /** The environment variable. */
  readonly env: string;
  /** One sentence for the docs table. */
  readonly meaning: string;
  /** The default as text for the docs table; undefined: required. */
  readonly fallback: string | undefined;
  /** Also read from the file that `<env>_FILE` names, and never printed. */
  readonly secret: boolean;
  /** Throws an Error whose message says what is allowed. */
  readonly parse: (text: string) => T;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;
export type Config<K extends Keys> = { readonly [name in keyof K]: K[name] extends Key<infer T> ? T : never };
export type Environment = Readonly<Record<string, string | undefined>>;

interface Declaration {
  readonly env: string;
  readonly meaning: string;
  /** Text as a user would write it; undefined: required. An empty default means "not set". */
  readonly fallback?: string;
  readonly secret?: boolean;
}

function declare<T>({ env, meaning, fallback, secret = false }: Declaration, parse: (text: string) => T): Key<T> {
  return { env, meaning, fallback, secret, parse };
}

/** Any text. */
export function text(declaration: Declaration): Key<string> {
  return declare(declaration, (value) => value);
}

/** A comma-separated list; spaces around entries are dropped. */
export function list(declaration: Declaration): Key<readonly string[]> {
  return declare(declaration, (value) =>
    value
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );
}

/** One of the given words. */
export function oneOf<const T extends string>(declaration: Declaration, allowed: readonly T[]): Key<T> {
  return declare(declaration, (value) => {
    const found = allowed.find((word) => word === value);
    if (found === undefined) throw new Error(`allowed: ${allowed.join(", ")}`);
    return found;
  });
}

/** A whole number within bounds, both included. */
export function integer(declaration: Declaration, { min, max }: { min: number; max: number }): Key<number> {
  return declare(declaration, (value) => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < min || number > max) throw new Error(`allowed: a whole number from ${min} to ${max}`);
    return number;
  });
}

const BYTE_UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A number of bytes: `250000`, `64M`, `4.5G` (K, M and G are powers of 1024). */
export function bytes(declaration: Declaration, { min, max }: { min: number; max: number }): Key<number> {
  return declare(declaration, (value) => {
    const match = /^(\d+(?:\.\d+)?)([KMG]?)$/.exec(value);
    const number = match ? Math.round(Number(match[1]) * (BYTE_UNITS[match[2] ?? ""] ?? 1)) : Number.NaN;
    if (!(number >= min && number <= max)) throw new Error(`allowed: bytes from ${min} to ${max}, as 250000, 64M or 4.5G`);
    return number;
  });
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration in milliseconds from `250ms`, `30s`, `5m` or `24h`. */
export function duration(declaration: Declaration, { min, max }: { min: string; max: string }): Key<number> {
  const milliseconds = (value: string) => {
    const match = /^(\d+)(ms|s|m|h)$/.exec(value);
    return match ? Number(match[1]) * (DURATION_UNITS[match[2] ?? ""] ?? Number.NaN) : Number.NaN;
  };
  return declare(declaration, (value) => {
    const number = milliseconds(value);
    if (!(number >= milliseconds(min) && number <= milliseconds(max)))
      throw new Error(`allowed: a duration from ${min} to ${max}, as 30s or 5m`);
    return number;
  });
}

/** An absolute URL of one of the given schemes, without its trailing slash. An empty default stays empty. */
export function url(declaration: Declaration, schemes: readonly string[]): Key<string> {
  return declare(declaration, (value) => {
    if (value === "") return value;
    if (!URL.canParse(value) || !schemes.includes(new URL(value).protocol.slice(0, -1))) {
      throw new Error(`allowed: an absolute URL with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`);
    }
    return value.replace(/\/+$/, "");
  });
}

/** All that is wrong with the environment, one line a problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
  }
}

/**
 * Reads the declared keys from an environment. An empty variable counts as not set.
 * @throws ConfigError that lists every problem by name; the value of a secret is never in it.
 */
export function readConfig<K extends Keys>(keys: K, env: Environment): Config<K> {
  const problems: string[] = [];
  const entries = Object.entries(keys).map(([name, key]) => [name, readKey(key, env, problems)] as const);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(entries) as Config<K>;
}

function readKey(key: Key<unknown>, env: Environment, problems: string[]): unknown {
  const value = rawValue(key, env, problems);
  if (value === undefined) {
    if (key.fallback === undefined) problems.push(`${key.env} is missing: ${key.meaning}`);
    else return key.parse(key.fallback);
    return undefined;
  }
  try {
    return key.parse(value);
  } catch (error) {
    const shown = key.secret ? "(a secret)" : JSON.stringify(value);
    problems.push(`${key.env} is ${shown}; ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function rawValue(key: Key<unknown>, env: Environment, problems: string[]): string | undefined {
  const direct = env[key.env] || undefined;
  const file = key.secret ? env[`${key.env}_FILE`] || undefined : undefined;
  if (file === undefined) return direct;
  if (direct !== undefined) {
    problems.push(`${key.env} and ${key.env}_FILE are both set; set one of them`);
    return direct;
  }
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (error) {
    problems.push(
      `${key.env}_FILE names ${JSON.stringify(file)}, which can not be read (${error instanceof Error ? error.message : String(error)})`,
    );
    return undefined;
  }
}
