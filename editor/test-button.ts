/** The button Test at the end of a dialog, and the steps that it shows as they happen. */
import type { JQuery, Words } from './node-red';
import { escapeHtml } from './rows';

type Run = (onLine: (line: Readonly<Record<string, unknown>>) => void) => Promise<string | undefined>;

const STYLE = 'list-style: none; margin: 0 0 12px; overflow-wrap: anywhere';

export class TestButton {
  private readonly id: string;

  constructor(
    private readonly $: JQuery,
    private readonly options: { readonly prefix: string; readonly words: Words },
  ) {
    this.id = `${options.prefix}orgo-test`;
  }

  html(): string {
    const label = escapeHtml(this.word('button'));
    return (
      `\n<div class="form-row"><button type="button" class="red-ui-button" id="${this.id}" aria-label="${label}">` +
      `<i class="fa fa-stethoscope"></i> ${label}</button></div>` +
      `<div role="status" id="${this.id}-steps"></div>`
    );
  }

  prepare(run: Run): void {
    const button = this.$(`#${this.id}`);
    button.on('click', () => {
      button.prop('disabled', true);
      void this.show(run).then(() => button.prop('disabled', false));
    });
  }

  private async show(run: Run): Promise<void> {
    const list = this.$('<ul>').attr('style', STYLE);
    this.$(`#${this.id}-steps`).empty().append(list);
    const add = (ok: boolean, name: string, text: string): void => {
      const line = this.line(ok, name, text);
      list.append(line);
      line.get()[0]?.scrollIntoView({ block: 'nearest' });
    };
    const failure = await run(({ step, ok, text }) => {
      const name = typeof step === 'string' ? this.word(`step.${step}`) : '';
      add(ok === true, name, typeof text === 'string' ? text : '');
    });
    if (failure !== undefined) add(false, this.word('button'), failure);
  }

  private line(ok: boolean, name: string, text: string) {
    const icon = this.$('<i>')
      .attr('class', `fa fa-${ok ? 'check' : 'times'}`)
      .attr('role', 'img')
      .attr('aria-label', this.word(ok ? 'ok' : 'failed'))
      .attr('style', 'width: 20px');
    return this.$('<li>')
      .append(icon)
      .append(this.$('<b>').text(`${name}: `))
      .append(this.$('<span>').text(text));
  }

  private word(key: string): string {
    return this.options.words(`test.${key}`) ?? key;
  }
}
