/** The one error class of this package: a code that programs compare, a text that people act on. */

/** Codes that an {@link OrgoError} may carry. Flows may compare them, so none is ever renamed. */
export type OrgoErrorCode =
  /** No PulseAudio (or PipeWire) socket answers. */
  | 'ORGO_NO_SOUND_SERVER'
  /** The sound server refused our cookie. */
  | 'ORGO_SOUND_ACCESS_DENIED'
  /** No sink or source of the configured name exists. */
  | 'ORGO_NO_SUCH_DEVICE'
  /** The sound server answered with an error, or with something that is not its protocol. */
  | 'ORGO_SOUND_SERVER_FAILED'
  /** This operating system has no PulseAudio to capture. */
  | 'ORGO_CAPTURE_UNSUPPORTED'
  /** A setting, a message or a query parameter is outside what is allowed. */
  | 'ORGO_BAD_SETTING'
  | 'ORGO_BAD_INPUT'
  /** No Opus library loads, or the one that does is at its limit. */
  | 'ORGO_OPUS_FAILED'
  /** ffmpeg is not installed, or it ended in the middle of its work. */
  | 'ORGO_NO_FFMPEG'
  | 'ORGO_CONVERT_FAILED'
  /** The port or path to listen on belongs to someone else, or may not be used. */
  | 'ORGO_CANNOT_LISTEN'
  /** The REST API, by what it answered. */
  | 'ORGO_API_KEY_REJECTED'
  | 'ORGO_API_FORBIDDEN'
  | 'ORGO_API_NOT_FOUND'
  | 'ORGO_API_UNAVAILABLE'
  | 'ORGO_API_BAD_ANSWER'
  | 'ORGO_API_UNREACHABLE'
  /** The audio WebSocket, by how it ended. */
  | 'ORGO_BAD_TOKEN'
  | 'ORGO_COMPUTER_NOT_RUNNING'
  /** It was asked to start, and does not run yet. */
  | 'ORGO_COMPUTER_STARTING'
  | 'ORGO_NO_SUCH_COMPUTER'
  /** The right password, but of another workspace, or for viewing only. */
  | 'ORGO_NO_ACCESS'
  /** Its owner must confirm by a second factor first. */
  | 'ORGO_SECOND_FACTOR'
  /** An address that leads nowhere, or that must not be trusted with a password. */
  | 'ORGO_BAD_ADDRESS'
  | 'ORGO_CAPTURE_FAILED'
  | 'ORGO_CONNECTION_DEAD'
  | 'ORGO_CONNECTION_FAILED'
  | 'ORGO_PROTOCOL_VIOLATION'
  /** A service of speech recognition: it does not know the key; it will not do what was asked; it failed. */
  | 'ORGO_SERVICE_KEY_REJECTED'
  | 'ORGO_SERVICE_REFUSED'
  | 'ORGO_SERVICE_FAILED'
  /** It answered with something that makes no sense. */
  | 'ORGO_SERVICE_BAD_ANSWER'
  /** The packages that speak Discord's voice protocol are absent, or Node.js is too old for them. */
  | 'ORGO_DISCORD_UNAVAILABLE'
  /** No such channel, one without voice, or one of another guild. */
  | 'ORGO_DISCORD_NO_CHANNEL'
  /** The bot may not see, enter or speak in the channel. */
  | 'ORGO_DISCORD_FORBIDDEN'
  /** The same bot speaks in the same guild already. */
  | 'ORGO_DISCORD_IN_USE'
  /** Discord closed, refused or did not answer. */
  | 'ORGO_DISCORD_FAILED';

/** An error that says what happened, with which value, and what to do about it. */
export class OrgoError extends Error {
  override readonly name = 'OrgoError';

  constructor(
    readonly code: OrgoErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** That a message or its sound is not what is wanted. */
export function badInput(text: string): OrgoError {
  return new OrgoError('ORGO_BAD_INPUT', text);
}

/** That a setting is outside what is allowed. */
export function badSetting(text: string, options?: ErrorOptions): OrgoError {
  return new OrgoError('ORGO_BAD_SETTING', text, options);
}

/** The text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
