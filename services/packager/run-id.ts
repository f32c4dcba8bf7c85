const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a text from outside can be a run's id. It becomes the name of a folder, so nothing else may pass. */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}
