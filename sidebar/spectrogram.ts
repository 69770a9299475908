/** The picture of the last 10 s of a wire, in the colours of the editor's theme; where someone speaks, a line below it. */
import { COLUMN_BYTES, COLUMN_MS, COLUMN_ROWS } from '../src/monitor/viewer-protocol';

const SECONDS = 10;
const WIDTH = (SECONDS * 1000) / COLUMN_MS;
/** Rows below the picture: where the line of speech is. */
const MARK_ROWS = 4;
const OPAQUE = 255;

export class Spectrogram {
  readonly canvas = document.createElement('canvas');
  private columns: Uint8Array[] = [];
  private readonly probe = document.createElement('span');

  constructor() {
    this.canvas.width = WIDTH;
    this.canvas.height = COLUMN_ROWS + MARK_ROWS;
    this.canvas.className = 'orgo-audio-spectrogram';
    this.canvas.setAttribute('role', 'img');
    this.probe.className = 'orgo-audio-colours';
    this.probe.hidden = true;
  }

  /** Goes beside the canvas: the theme's colours are read of it. */
  get colours(): HTMLElement {
    return this.probe;
  }

  /** @param data columns, one after the other */
  push(data: Uint8Array): void {
    for (let at = 0; at + COLUMN_BYTES <= data.length; at += COLUMN_BYTES) {
      this.columns.push(data.slice(at, at + COLUMN_BYTES));
    }
    this.columns = this.columns.slice(-WIDTH);
    this.draw();
  }

  /** Draws all of it: colours are read anew, since the theme may have changed. */
  draw(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const style = getComputedStyle(this.probe);
    const ink = numbersOf(style.color);
    const mark = numbersOf(style.borderTopColor);
    const image = context.createImageData(WIDTH, COLUMN_ROWS + MARK_ROWS);
    const first = WIDTH - this.columns.length;
    for (const [index, column] of this.columns.entries()) {
      const paint = (row: number, [r, g, b]: Colour, alpha: number): void => {
        image.data.set([r, g, b, alpha], (row * WIDTH + first + index) * 4);
      };
      for (let row = 0; row < COLUMN_ROWS; row++) {
        paint(COLUMN_ROWS - 1 - row, ink, shade(column[1 + row] ?? 0));
      }
      if (column[0] !== 1) continue;
      for (let row = 1; row < MARK_ROWS; row++) paint(COLUMN_ROWS + row, mark, OPAQUE);
    }
    context.putImageData(image, 0, 0);
  }
}

type Colour = readonly [number, number, number];

/** What is 30 dB above the floor begins to show. */
function shade(value: number): number {
  const shown = Math.max(0, value - 80) / (OPAQUE - 80);
  return Math.round(OPAQUE * Math.min(1, shown * 1.4));
}

function numbersOf(colour: string): Colour {
  const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}
