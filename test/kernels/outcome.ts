// In: what a node reported of its tests. Out: whether all is as it should be, and the line that says so.
import { execa } from 'execa';
import { gunzipSync } from 'node:zlib';
import type { Message } from './report.ts';

export interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** CPU time of the emulator, if there was one. */
  readonly cpuSeconds?: number;
  /** What did not hold, or why nothing could be tested. */
  readonly failures: readonly string[];
  readonly messages: readonly Message[];
}

/** Runs the tests and judges what they report; it never throws. `seconds` are those of the tests alone. */
export const outcomeOf = async (
  name: string,
  run: () => Promise<Pick<Outcome, 'messages' | 'seconds' | 'cpuSeconds'>>,
): Promise<Outcome> => {
  try {
    const report = await run();
    const failures = [...failedSentences(report.messages), ...(await lint(report.messages))];
    return { name, ok: failures.length === 0, failures, ...report };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, ok: false, seconds: 0, failures: [reason], messages: [] };
  }
};

export const progressLine = ({ name, ok, seconds, cpuSeconds, failures, messages }: Outcome): string => {
  const ofCpu = cpuSeconds === undefined ? '' : `, ${cpuSeconds.toFixed(0)} s of CPU`;
  const mark = ok ? 'ok    ' : 'FAILED';
  const line = `${mark} ${name}: ${seconds.toFixed(0)} s${ofCpu}, ${describeModes({ messages })}\n`;
  return line + failures.map((failure) => `       ${failure.replaceAll('\n', '\n       ')}\n`).join('');
};

/** "full", or which probes are not; or what the agent refuses for. */
export const describeModes = ({ messages }: Pick<Outcome, 'messages'>): string => {
  for (const message of messages) {
    if (message.kind === 'refused') return `refuses: ${message.lacking.join(', ')}`;
    if (message.kind !== 'probes') continue;
    const lesser = Object.entries(message.modes).filter(([, mode]) => mode !== 'full');
    const words = lesser.map(([name, mode]) => `${name} ${mode === 'none' ? 'left out' : mode}`);
    return words.join(', ') || 'full';
  }
  return 'no word of probes';
};

const failedSentences = (messages: readonly Message[]): readonly string[] =>
  messages.flatMap((message) =>
    message.kind === 'result' && !message.ok ? [`not so: ${message.sentence}: ${message.found}`] : [],
  );

/** promtool on the node's /metrics; it is run here, since it would take a guest longer. */
const lint = async (messages: readonly Message[]): Promise<readonly string[]> => {
  const failures = await Promise.all(
    messages.map(async (message) => {
      if (message.kind !== 'metrics') return [];
      const input = gunzipSync(Buffer.from(message.zipped, 'base64'));
      const options = { input, reject: false, all: true } as const;
      const { all, failed } = await execa('promtool', ['check', 'metrics'], options);
      return failed || all !== '' ? [`promtool on /metrics: ${all}`] : [];
    }),
  );
  return failures.flat();
};
