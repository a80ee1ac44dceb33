// What a guest reports, one JSON object a line on its second serial line; and how the host reads it.

/** A sentence that was tested, and what was found when it did not hold. */
export interface Result {
  readonly kind: 'result';
  readonly sentence: string;
  readonly ok: boolean;
  readonly found: string;
}

export type Content =
  | { readonly kind: 'start'; readonly kernel: string; readonly bpftrace: string }
  | Result
  /** What `plumbline check` says of each probe: full, reduced, or none if it is left out. */
  | { readonly kind: 'probes'; readonly modes: Readonly<Record<string, string>> }
  /** The agent did not start; these findings of the check say why. */
  | { readonly kind: 'refused'; readonly lacking: readonly string[] }
  /** Requests sent and counted; and runs of programs that the kernel skipped since another was active (Linux 6.1). */
  | { readonly kind: 'counts'; readonly sent: number; readonly counted: number; readonly skippedRuns: number }
  /** gzip in base64: plain, it would keep an emulated serial line busy for as long as some of the tests take. */
  | { readonly kind: 'metrics'; readonly zipped: string }
  /** What the tests do next; the last of these tells where a guest stood still. */
  | { readonly kind: 'step'; readonly doing: string }
  /** What the agent said on stderr. */
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'end' };

/** With the seconds since the node has booted. */
export type Message = Content & { readonly atSeconds: number };

/** Reads what came over the serial line; what is no message, such as half a line of a guest that died, is left out. */
export const parseReport = (text: string): readonly Message[] =>
  text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Message];
    } catch {
      return [];
    }
  });
