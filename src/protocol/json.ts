/** Reads JSON from the other end, which may send anything. */

/** The object in `text`; undefined if it is not JSON or not an object. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isJsonObject(parsed) ? parsed : undefined;
}

/** Whether what was parsed is an object, and no array. */
export function isJsonObject(parsed: unknown): parsed is Record<string, unknown> {
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}
