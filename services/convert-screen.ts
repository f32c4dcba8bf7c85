/** What `maskline convert` shows: the session's log lines, and a progress bar below them on a terminal. The only import of cli-progress. */
import cliProgress from "cli-progress";
import type { LogLevel } from "./gateway/hub.js";

export interface Screen {
  /** A line of the session's log. */
  line(level: LogLevel, message: string): void;
  progress(done: number, total: number): void;
  end(): void;
}

/** Lines go to standard error, so that standard output holds the result alone. */
export function createScreen(): Screen {
  const bar = process.stderr.isTTY
    ? new cliProgress.SingleBar({
        format: "{bar} {percentage} %  {value} of {total}  {duration_formatted}  about {eta_formatted} left",
        hideCursor: true,
        clearOnComplete: true,
        etaBuffer: 200,
      })
    : undefined;
  let started = false;
  const hide = () => {
    if (started) bar?.stop();
    started = false;
  };
  return {
    line(level, message) {
      hide();
      process.stderr.write(level === "INFO" ? `${message}\n` : `${level}: ${message}\n`);
    },
    progress(done, total) {
      if (!bar) return;
      if (!started) bar.start(total, done);
      else bar.update(done);
      started = true;
    },
    end: hide,
  };
}
