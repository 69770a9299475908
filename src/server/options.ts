/** What a server is told at its beginning. */
import type { Clock } from '../audio/clock';
import type { OrgoError } from '../audio/errors';
import type { Source, SourceState } from '../capture/source';
import type { ServerEvent } from './events';

export interface AudioServerOptions {
  readonly source: Source;
  /** What listeners send as their token. Must not be empty. */
  readonly password: string;
  /** What REST clients send as their bearer; empty (default): no REST routes. */
  readonly apiKey?: string;
  /** The one computer served; empty (default): any id. */
  readonly computerId?: string;
  /** Path of the audio WebSocket. Default `/audio`. */
  readonly path?: string;
  /** What comes before every path, such as Node-RED's `/red`; empty by default. */
  readonly basePath?: string;
  /** Default 64. */
  readonly maxListeners?: number;
  /** Milliseconds of sound that may wait for a listener. Default 500. */
  readonly maxBacklogMs?: number;
  /** Whether a proxy in front sets `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `-Prefix`. Default false. */
  readonly trustProxy?: boolean;
  /** Browsers' origins that may connect; empty (default): any. */
  readonly allowedOrigins?: readonly string[];
  /** Path of the page that plays the sound, such as `/listen`; empty (default): there is none. */
  readonly pagePath?: string;
  /** Path of the metrics, such as `/metrics`. */
  readonly metricsPath?: string;
  /** What scrapers of the metrics send as their bearer; empty (default): there are none. */
  readonly metricsToken?: string;
  readonly onEvent?: (event: ServerEvent) => void;
  readonly onState?: (state: SourceState, sound: boolean) => void;
  /** Called once for each fault that closed some listeners, or none, while the others go on. */
  readonly onError?: (error: OrgoError) => void;
  readonly clock?: Clock;
  /** Throws where no Opus library loads; tests pass their own. */
  readonly chooseOpus?: () => unknown;
}

export const DEFAULT_MAX_LISTENERS = 64;
export const DEFAULT_MAX_BACKLOG_MS = 500;
export const DEFAULT_PATH = '/audio';
export const DEFAULT_METRICS_PATH = '/metrics';
