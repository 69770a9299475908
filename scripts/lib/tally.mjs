/** A reporter of node:test that leaves one line of JSON for each test that ended: what `npm test` counts at its end. */

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* tally(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A suite counts by its tests, and a file by its own.
    if (data.details?.type === 'suite' || data.name === data.file) continue;
    const skipped = data.skip === undefined ? undefined : String(data.skip);
    yield `${JSON.stringify({ name: data.name, passed: type === 'test:pass', skipped })}\n`;
  }
}
