/** The script of the page /listen: a password and a button around the player, and what it tells. */
import { createPlayer, type Player } from '../index';
import { Spectrogram } from './spectrogram';

/** The best that a server offers. */
const QUALITY = 'sample_rate=48000&channels=2';
const QUIET_DB = -60;

const form = element('form', HTMLFormElement);
const password = element('password', HTMLInputElement);
const button = element('listen', HTMLButtonElement);
const volume = element('volume', HTMLInputElement);
const level = element('level', HTMLElement);
const bar = element('bar', HTMLElement);
const spectrogram = new Spectrogram(element('spectrogram', HTMLCanvasElement));
/** The one that plays, or would. */
let player: Player | undefined;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (player) stop();
  else listen();
});
volume.addEventListener('input', () => {
  if (player) player.volume = volumeNow();
});

function listen(): void {
  const url = `${document.body.dataset['audio'] ?? 'audio'}?${QUALITY}`;
  const current = createPlayer({ url, token: password.value, volume: volumeNow() });
  player = current;
  const on = (name: string, follow: () => void): void =>
    current.addEventListener(name, () => {
      if (player === current) follow();
    });
  on('state', () => showState(current));
  on('problem', () => showProblem(current));
  on('level', () => showLevel(current.level));
  on('latencyMs', () => showAge(current.latencyMs));
  on('underruns', () => show('gaps', String(current.underruns)));
  show('gaps', '0');
  show('problem', '');
  button.textContent = 'Stop';
  current.start();
  if (current.analyser) spectrogram.start(current.analyser);
}

function stop(): void {
  const current = player;
  player = undefined;
  current?.stop();
  spectrogram.stop();
  button.textContent = 'Listen';
  show('state', 'Stopped.');
  showLevel(-Infinity);
  showAge(undefined);
}

function showState({ state }: Player): void {
  switch (state) {
    case 'connecting':
      show('state', 'Connecting …');
      break;
    case 'waiting':
      show('state', 'Waiting to connect again …');
      break;
    case 'playing':
      show('state', 'Playing.');
      break;
    case 'stopped':
      break;
  }
}

function showProblem({ problem, state }: Player): void {
  if (problem && state === 'stopped') stop();
  show('problem', problem?.message ?? '');
  const isWrong = problem?.code === 'bad-password';
  password.setAttribute('aria-invalid', String(isWrong));
  if (isWrong) password.focus();
}

function showLevel(db: number): void {
  const shown = Math.max(-96, Math.round(db));
  level.setAttribute('aria-valuenow', String(shown));
  level.setAttribute('aria-valuetext', `${shown} dBFS`);
  bar.style.width = `${Math.max(0, Math.min(1, 1 - db / QUIET_DB)) * 100}%`;
  show('level-text', shown === -96 ? '–' : `${shown} dBFS`);
}

function showAge(ms: number | undefined): void {
  show('age', ms === undefined ? '–' : `${Math.round(ms / 5) * 5} ms`);
}

function volumeNow(): number {
  return Number(volume.value) / 100;
}

function show(id: string, text: string): void {
  const target = element(id, HTMLElement);
  if (target.textContent !== text) target.textContent = text;
}

function element<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} with the id ${id}`);
  return found;
}
