import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { bytesPerSample, formatText, samplesInMs, type PcmFormat } from '../../../src/audio/format';
import { sliceFrame, type PcmFrame } from '../../../src/audio/frame';
import { Resampler } from '../../../src/resample/resampler';
import type { Speech, SpeechEmission, SpeechSettings } from '../../../src/vad/speech';
import { SpeechDetector } from '../../../src/vad/speech-detector';
import { recording, whiteNoise } from '../../vad/recordings';
import { describeWith, needs } from '../../support/needs';

const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 16000, channels: 1 };
const SETTINGS: SpeechSettings = {
  threshold: 0.5,
  minSpeechMs: 200,
  hangoverMs: 500,
  preRollMs: 300,
  maxUtteranceMs: 30_000,
  gate: 'drop',
  probabilities: false,
};
const WINDOW = 512;
const PRE_ROLL = samplesInMs(16000, 300);
const HANGOVER = samplesInMs(16000, 500);
const START = 1000;
const START_TIME = 1_700_000_000_000;

interface Audio {
  readonly frame: PcmFrame;
  readonly speech: Speech | undefined;
}
interface Utterance extends Audio {
  readonly speech: Speech;
}
type Event = Extract<SpeechEmission, { output: 'event' }>['event'] & {
  readonly position: number;
  readonly time: number;
  readonly speech: Speech;
};

function audioOf(out: SpeechEmission[]): Audio[] {
  return out.flatMap((one) =>
    one.output === 'audio' ? [{ frame: one.frame, speech: one.properties?.speech }] : [],
  );
}

function utterancesOf(out: SpeechEmission[]): Utterance[] {
  return out.flatMap((one) =>
    one.output === 'utterance' ? [{ frame: one.frame as PcmFrame, speech: one.properties.speech }] : [],
  );
}

function eventsOf(out: SpeechEmission[]): Event[] {
  return out.flatMap((one) => {
    if (one.output !== 'event') return [];
    const { position, time } = one.frame;
    return [{ ...one.event, position, time, speech: one.properties?.speech } as Event];
  });
}

function frameOf(data: Buffer, format = FORMAT, position = START): PcmFrame {
  return {
    format,
    data,
    samples: data.length / bytesPerSample(format),
    position,
    time: START_TIME + ((position - START) * 1000) / format.sampleRate,
    gap: 0,
    latencyMs: 5,
  };
}

const seconds = (count: number): Buffer => Buffer.alloc(32000 * count);

/** Two commands: "go forward ten meters" between pauses, another one behind them. */
function conversation(): PcmFrame {
  const parts = [
    seconds(1),
    recording('goforward.raw'),
    seconds(1.5),
    recording('something.raw'),
    seconds(1),
  ];
  return frameOf(Buffer.concat(parts));
}

/** `frame` in another format, at the same place and time. */
function convert(frame: PcmFrame, format: PcmFormat): PcmFrame {
  const resampler = new Resampler(format);
  const parts = [...resampler.push(frame), ...resampler.flush()];
  const [first = frame] = parts;
  return {
    ...first,
    data: Buffer.concat(parts.map(({ data }) => data)),
    samples: parts.reduce((sum, { samples }) => sum + samples, 0),
    latencyMs: frame.latencyMs,
  };
}

/** Pushes `frame` in cuts of `samples`, in turn. */
function detect(
  frame: PcmFrame,
  settings: Partial<SpeechSettings> = {},
  cuts: readonly number[] = [320],
): SpeechEmission[] {
  const detector = new SpeechDetector({ ...SETTINGS, ...settings }, { idPrefix: 'pc:' });
  const out: SpeechEmission[] = [];
  for (let at = 0, i = 0; at < frame.samples; i++) {
    const end = Math.min(frame.samples, at + (cuts[i % cuts.length] ?? 1));
    out.push(...detector.push(sliceFrame(frame, at, end)));
    at = end;
  }
  out.push(...detector.flush());
  detector.close();
  return out;
}

/** The samples of `frame` at the stream's positions `[from, to)`. */
function samplesAt(frame: PcmFrame, from: number, to: number): Buffer {
  return sliceFrame(frame, from - frame.position, to - frame.position).data;
}

