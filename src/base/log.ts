/** The runtime's own messages. They go to stderr; the bot's output is never mixed into them. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, string | number | boolean | undefined>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Which process speaks: `supervisor`, `daemon`, `query`. */
  readonly role: string;
  readonly now: () => number;
  /** Milliseconds since the process began, told with every `debug` message: where a start spends its time. */
  readonly sinceStart?: () => number;
  readonly write: (line: string) => void;
}

const severity: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLogger(options: LoggerOptions): Logger {
  const emit = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (severity[level] < severity[options.level]) return;
    const timestamp = new Date(options.now()).toISOString();
    const since = level === 'debug' &&
      options.sinceStart && { sinceStartMs: Number(options.sinceStart().toFixed(1)) };
    const all = { ...fields, ...since };
    options.write(
      options.format === 'json'
        ? `${JSON.stringify({ timestamp, level, source: 'runtime', role: options.role, message, ...all })}\n`
        : `${timestamp} ${level.padEnd(5)} ${options.role}: ${message}${asText(all)}\n`,
    );
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
  };
}

function asText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : value}`)
    .join('');
}
