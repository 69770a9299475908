/** Draws what is played as a spectrogram: time to the right, pitch upwards, in the page's own colours. */

const FFT_SIZE = 2048;
/** A column each. */
const COLUMN_MS = 25;
const LOWEST_HZ = 60;
const HIGHEST_HZ = 16_000;
/** What is drawn as the ground, and as the loudest, dB. */
const QUIET_DB = -95;
const LOUD_DB = -25;

export class Spectrogram {
  readonly #canvas: HTMLCanvasElement;
  readonly #drawing: CanvasRenderingContext2D | null;
  #colours: Uint8ClampedArray[] = [];
  #timer: number | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#drawing = canvas.getContext('2d');
    this.#readColours();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#readColours());
  }

  /** Draws what `analyser` hears, until {@link stop}. Nothing is drawn while the page is hidden. */
  start(analyser: AnalyserNode): void {
    this.stop();
    analyser.fftSize = FFT_SIZE;
    analyser.smoothingTimeConstant = 0;
    const bins = new Float32Array(analyser.frequencyBinCount);
    this.#timer = setInterval(() => {
      if (document.hidden) return;
      analyser.getFloatFrequencyData(bins);
      this.#draw(bins, analyser.context.sampleRate);
    }, COLUMN_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(bins: Float32Array, sampleRate: number): void {
    const { width, height } = this.#canvas;
    const drawing = this.#drawing;
    if (!drawing) return;
    drawing.drawImage(this.#canvas, -1, 0);
    const column = drawing.createImageData(1, height);
    for (let y = 0; y < height; y++) {
      const hz = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (1 - y / (height - 1));
      const db = bins[Math.round((hz * FFT_SIZE) / sampleRate)] ?? QUIET_DB;
      const share = Math.max(0, Math.min(1, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
      column.data.set(this.#colours[Math.round(share * 255)] ?? [0, 0, 0, 0], y * 4);
    }
    drawing.putImageData(column, width - 1, 0);
  }

  /** From the ground to the page's colour of loudness. */
  #readColours(): void {
    this.#drawing?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const style = getComputedStyle(document.documentElement);
    const [ground, loud] = ['--ground', '--loud'].map((name) => style.getPropertyValue(name).trim());
    const scale = document.createElement('canvas');
    scale.width = 256;
    scale.height = 1;
    const drawing = scale.getContext('2d');
    if (!drawing) return;
    const gradient = drawing.createLinearGradient(0, 0, 256, 0);
    gradient.addColorStop(0, ground || 'white');
    gradient.addColorStop(1, loud || 'black');
    drawing.fillStyle = gradient;
    drawing.fillRect(0, 0, 256, 1);
    const { data } = drawing.getImageData(0, 0, 256, 1);
    this.#colours = Array.from({ length: 256 }, (_, i) => data.slice(i * 4, i * 4 + 4));
  }
}
