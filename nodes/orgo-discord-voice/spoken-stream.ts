/** One stream of a flow on its way into a voice channel. */
import { OrgoError } from '../../src/audio/errors';
import type { VoiceStream } from '../../src/discord/discord-voice';
import type { NodeTransform } from '../shared/stream-node';

/** What speaks. */
export interface Voice {
  openStream(kind: 'live' | 'recording'): VoiceStream;
  /** Why nothing can be spoken before something changes; undefined where it can. */
  silenceReason(): string | undefined;
}

/** Speaks what comes, as live sound or as a recording; nothing comes out of it. */
export function speakStream(voice: Voice): NodeTransform {
  let speaking: VoiceStream | undefined;
  const end = (): void => {
    const ending = speaking;
    speaking = undefined;
    ending?.end();
  };
  return {
    /** @throws OrgoError `ORGO_BAD_INPUT`; `ORGO_DISCORD_FAILED` for a recording that can't be spoken */
    push(frame, { isLive }) {
      const reason = voice.silenceReason();
      if (reason !== undefined) {
        // Live sound comes all the time, and the status says why it is not heard.
        if (isLive) return [];
        throw new OrgoError('ORGO_DISCORD_FAILED', `The bot can't speak this: ${reason}`);
      }
      if (speaking?.isLive !== isLive) end();
      speaking ??= voice.openStream(isLive ? 'live' : 'recording');
      speaking.push(frame);
      return [];
    },
    flush() {
      end();
      return [];
    },
    close: end,
  };
}
