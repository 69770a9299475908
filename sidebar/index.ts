/** The entry of resources/orgo-audio-tab.js, which the monitor's html loads: adds the tab, and takes it away again. */
import type { Ajax, RedEditor } from './node-red';
import { AudioTab } from './tab';

interface Browser {
  readonly $: Ajax;
  readonly RED: RedEditor;
  orgoAudioTab?: { add(): void; remove(): void };
}

const browser = globalThis as unknown as Browser;
let tab: AudioTab | undefined;
browser.orgoAudioTab = {
  add() {
    tab ??= new AudioTab(browser.RED, browser.$);
    tab.add();
  },
  remove() {
    tab?.remove();
    tab = undefined;
  },
};
