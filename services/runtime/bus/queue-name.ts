import { Fatal } from "../errors.js";

const QUEUE_NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/** @throws Fatal for a name that not every broker could take: it is a mistake in the code, so trying again can not help. */
export function checkQueueName(queue: string): void {
  if (QUEUE_NAME.test(queue)) return;
  throw new Fatal(`${JSON.stringify(queue)} is no name for a queue; allowed: words of [A-Za-z0-9_-] joined by dots`);
}
