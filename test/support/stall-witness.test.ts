/** The witnesses of the browser test see a stall, and see none where there was none. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONTROL_TONE, stallsSeen } from './stall-witness';

const RATE = CONTROL_TONE.sampleRate;
const PUNCTUAL = Array.from({ length: 100 }, (_, i) => 5000 + (i % 4));

/** One second of silence, one of the control tone beside the example's, and one of silence; `holeMs` of it are lost. */
function channel(holeMs = 0): Float64Array {
  const tone = (i: number, hz: number, amplitude: number): number =>
    amplitude * Math.sin((2 * Math.PI * hz * i) / RATE);
  const hole = (holeMs * RATE) / 1000;
  return Float64Array.from({ length: 3 * RATE }, (_, i) => {
    if (i < RATE || i >= 2 * RATE) return 0;
    const heard = i < 1.5 * RATE ? i : i + hole;
    return tone(heard, CONTROL_TONE.hz, CONTROL_TONE.amplitude) + tone(i, 440, 0.5);
  });
}

describe('the witnesses of a stall', () => {
  test('see none where messages are punctual and the tone is whole', () =>
    assert.deepEqual(stallsSeen(PUNCTUAL, channel()), []));

  test('see messages that come late', () =>
    assert.deepEqual(stallsSeen([...PUNCTUAL, 5020], channel()), [
      '1 control messages late, by up to 20 ms',
    ]));

  test('see a millisecond that is missing from the tone that Chromium makes', () =>
    assert.match(stallsSeen(PUNCTUAL, channel(1)).join(), /^Chromium's own tone broke in [12] windows$/));
});
