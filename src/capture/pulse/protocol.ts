/** Numbers of PulseAudio's native protocol that capture uses (pulsecore/native-common.h, pulse/def.h). */

/** The version that is asked for; the server answers with what both speak. */
export const PROTOCOL_VERSION = 35;
/** PulseAudio 2 (2012): the oldest whose every message is read here. */
export const MIN_PROTOCOL_VERSION = 24;
/** PulseAudio 14: ports have a type from then on. */
export const PORT_TYPE_VERSION = 34;
/** The upper bits of a version are flags: shared memory, which is declined by leaving them 0. */
export const VERSION_MASK = 0xffff;

/** Stands for "none" in any index, tag or size. */
export const INVALID_INDEX = 0xffffffff;
export const COOKIE_BYTES = 256;

export const COMMAND = {
  error: 0,
  reply: 2,
  createRecordStream: 5,
  deleteRecordStream: 6,
  auth: 8,
  setClientName: 9,
  getServerInfo: 20,
  getSinkInfoList: 22,
  getSourceInfoList: 24,
  getSinkInputInfoList: 30,
  subscribe: 35,
  recordStreamKilled: 65,
  subscribeEvent: 66,
  suspendSink: 70,
  setRecordStreamBufferAttr: 73,
  recordStreamSuspended: 77,
  recordStreamMoved: 79,
} as const;

/** PA_ERR_ of pulse/def.h */
export const PULSE_ERROR = { access: 1, noEntity: 5, authKey: 9 } as const;
const ERROR_TEXTS: Readonly<Record<number, string>> = {
  1: 'access denied',
  2: 'unknown command',
  3: 'invalid argument',
  4: 'entity exists',
  5: 'no such entity',
  6: 'connection refused',
  7: 'protocol error',
  8: 'timeout',
  9: 'no authentication key',
  10: 'internal error',
  11: 'connection terminated',
  12: 'entity killed',
  15: 'bad state',
  17: 'incompatible protocol version',
  18: 'too large',
  19: 'not supported',
};

/** A PulseAudio error number in words. */
export function pulseErrorText(code: number): string {
  return ERROR_TEXTS[code] ?? `error ${code}`;
}

/** Bits of SUBSCRIBE: which objects' changes are reported. */
export const SUBSCRIBE_MASK = { sink: 0x01, source: 0x02, server: 0x80 } as const;
/** Low 4 bits of a SUBSCRIBE_EVENT: what changed. */
export const FACILITY_MASK = 0x0f;
export const FACILITY = { sink: 0, source: 1, server: 7 } as const;

export const DEVICE_STATE = { running: 0, idle: 1, suspended: 2 } as const;

export const SAMPLE_FORMAT_S16LE = 3;
/** Channel positions. */
export const CHANNEL = { mono: 0, frontLeft: 1, frontRight: 2 } as const;
