/** Keeps the last lines of what a program writes to stderr, however much it writes. */

const MAX_LINES = 3;
const MAX_LINE_CHARS = 200;

export class LastWords {
  private lines: string[] = [];
  private rest = '';

  push(bytes: Buffer): void {
    const parts = (this.rest + bytes.toString('utf8')).split(/[\r\n]+/);
    this.rest = (parts.pop() ?? '').slice(-MAX_LINE_CHARS);
    // Of very long output, only the end is looked at.
    for (const line of parts.slice(-MAX_LINES * 2)) this.keep(line);
  }

  /** The last lines, joined by `; `; empty where nothing was said. */
  get text(): string {
    const all = this.rest === '' ? this.lines : [...this.lines, readable(this.rest)];
    return all.slice(-MAX_LINES).join('; ');
  }

  private keep(line: string): void {
    const text = readable(line);
    if (text === '' || /^Last message repeated/.test(text) || this.lines.includes(text)) return;
    this.lines.push(text);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }
}

/** Without control characters and without addresses in memory, which mean nothing to a reader. */
function readable(line: string): string {
  return line
    .replace(/\p{Cc}/gu, '')
    .replace(/\[(\S+) @ 0x[0-9a-f]+\]/g, '[$1]')
    .trim()
    .slice(0, MAX_LINE_CHARS);
}
