// In: a level. Out: the log: JSON lines on stderr, one for each change of state.
import { pino, type Logger } from 'pino';

export const createLog = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );

/** What is left of a log where its lines go through a pipe. */
export type PlainLog = Readonly<Record<'info' | 'warn' | 'error', (fields: object, text: string) => void>>;
