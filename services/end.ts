/** How every command ends. */
import { ConfigError } from "./runtime/config.js";
import { describeError } from "./runtime/errors.js";

/**
 * Runs a command and ends the process with its exit code, whatever is still going on in it: a service that could not be stopped would
 * keep it alive. 2: the configuration is wrong; 1: anything else that failed.
 */
export async function endWith(command: () => Promise<number>): Promise<never> {
  const code = await codeOf(command);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

async function codeOf(command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : `maskline failed: ${describeError(error)}`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
