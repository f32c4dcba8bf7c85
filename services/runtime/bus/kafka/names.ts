/** How queues are called in Kafka: a topic each, and its one consumer group of the same name (`maskline.raster`, `maskline.out.packager-0`). */
import { Fatal } from "../../errors.js";
import { checkQueueName } from "../queue-name.js";

/** Kafka's own limit. */
const LONGEST_TOPIC = 249;

/** @throws Fatal for a queue whose name is none */
export function topicName(prefix: string, queue: string): string {
  checkQueueName(queue);
  const topic = `${prefix}.${queue}`;
  if (topic.length > LONGEST_TOPIC) throw new Fatal(`the topic ${topic} has more than the ${LONGEST_TOPIC} characters that Kafka allows`);
  return topic;
}

export function groupOf(topic: string): string {
  return topic;
}
