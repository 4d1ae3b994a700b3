/** Where the broker says what happens. Messages are for people; fields carry the particulars. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What a log line is about: connection, virtual host, user, error. Never a password. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Says nothing: the default of an embedded broker. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

function ignore(): void {}
