// In: nothing. Out: what goes through the pipe between the process that has rights and the one that listens.
import type { Snapshot } from '../bpftrace/run.ts';
import type { PlainLog } from '../log.ts';
import type { MeasureState } from '../measure.ts';
import type { Cost, Plan } from '../privileged.ts';

/** From the process that listens: its plan, once, before it has read a request; then nothing but this one question. */
export type Upward = { readonly kind: 'plan'; readonly plan: Plan } | { readonly kind: 'listContainers' };

/** From the process that has rights. */
export type Downward =
  | {
      readonly kind: 'news';
      readonly state: MeasureState;
      readonly cost: Cost;
      readonly snapshot: Snapshot | undefined;
    }
  | { readonly kind: 'log'; readonly level: keyof PlainLog; readonly fields: object; readonly text: string }
  | { readonly kind: 'containers'; readonly answer: unknown }
  | { readonly kind: 'noContainers'; readonly message: string; readonly code: string | undefined };
