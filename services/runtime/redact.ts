/** The query of a URL carries its signature: everything behind `?` goes. */
const URL_QUERY = /(\bhttps?:\/\/[^\s"'?]+)\?[^\s"']*/g;

/** Removes the query of every URL in a text, for it may be a signature. */
export function redactUrls(message: string): string {
  return message.replace(URL_QUERY, "$1?[redacted]");
}
