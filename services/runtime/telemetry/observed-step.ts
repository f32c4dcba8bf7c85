/** Traces and metrics around a step: when work on a message begins, how its tries fail, and what its worker says of its stages. */
import type { Step, StepInput, StepOutput } from "../step.js";
import { beginWork, type InFlight } from "./in-flight.js";
import { consumerOf, queueTemplate } from "./messaging.js";
import { stageDuration, stepFailures } from "./metrics.js";
import { errorType, recordSpan, shownText } from "./tracing.js";

/** The step, observed. It goes between the step and its retries: every try is seen. */
export function observedStep(queue: string, step: Step): Step {
  const role = consumerOf(queue);
  const template = queueTemplate(queue);
  return async (input: StepInput, signal: AbortSignal) => {
    const message = beginWork(input.id);
    try {
      const outputs = await step(input, signal);
      for (const output of outputs) if (output.stages) recordStages(output.stages, message, role);
      return outputs;
    } catch (error) {
      const type = errorType(error);
      stepFailures.add(1, { "messaging.destination.template": template, "error.type": type });
      message?.span?.event("exception", { "exception.type": type, "exception.message": shownText(String(error)) });
      throw error;
    }
  };
}

function recordStages(stages: NonNullable<StepOutput["stages"]>, message: InFlight | undefined, role: string): void {
  for (const { stage, startMs, endMs } of stages) {
    stageDuration.record((endMs - startMs) / 1000, { "maskline.stage": stage, "error.type": "" });
    if (message?.span) recordSpan(stage, message.traceparent, { role, startMs }, endMs);
  }
}
