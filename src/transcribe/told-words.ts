/** The words of one stream as they leave: with their ids, in the order of their turns, none of them twice. */
import type { Clock } from '../audio/clock';
import type { Emission } from '../audio/transform';
import type { Heard } from './heard';
import type { Places } from './places';
import type { IndexAt } from './connection';
import type { TurnSpan } from './service';
import { locate, wordsEmission, type Located } from './words';

export interface ToldWordsOptions {
  /** Name of the stream; ids begin with it. */
  readonly stream: string;
  readonly service: string;
  readonly clock: Clock;
  readonly places: Places;
  /** What came along with the sound at an index: `msg.speech`. */
  readonly speechAt: (index: number) => object | undefined;
  readonly emit: (emission: Emission) => void;
  /** All words of the sound before this index have left. */
  readonly onSettled: (index: number) => void;
}

/** A turn whose words are still to come, or wait for those of an earlier one. */
interface OpenTurn {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Undefined while its words are to come. */
  answer?: { readonly located: Located | undefined };
}

export class ToldWords {
  /** Index after the last final word that left. */
  private toldUntil = 0;
  /** As it was when the connection began: what it hears before this was told already. */
  private repeatedUntil = 0;
  private turns: OpenTurn[] = [];
  private readonly ids = new Map<string, string>();
  private count = 0;
  /** Of the last final words, ms; undefined before there were any. */
  latencyMs: number | undefined;

  constructor(private readonly options: ToldWordsOptions) {}

  /** A connection begins: sound that has no final words yet is sent again, and turns of the last one are void. */
  begin(): void {
    this.repeatedUntil = this.toldUntil;
    this.turns = [];
    this.ids.clear();
  }

  /** Whether a turn waits for its words. */
  get isWaiting(): boolean {
    return this.turns.length > 0;
  }

  /** A turn was named. @param sentTo index after what was sent */
  turn(name: string, span: TurnSpan, indexAt: IndexAt): void {
    const start = span.startMs === undefined ? this.toldUntil : indexAt(span.startMs);
    this.turns.push({ name, start, end: indexAt(span.endMs) });
  }

  interim(heard: Heard, indexAt: IndexAt, sentTo: number, name = ''): void {
    const located = this.locate(heard, indexAt, { start: this.toldUntil, end: sentTo });
    if (located) this.emit(located, this.idOf(name), false);
  }

  final(heard: Heard, indexAt: IndexAt, sentTo: number, name = ''): void {
    const turn = this.turns.find((open) => open.name === name);
    const span = turn ?? { start: this.toldUntil, end: sentTo };
    const located = this.locate(heard, indexAt, span);
    if (!turn) {
      this.tell(name, located);
      return;
    }
    turn.answer = { located };
    for (let [first] = this.turns; first?.answer; [first] = this.turns) {
      this.turns.shift();
      this.tell(first.name, first.answer.located);
      this.options.onSettled(first.end);
    }
  }

  private tell(name: string, located: Located | undefined): void {
    const id = this.idOf(name);
    this.ids.delete(name);
    if (!located) return;
    this.toldUntil = Math.max(this.toldUntil, located.end);
    this.emit(located, id, true);
    this.options.onSettled(located.end);
  }

  private locate(heard: Heard, indexAt: IndexAt, span: { start: number; end: number }): Located | undefined {
    return locate(heard, indexAt, this.repeatedUntil, span);
  }

  private emit(located: Located, id: string, final: boolean): void {
    const { clock, places, service, speechAt, emit } = this.options;
    const now = clock.now() + clock.epochOffset();
    const speech = speechAt(located.end);
    const emission = wordsEmission(located, places, { id, final, service, now, speech });
    if (!emission) return;
    if (final) this.latencyMs = emission.properties.transcript.latencyMs;
    emit(emission);
  }

  private idOf(name: string): string {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const id = `${this.options.stream}:${this.count++}`;
    this.ids.set(name, id);
    return id;
  }
}
