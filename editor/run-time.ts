/** Asks the run time at one of its admin routes, and reads the answer line by line while it comes. */
import type { JQuery, Refusal, Words } from './node-red';

type Line = Readonly<Record<string, unknown>>;

/** What a browser's request tells while its answer comes. */
interface Progress {
  readonly target: { readonly responseText: string };
}

/** Words for what else than the answer may come, by HTTP status. */
const REFUSALS: Readonly<Record<number, string>> = {
  0: 'no-answer',
  401: 'not-allowed',
  403: 'not-allowed',
  429: 'too-many',
};

/** @returns what went wrong, in words; undefined where nothing did */
export async function askRunTime(
  { $, words }: { readonly $: JQuery; readonly words: Words },
  path: string,
  body: object,
  onLine: (line: Line) => void,
): Promise<string | undefined> {
  let failure: string | undefined;
  const reader = new LineReader((line) => {
    if (typeof line['failure'] === 'string') failure = line['failure'];
    else onLine(line);
  });
  try {
    const whole = await $.ajax({
      // Relative to the editor, wherever a proxy has put it.
      url: path.replace(/^\//, ''),
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
      dataType: 'text',
      xhrFields: { onprogress: ({ target }: Progress) => reader.read(target.responseText) },
    });
    reader.read(String(whole));
  } catch (refusal) {
    const { status = 0 } = refusal as Refusal;
    return words(`test.${REFUSALS[status] ?? 'refused'}`) ?? `HTTP ${status}`;
  }
  return failure;
}

/** Hands each line of a growing text on, once it is whole. */
class LineReader {
  private taken = 0;

  constructor(private readonly onLine: (line: Line) => void) {}

  /** @param text all that came so far */
  read(text: string): void {
    for (;;) {
      const end = text.indexOf('\n', this.taken);
      if (end < 0) return;
      const line = text.slice(this.taken, end);
      this.taken = end + 1;
      this.onLine(JSON.parse(line) as Line);
    }
  }
}
