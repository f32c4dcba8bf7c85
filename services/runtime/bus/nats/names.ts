/** How queues and keys are called in NATS. Stream `<prefix>-<first word>`, subject `<prefix>.<queue>.<key>`, consumer `<queue>`. */

/** Words may not hold it, names of consumers may. */
const DURABLE_SEPARATOR = "~";
/** Begins a key that is no subject token by itself. */
const ENCODED = "=";

/** The part of a queue's name that names its stream: `out` of `out.packager-0`. */
export function firstWord(queue: string): string {
  return queue.split(".", 1)[0] ?? queue;
}

export function streamName(prefix: string, word: string): string {
  return `${prefix}-${word}`;
}

/** All subjects of a stream. */
export function streamSubjects(prefix: string, word: string): string {
  return `${prefix}.${word}.>`;
}

/** The consumer of a queue: a dot is not allowed in its name. */
export function durableName(queue: string): string {
  return queue.replaceAll(".", DURABLE_SEPARATOR);
}

/** All subjects of a queue, and of no other: the number of tokens tells `a` with key `b` from the queue `a.b`. */
export function queueSubjects(prefix: string, queue: string): string {
  return `${prefix}.${queue}.*`;
}

/** The subject of one key (run) of a queue. */
export function subjectOf(prefix: string, queue: string, key: string): string {
  return `${prefix}.${queue}.${keyToken(key)}`;
}

/** The key in a subject. */
export function keyIn(subject: string): string {
  const token = subject.slice(subject.lastIndexOf(".") + 1);
  return token.startsWith(ENCODED) ? Buffer.from(token.slice(ENCODED.length), "base64url").toString("utf8") : token;
}

function keyToken(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : ENCODED + Buffer.from(key, "utf8").toString("base64url");
}
