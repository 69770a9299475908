/** The part of Node-RED's editor that the tab uses, typed once. */

interface TabOptions {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly iconClass: string;
  readonly content: HTMLElement;
  readonly action: string;
  readonly enableOnEdit: boolean;
}

export interface RedEditor {
  _(key: string, values?: Readonly<Record<string, unknown>>): string;
  readonly sidebar: {
    addTab(options: TabOptions): void;
    removeTab(id: string): void;
    show(id: string): void;
  };
  readonly actions: { add(name: string, action: () => void): void; remove(name: string): void };
  readonly view: { reveal(id: string): void };
}

/** As much of jQuery as asks Node-RED with the right of who is logged in. */
export interface Ajax {
  ajax(options: object): PromiseLike<unknown>;
}

/** What a request of {@link Ajax} rejects with. */
export interface Refusal {
  readonly status?: number;
}

const WORDS = 'node-red-contrib-orgo-audio/orgo-audio-monitor:orgo-audio-monitor.tab.';

/** Looks a text of the tab up in the node's catalog. */
export type Words = (key: string, values?: Readonly<Record<string, unknown>>) => string;

export function wordsOf(RED: RedEditor): Words {
  return (key, values) => RED._(WORDS + key, values);
}
