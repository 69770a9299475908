/** The settings of the speech detector, and what it emits. */
import type { AudioFrame, PcmFrame } from '../audio/frame';
import type { Emission } from '../audio/transform';
import { boolean, number, oneOf, type SettingValues } from '../settings/setting';

/** What becomes of the sound in which no one speaks. */
export type GateMode =
  /** It is left out: what is sent is speech with its pre-roll and hangover. */
  | 'drop'
  /** It is zeroed: the stream goes on, later by the pre-roll. */
  | 'silence'
  /** It is sent like all other sound, at once. */
  | 'pass';

const MAX_MS = 10_000;
/** Shorter parts would leave no choice of a place to cut at. */
const SHORTEST_UTTERANCE_MS = 1000;
/** As much of one stream is kept until the utterance is over. */
const LONGEST_UTTERANCE_MS = 600_000;

export const SPEECH_SETTINGS = {
  /** Probability from which speech begins; it lasts until 0.15 less. */
  threshold: number(0.5, { min: 0, max: 1 }),
  /** Speech that must be heard before it counts. */
  minSpeechMs: number(200, { min: 0, max: MAX_MS, unit: 'ms' }),
  /** Silence that must be heard before speech is over. */
  hangoverMs: number(500, { min: 0, max: MAX_MS, unit: 'ms' }),
  /** Sound from before the speech that belongs to an utterance. */
  preRollMs: number(300, { min: 0, max: MAX_MS, unit: 'ms' }),
  /** Longest part of an utterance, its closing silence included. */
  maxUtteranceMs: number(30_000, { min: SHORTEST_UTTERANCE_MS, max: LONGEST_UTTERANCE_MS, unit: 'ms' }),
  gate: oneOf<GateMode>('drop', ['drop', 'silence', 'pass']),
  /** Whether every window's probability is emitted. */
  probabilities: boolean(false),
};
export type SpeechSettings = SettingValues<typeof SPEECH_SETTINGS>;

/** Why a part of an utterance ended. */
export type UtteranceEndReason = 'silence' | 'max-length' | 'flush';

/** One part of an utterance: the speech itself, without pre-roll and hangover. Positions at the input's rate. */
export interface Speech {
  /** The same for all parts of an utterance, and unique in its stream. */
  readonly id: string;
  readonly startPosition: number;
  /** Just after its last sample; while speech is not over, just after the last one heard. */
  readonly endPosition: number;
  /** When its first sample was captured: epoch ms, fractional. */
  readonly startTime: number;
  readonly durationMs: number;
  /** That it is speech, 0 to 1: mean over its windows. */
  readonly probability: number;
  /** 0, 1, 2 … in its utterance. */
  readonly part: number;
  /** Whether no part follows; false as long as that is open. */
  readonly final: boolean;
  /** Why the part ended; missing as long as it has not. */
  readonly reason?: UtteranceEndReason;
}

/** Names of the detector's outputs. */
export const SPEECH_OUTPUTS = ['audio', 'utterance', 'event'] as const;
type SpeechOutput = (typeof SPEECH_OUTPUTS)[number];

interface OnOutput<Output extends SpeechOutput> extends Emission<Output> {
  readonly output: Output;
}

/** Gated sound. `speech`: what it is part of, as far as that is known when it leaves. */
export interface GatedSound extends OnOutput<'audio'> {
  readonly frame: PcmFrame;
  readonly properties?: { readonly speech: Speech } | undefined;
}

/** A whole utterance, or a part of one that was too long: with pre-roll and hangover, as it came in. */
export interface Utterance extends OnOutput<'utterance'> {
  readonly frame: AudioFrame;
  readonly properties: { readonly speech: Speech };
}

/** Speech began, or is over: once an utterance; `speech` covers all its parts. */
export interface SpeechChange extends OnOutput<'event'> {
  readonly event: { readonly event: 'speech-start' | 'speech-end' } & Speech;
  readonly properties: { readonly speech: Speech };
}

/** The score of one window, at the place of its first sample. */
export interface WindowProbability extends OnOutput<'event'> {
  readonly event: { readonly event: 'probability'; readonly probability: number };
  readonly properties?: undefined;
}

export type SpeechEmission = GatedSound | Utterance | SpeechChange | WindowProbability;