/** All sound as one: what is sent, and where it stands. */
function joinAudio(out: SpeechEmission[]): { data: Buffer; spans: [number, number][] } {
  const spans: [number, number][] = [];
  for (const { frame } of audioOf(out)) {
    const last = spans.at(-1);
    assert.equal(frame.gap, frame.position - (last?.[1] ?? START), 'a gap says what is missing');
    if (last?.[1] === frame.position) last[1] += frame.samples;
    else spans.push([frame.position, frame.position + frame.samples]);
  }
  return { data: Buffer.concat(audioOf(out).map(({ frame }) => frame.data)), spans };
}

describeWith(needs('pocketsphinx-testdata'), 'SpeechDetector', ({ test: it }) => {
  it('cuts out what is said: pre-roll and hangover included, sample for sample as it came', () => {
    const input = conversation();
    const utterances = utterancesOf(detect(input));
    assert.equal(utterances.length, 2);
    for (const { frame, speech } of utterances) {
      assert.equal(frame.position, speech.startPosition - PRE_ROLL);
      assert.equal(frame.position + frame.samples, speech.endPosition + HANGOVER);
      assert.deepEqual(frame.data, samplesAt(input, frame.position, frame.position + frame.samples));
      assert.equal(frame.time, START_TIME + (frame.position - START) / 16);
      assert.equal(frame.gap, 0);
    }
  });

  it('says where the speech itself was, and why it ended', () => {
    const [first, second] = utterancesOf(detect(conversation())).map(({ speech }) => speech);
    assert.ok(first && second);
    const { startPosition, endPosition } = first;
    assert.ok(Math.abs(startPosition - START - 16000 * 1.5) < 16000 * 0.1, `starts at ${startPosition}`);
    assert.equal((startPosition - START) % WINDOW, 0);
    assert.deepEqual({ ...first, probability: 0 }, {
      id: `pc:${startPosition}`,
      startPosition,
      endPosition,
      startTime: START_TIME + (startPosition - START) / 16,
      durationMs: (endPosition - startPosition) / 16,
      probability: 0,
      part: 0,
      final: true,
      reason: 'silence',
    } satisfies Speech);
    assert.ok(first.probability > 0.9 && first.probability <= 1);
    assert.notEqual(first.id, second.id);
  });

  it('tells when speech begins and when it is over, before its utterance', () => {
    const told = detect(conversation(), { gate: 'pass' })
      .filter(({ output }) => output !== 'audio')
      .map((one) => [one.output === 'event' ? one.event.event : one.output, one.frame.position]);
    const [a, b] = utterancesOf(detect(conversation())).map(({ speech }) => speech);
    assert.deepEqual(told, [
      ['speech-start', a?.startPosition],
      ['speech-end', a?.endPosition],
      ['utterance', (a?.startPosition ?? 0) - PRE_ROLL],
      ['speech-start', b?.startPosition],
      ['speech-end', b?.endPosition],
      ['utterance', (b?.startPosition ?? 0) - PRE_ROLL],
    ]);
  });

  it('tells the probability of every window where that is wanted', () => {
    const input = conversation();
    const events = eventsOf(detect(input, { probabilities: true })).filter(
      (one) => one.event === 'probability',
    );
    assert.equal(events.length, Math.ceil(input.samples / WINDOW));
    events.forEach(({ position, time }, i) => {
      assert.equal(position, START + i * WINDOW);
      assert.equal(time, START_TIME + i * 32);
    });
  });

  describe('as a gate', () => {
    it('drops what is no speech, and sends the pre-roll in one go', () => {
      const input = conversation();
      const out = detect(input);
      const extents = utterancesOf(out).map(({ frame }) => [frame.position, frame.position + frame.samples]);
      const { data, spans } = joinAudio(out);
      assert.deepEqual(spans, extents);
      assert.deepEqual(data, Buffer.concat(spans.map(([from, to]) => samplesAt(input, from, to))));
      const [first] = audioOf(out);
      assert.ok((first?.frame.samples ?? 0) >= PRE_ROLL + samplesInMs(16000, SETTINGS.minSpeechMs));
      assert.equal(first?.speech?.id, utterancesOf(out)[0]?.speech.id);
      assert.equal(first?.frame.latencyMs, 5 + 32, 'a window is judged when it is over');
    });

    it('does not send twice what is the end of one utterance and the pre-roll of the next', () => {
      const spoken = recording('something.raw');
      const input = frameOf(Buffer.concat([seconds(0.5), spoken, seconds(0.2), spoken, seconds(1)]));
      const out = detect(input, { hangoverMs: 100, preRollMs: 2000 });
      assert.ok(utterancesOf(out).length >= 2);
      const { data, spans } = joinAudio(out);
      assert.deepEqual(data, Buffer.concat(spans.map(([from, to]) => samplesAt(input, from, to))));
    });

    it('silences what is no speech, later by the pre-roll and with every sample in its place', () => {
      const input = conversation();
      const out = detect(input, { gate: 'silence' });
      const { data, spans } = joinAudio(out);
      assert.deepEqual(spans, [[START, START + input.samples]]);
      const passed = Buffer.alloc(data.length);
      for (const { frame, speech } of audioOf(out)) {
        assert.equal(frame.latencyMs, 5 + 300);
        assert.equal(frame.time, START_TIME + (frame.position - START) / 16);
        if (speech) frame.data.copy(passed, 2 * (frame.position - START));
      }
      assert.deepEqual(data, passed, 'what is no speech is silent');
      for (const { speech, frame } of utterancesOf(out)) {
        const from = speech.startPosition;
        const to = frame.position + frame.samples;
        const sent = data.subarray(2 * (from - START), 2 * (to - START));
        assert.deepEqual(sent, samplesAt(input, from, to), 'what is speech is all there');
      }
    });

    it('holds sound back by the pre-roll at most when it silences', () => {
      const detector = new SpeechDetector({ ...SETTINGS, gate: 'silence' });
      const input = conversation();
      let sent = 0;
      for (let at = 0; at + 320 <= input.samples; at += 320) {
        const frames = audioOf(detector.push(sliceFrame(input, at, at + 320)));
        sent += frames.reduce((sum, { frame }) => sum + frame.samples, 0);
        assert.ok(at + 320 - sent <= PRE_ROLL);
      }
    });

    it('passes all as it came, with what is being said beside it', () => {
      const input = conversation();
      const out = audioOf(detect(input, { gate: 'pass' }));
      const [first] = utterancesOf(detect(input));
      assert.ok(first);
      assert.deepEqual(Buffer.concat(out.map(({ frame }) => frame.data)), input.data);
      assert.ok(out.every(({ frame }) => frame.latencyMs === 5));
      const middle = (first.speech.startPosition + first.speech.endPosition) / 2;
      const at = (position: number): Audio | undefined =>
        out.find(({ frame }) => frame.position <= position && position < frame.position + frame.samples);
      assert.equal(at(middle)?.speech?.id, first.speech.id);
      assert.equal(at(middle)?.speech?.final, false);
      assert.equal(at(middle)?.speech?.reason, undefined);
      assert.equal(at(START)?.speech, undefined);
    });
  });

  it('cuts a too long utterance into parts that join to the exact samples', () => {
    const reading = recording('librivox/sense_and_sensibility_01_austen_64kb-0870.wav');
    const input = frameOf(Buffer.concat([seconds(0.5), reading, seconds(1)]));
    const out = detect(input, { maxUtteranceMs: 2000 });
    const parts = utterancesOf(out);
    assert.ok(parts.length >= 4);
    assert.equal(new Set(parts.map(({ speech }) => speech.id)).size, 1);
    parts.forEach(({ frame, speech }, i) => {
      assert.equal(speech.part, i);
      assert.equal(speech.final, i === parts.length - 1);
      assert.equal(speech.reason, speech.final ? 'silence' : 'max-length');
      assert.ok(frame.position + frame.samples - speech.startPosition <= 32000);
      const next = parts[i + 1];
      if (!next) return;
      assert.equal(speech.endPosition, frame.position + frame.samples);
      assert.equal(next.frame.position, speech.endPosition);
      assert.equal(next.speech.startPosition, speech.endPosition);
    });
    const [first] = parts;
    const joined = Buffer.concat(parts.map(({ frame }) => frame.data));
    const from = first?.frame.position ?? 0;
    assert.deepEqual(joined, samplesAt(input, from, from + joined.length / 2));
    const [start, end] = eventsOf(out);
    assert.deepEqual([start?.event, end?.event, eventsOf(out).length], ['speech-start', 'speech-end', 2]);
    assert.ok(end && 'speech' in end);
    assert.equal(end.speech.startPosition, first?.speech.startPosition);
  });

  it('is the same to the bit however the input is cut', () => {
    const input = sliceFrame(conversation(), 0, 60_000);
    const essence = (out: SpeechEmission[]): unknown => ({
      audio: joinAudio(out),
      others: out.filter(({ output }) => output !== 'audio'),
    });
    const gates = fc.constantFrom('drop' as const, 'silence' as const, 'pass' as const);
    const cuts = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 });
    const settings = { maxUtteranceMs: 1000, probabilities: true };
    fc.assert(
      fc.property(gates, cuts, (gate, lengths) => {
        const one = essence(detect(input, { ...settings, gate }, [320]));
        assert.deepEqual(essence(detect(input, { ...settings, gate }, lengths)), one);
      }),
      { numRuns: 30 },
    );
  });

  describe('at a border', () => {
    it('closes an open utterance at a gap, and goes on behind it', () => {
      const input = conversation();
      const [whole] = utterancesOf(detect(input));
      const middle = (whole?.speech.startPosition ?? 0) + 8000;
      const missing = 700;
      const detector = new SpeechDetector(SETTINGS);
      const after = sliceFrame(input, middle - START + missing, input.samples);
      const out = [
        ...detector.push(sliceFrame(input, 0, middle - START)),
        ...detector.push({ ...after, gap: missing }),
        ...detector.flush(),
      ];
      const [before, behind] = utterancesOf(out);
      assert.equal(before?.speech.reason, 'flush');
      assert.equal(before.speech.final, true);
      assert.equal(before.frame.position + before.frame.samples, middle);
      assert.ok((behind?.frame.position ?? 0) >= middle + missing, 'no pre-roll from before the gap');
      const { data, spans } = joinAudio(out);
      assert.deepEqual(data, Buffer.concat(spans.map(([from, to]) => samplesAt(input, from, to))));
    });

    it('sends what was held, and starts over, at a flush', () => {
      const input = conversation();
      for (const gate of ['drop', 'silence'] as const) {
        const detector = new SpeechDetector({ ...SETTINGS, gate });
        const [whole] = utterancesOf(detect(input));
        const middle = (whole?.speech.startPosition ?? 0) + 8000;
        const out = [...detector.push(sliceFrame(input, 0, middle - START)), ...detector.flush()];
        const { spans } = joinAudio(out);
        assert.equal(spans.at(-1)?.[1], middle);
        assert.equal(utterancesOf(out)[0]?.speech.reason, 'flush');
        assert.deepEqual(detector.flush(), []);
        assert.equal(detector.heldMs, 0);
        const again = [...detector.push(input), ...detector.flush()];
        const expected = detect(input, { gate });
        assert.deepEqual(joinAudio(again), joinAudio(expected));
      }
    });

    it('takes frames of one sample and of none', () => {
      const input = sliceFrame(conversation(), 14_000, 30_000);
      const detector = new SpeechDetector(SETTINGS);
      const out = detector.push(sliceFrame(input, 0, 0));
      for (let i = 0; i < input.samples; i++) out.push(...detector.push(sliceFrame(input, i, i + 1)));
      out.push(...detector.flush());
      assert.equal(utterancesOf(out).length, 1);
    });
  });

  describe('at any rate, with any channels', () => {
    const formats: PcmFormat[] = [
      { encoding: 's16le', sampleRate: 8000, channels: 1 },
      { encoding: 'f32le', sampleRate: 22050, channels: 1 },
      { encoding: 's16le', sampleRate: 44100, channels: 2 },
      { encoding: 'f32le', sampleRate: 48000, channels: 2 },
      { encoding: 's16le', sampleRate: 96000, channels: 1 },
    ];

    for (const format of formats) {
      it(`finds the same speech at the same time: ${formatText(format)}`, () => {
        const input = conversation();
        const converted = convert(input, format);
        const expected = utterancesOf(detect(input)).map(({ speech }) => speech);
        const out = detect(converted, {}, [samplesInMs(format.sampleRate, 20)]);
        const found = utterancesOf(out);
        assert.equal(found.length, expected.length);
        found.forEach(({ frame, speech }, i) => {
          const [start, end] = [expected[i]?.startTime ?? 0, expected[i]?.durationMs ?? 0];
          assert.ok(Math.abs(speech.startTime - start) <= 32.1, `${speech.startTime - start} ms apart`);
          assert.ok(Math.abs(speech.durationMs - end) <= 64.2, `${speech.durationMs - end} ms longer`);
          assert.deepEqual(frame.format, format);
          assert.deepEqual(frame.data, samplesAt(converted, frame.position, frame.position + frame.samples));
          assert.equal(frame.position, speech.startPosition - samplesInMs(format.sampleRate, 300));
          const since = ((speech.startPosition - converted.position) * 1000) / format.sampleRate;
          assert.ok(Math.abs(speech.startTime - converted.time - since) < 1e-3);
        });
      });
    }

    it('is the same to the bit however the input is cut, wherever it begins', () => {
      const whole = convert(conversation(), { encoding: 's16le', sampleRate: 44100, channels: 2 });
      const cuts = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 });
      fc.assert(
        fc.property(fc.nat(5000), cuts, (from, lengths) => {
          const input = sliceFrame(whole, from, 150_000);
          const [one, other] = [[882], lengths].map((some) => detect(input, { maxUtteranceMs: 1000 }, some));
          assert.ok(one && other);
          assert.deepEqual(utterancesOf(other), utterancesOf(one));
          const sound = (out: SpeechEmission[]): Buffer =>
            Buffer.concat(audioOf(out).map(({ frame }) => frame.data));
          assert.deepEqual(sound(other), sound(one));
        }),
        { numRuns: 10 },
      );
    });

    it('tells the probabilities of the same places: the delay of the resampler is taken off', () => {
      const probabilities = (frame: PcmFrame): number[] =>
        eventsOf(detect(frame, { probabilities: true })).flatMap((one) =>
          one.event === 'probability' ? [one.probability] : [],
        );
      const expected = probabilities(conversation());
      const found = probabilities(convert(conversation(), { ...FORMAT, sampleRate: 48000 }));
      assert.equal(found.length, expected.length);
      const apart = found.map((probability, i) => Math.abs(probability - (expected[i] ?? 0)));
      assert.ok(apart.reduce((sum, one) => sum + one) / apart.length < 0.005);
    });

    it('closes what is open when the format changes', () => {
      const input = conversation();
      const [whole] = utterancesOf(detect(input));
      const middle = (whole?.speech.startPosition ?? 0) - START + 8000;
      const detector = new SpeechDetector(SETTINGS);
      const stereo: PcmFormat = { ...FORMAT, channels: 2 };
      const out = [
        ...detector.push(sliceFrame(input, 0, middle)),
        ...detector.push(convert(sliceFrame(input, middle, input.samples), stereo)),
        ...detector.flush(),
      ];
      const formats = utterancesOf(out).map(({ frame }) => frame.format.channels);
      assert.deepEqual(formats.slice(0, 2), [1, 2]);
      assert.equal(utterancesOf(out)[0]?.speech.reason, 'flush');
    });
  });

  it('holds no more than the pre-roll and what may become speech, however long no one speaks', () => {
    const detector = new SpeechDetector(SETTINGS);
    const noise = whiteNoise(16000, 0.01);
    const data = Buffer.alloc(32000);
    noise.forEach((sample, i) => data.writeInt16LE(Math.round(sample * 32767), 2 * i));
    for (let second = 0; second < 20; second++) {
      const frame = frameOf(data, FORMAT, START + second * 16000);
      for (let at = 0; at < 16000; at += 320) detector.push(sliceFrame(frame, at, at + 320));
      assert.ok(detector.heldMs <= 300 + 200 + 32 + 100, `${detector.heldMs} ms are held`);
    }
  });

  it('still hears after samples that are no numbers, or far beyond full scale', () => {
    const format: PcmFormat = { ...FORMAT, encoding: 'f32le' };
    const spoken = recording('goforward.raw');
    const data = Buffer.alloc(4 * (16000 + spoken.length / 2 + 16000));
    [NaN, Infinity, -Infinity, 1e38].forEach((value, i) => data.writeFloatLE(value, 4 * (200 + i)));
    for (let i = 0; i < spoken.length / 2; i++) {
      data.writeFloatLE(spoken.readInt16LE(2 * i) / 32768, 4 * (16000 + i));
    }
    assert.equal(utterancesOf(detect(frameOf(data, format))).length, 1);
  });
});
