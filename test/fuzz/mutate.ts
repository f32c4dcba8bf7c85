/** Mutations of JSON values and of bytes that know nothing of what they mutate. */
import type { Dice } from "./dice.js";

type Json = unknown;

/** What parsers are told from time to time. */
const ODD_VALUES: readonly [Json, ...Json[]] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.5,
  1e21,
  -1e308,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  "",
  " ",
  "0",
  "null",
  "\u0000",
  "\u2028",
  "\ud800",
  "🚗",
  "__proto__",
  "../../etc/passwd",
  "x".repeat(400),
  [],
  {},
  [[]],
  [null],
  [[[[[[]]]]]],
  { length: 3 },
  { toString: null },
];

/** A copy: what is put into one mutant may be mutated there. */
function oddValue(random: Dice): Json {
  return structuredClone(random.pick(ODD_VALUES));
}

interface Place {
  readonly holder: Record<string, Json> | Json[];
  readonly key: string | number;
}

/** One change at a random place of the value, in place; the value itself when it has no places. */
export function mutateJson(value: Json, random: Dice): Json {
  const places: Place[] = [];
  collect(value, places);
  const place = places[random.below(places.length)];
  if (!place) return oddValue(random);
  const { holder, key } = place;
  if (Array.isArray(holder)) mutateList(holder, Number(key), random);
  else mutateField(holder, String(key), random);
  return value;
}

function collect(value: Json, places: Place[]): void {
  if (typeof value !== "object" || value === null) return;
  const holder = value as Place["holder"];
  const keys = Array.isArray(holder) ? holder.keys() : Object.keys(holder);
  for (const key of keys) {
    places.push({ holder, key });
    collect((holder as Record<string | number, Json>)[key], places);
  }
}

function mutateList(list: Json[], at: number, random: Dice): void {
  switch (random.below(5)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      list.splice(at, 0, structuredClone(list[at]));
      return;
    case 2:
      list[at] = odder(list[at], random);
      return;
    case 3:
      list.push(...list.splice(at, 1));
      return;
    default:
      list[at] = oddValue(random);
  }
}

function mutateField(fields: Record<string, Json>, key: string, random: Dice): void {
  const value = fields[key];
  switch (random.below(5)) {
    case 0:
      delete fields[key];
      return;
    case 1:
      delete fields[key];
      fields[random.pick([key.toUpperCase(), `${key}s`, "__proto__", "constructor", ""])] = value;
      return;
    case 2:
      fields[key] = odder(value, random);
      return;
    case 3:
      fields[key] = [value];
      return;
    default:
      fields[key] = oddValue(random);
  }
}

/** Something near it: of another type, longer, larger, the other way round. */
function odder(value: Json, random: Dice): Json {
  if (typeof value === "number") return random.pick<Json>([String(value), -value, value * 1e6, value + 0.5, value - 1, Number.MAX_VALUE]);
  if (typeof value === "string") return random.pick<Json>([value.length, value + value, value.slice(1), [value], { [value]: value }]);
  if (typeof value === "boolean") return random.pick<Json>([!value, String(value), Number(value)]);
  if (Array.isArray(value))
    return random.pick<Json>([{ ...value }, value[0] ?? null, value.concat(structuredClone(value)), JSON.stringify(value)]);
  return random.pick<Json>([[value], JSON.stringify(value), null]);
}

/** One change to the bytes; always other memory than the given one. */
export function mutateBytes(bytes: Buffer, random: Dice): Buffer {
  const at = random.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + random.between(1, 64));
  switch (random.below(7)) {
    case 0:
      return Buffer.from(bytes.subarray(0, at));
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, 8)), bytes.subarray(at)]);
    case 4: {
      const zeroed = Buffer.from(bytes);
      return zeroed.fill(random.pick([0, 0xff, 0x20, 0x5b, 0x7b, 0x22]), at, until);
    }
    case 5:
      return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
    default: {
      const flipped = Buffer.from(bytes);
      for (let flips = random.between(1, 8); flips > 0 && flipped.length > 0; flips--) {
        const place = random.below(flipped.length);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << random.below(8));
      }
      return flipped;
    }
  }
}
